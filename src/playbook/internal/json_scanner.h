#pragma once
// JsonScanner: walks JSON text token by token and checks it strictly (RFC 8259): the common ground
// of parse_json and split_json_array. A failed scan leaves a message and its offset. One owner at a
// time.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "playbook/internal/number_text.h"

namespace tidemill::playbook::expr {

// Plain: ASCII that stands for itself in a string.
inline bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte != '"' && byte != '\\' && byte >= 0x20 && byte < 0x80;
}

// How many plain bytes `word`, eight bytes of text as they lie in memory, begins with.
inline size_t plain_bytes(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  constexpr uint64_t kHigh = 0x8080808080808080ULL;
  const uint64_t quote = word ^ (kOnes * '"');
  const uint64_t backslash = word ^ (kOnes * '\\');
  // The high bit of each byte that is not plain; above the first one bits may be wrong.
  const uint64_t special = (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                            ((word - kOnes * 0x20) & ~word) | word) &
                           kHigh;
  return special == 0 ? sizeof word : static_cast<size_t>(std::countr_zero(special)) / 8;
}

// The end of the run of plain bytes from `at` on.
size_t plain_run(std::string_view text, size_t at);

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text, size_t at = 0) : text_(text), at_(at) {}

  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  // A string's bytes between the quotes, still escaped when `escapes`.
  struct Text {
    std::string_view raw;
    bool escapes = false;
  };
  struct Number {
    std::string_view text;
    NumberForm form = NumberForm::whole;
  };

  // The next character that is no white space, 0 at the end; it is not consumed.
  char peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool scan_string(Text& out);  // at the opening quote
  bool scan_number(Number& out);
  bool scan_word(std::string_view word);
  bool skip_value(int depth);  // checks one value of any kind

  bool fail(std::string_view expected);  // "expected … at offset …"; returns false
  bool fail_depth();
  bool finish();  // nothing but white space is left
  size_t offset() const { return at_; }
  std::string_view slice(size_t from, size_t to) const { return text_.substr(from, to - from); }
  Error error() const { return error_; }

 private:
  bool scan_escape();
  bool skip_list(int depth);
  bool skip_map(int depth);

  std::string_view text_;
  size_t at_;
  Error error_;
};

// Resolves the escapes of a scanned string.
std::string unescape_json(std::string_view raw);

}  // namespace tidemill::playbook::expr
