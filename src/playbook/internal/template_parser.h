#pragma once
// TemplateParser: text with {{ }}, {% %} and {# #} to statements, with white-space control. One
// owner.
#include <initializer_list>
#include <string_view>

#include "playbook/internal/expression_parser.h"
#include "playbook/internal/source.h"
#include "playbook/internal/statements.h"

namespace tidemill::playbook::expr {

class TemplateParser {
 public:
  explicit TemplateParser(Source& source) : source_(source) {}

  // The whole text. False after a mistake, which the source then holds.
  bool parse(Block& out);
  bool has_blocks() const { return has_blocks_; }

 private:
  // A tag that was just read up to its name; the rest of it is still in the lexer.
  struct Tag {
    std::string_view name;  // empty: the end of the text
    size_t begin = 0;
  };

  // Reads statements into `out` until a tag of `ends`, which is returned with its lexer in
  // tag_lexer_.
  bool parse_until(std::initializer_list<std::string_view> ends, Tag opened, Block& out, Tag& end);
  bool parse_output(size_t begin, Block& out);
  bool parse_statement(const Tag& tag, Block& out);
  bool parse_if(const Tag& tag, Block& out);
  bool parse_for(const Tag& tag, Block& out);
  bool parse_for_head(ForStatement::Parts& parts);
  bool parse_set(const Tag& tag, Block& out);
  bool parse_raw(const Tag& tag, Block& out);
  bool skip_comment(size_t begin);
  bool open_tag(size_t begin, Tag& out);
  bool close_tag();                            // only the end of the tag is left
  enum class End : uint8_t { kept, trimmed };  // of a literal text
  void add_text(size_t end, End of_text, Block& out);
  bool unexpected(const Tag& tag, std::initializer_list<std::string_view> ends, const Tag& opened);

  Source& source_;
  size_t at_ = 0;
  bool trim_next_ = false;  // the last tag ended in -}} or -%}
  bool has_blocks_ = false;
  std::optional<Lexer> lexer_;  // of the tag being read
};

}  // namespace tidemill::playbook::expr
