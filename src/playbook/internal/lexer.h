#pragma once
// Lexer: the tokens of one expression or tag. It stops at the tag's closing braces (outside of any
// bracket), or at the end of a bare expression. Copyable, so that a parser can look ahead. One
// owner.
#include <cstdint>
#include <string_view>

#include "playbook/internal/source.h"
#include "playbook/value.h"

namespace tidemill::playbook::expr {

struct Token {
  enum class Kind : uint8_t { end, name, literal, sign, close, bad };
  Kind kind = Kind::end;
  size_t begin = 0;
  size_t end = 0;
  std::string_view text;  // of a name or a sign
  Value value;            // of a literal

  bool is(std::string_view t) const {
    return (kind == Kind::sign || kind == Kind::name) && text == t;
  }
};

class Lexer {
 public:
  enum class Closing : uint8_t { none, output, block };  // what ends it: the text, }} or %}

  Lexer(Source& source, size_t begin, Closing closing);

  const Token& peek() const { return token_; }
  Token take();
  bool take_if(std::string_view text);
  Token after() const;  // the token behind the next one

  // A name or digits right behind a dot: `rows.0.id`.
  Token take_attribute();

  // Behind the closing braces: the offset, and whether white space after them goes (-}}).
  size_t end_offset() const { return at_; }
  bool trims() const { return trims_; }

  // "'x'", "the end of the expression": for messages.
  std::string describe(const Token& token) const;

 private:
  void advance();
  bool lex_close();
  void lex_name();
  void lex_number();
  void lex_string();
  void lex_sign();
  void bad(size_t offset, std::string text);

  Source* source_;
  size_t at_;
  Closing closing_;
  int open_brackets_ = 0;
  bool trims_ = false;
  Token token_;
};

}  // namespace tidemill::playbook::expr
