#pragma once
// The words of SQL text that has template expressions ("slots") in it. Knows quotes, comments,
// dollar quotes and names of both dialects, and so which literal, name or comment a slot lies in.
// It does not know grammar; a token's text is what was written. Pure; any thread.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemill::worker {

enum class SqlDialect : uint8_t { sqlite, postgres };

// The text as the template's author wrote it: literal text, or the expression number `slot`.
struct SqlPiece {
  std::string text;
  std::optional<uint32_t> slot;
  bool is_ident = false;  // the expression ends in the filter `ident`
};

// A stretch of the inside of a literal or quoted name, with its escapes undone.
struct SqlContent {
  std::string text;
  std::optional<uint32_t> slot;
};

struct SqlToken {
  enum class Kind : uint8_t { space, comment, word, literal, quoted_name, punctuation, slot };
  Kind kind = Kind::space;
  std::string text;  // as written; empty for a slot and for what has slots inside
  std::string
      prefix;  // of a literal "", "E", "X", … or its dollar quote "$tag$"; of a name its quote
  std::vector<SqlContent> content;  // of a literal or quoted name that has slots inside
  uint32_t slot = 0;
  bool is_ident = false;
  bool touches_word = false;  // a slot with a letter or digit directly beside it: part_{{ n }}
};

inline bool is_blank(const SqlToken& t) {
  return t.kind == SqlToken::Kind::space || t.kind == SqlToken::Kind::comment;
}

// Errors: invalid, when a literal or name with a slot in it is not closed. Unclosed text without
// slots is left for the database to refuse. A comment loses its slots.
Result<std::vector<SqlToken>> lex_sql(std::span<const SqlPiece> pieces, SqlDialect dialect);

// ASCII upper case, for keywords.
std::string sql_upper(std::string_view word);

}  // namespace tidemill::worker
