#include "playbook/internal/lexer.h"

#include <algorithm>
#include <array>

#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

bool starts_name(char c) {
  return is_word_start(c) || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) {
  return is_word(c) || static_cast<unsigned char>(c) >= 0x80;
}

// The hexadecimal escape of `digits` digits at `at`, or -1.
int64_t hex_escape(std::string_view text, size_t at, size_t digits) {
  int64_t value = 0;
  if (at + digits > text.size()) return -1;
  return parse_integer(text.substr(at, digits), 16, value) == IntegerText::ok && text[at] != '-' &&
                 text[at] != '+'
             ? value
             : -1;
}

// Resolves the escape after a backslash at `at`, which moves behind it. Unknown ones stay as
// written.
void append_escape(std::string_view text, size_t& at, std::string& out) {
  static constexpr std::string_view kFrom = "ntr\\'\"0bf";
  static constexpr std::string_view kTo("\n\t\r\\'\"\0\b\f", 9);
  const char c = text[at];
  const size_t digits = c == 'x' ? 2 : (c == 'u' ? 4 : 0);
  const int64_t point = digits == 0 ? -1 : hex_escape(text, at + 1, digits);
  if (point >= 0 && (point < 0xD800 || point > 0xDFFF)) {
    utf8_append(static_cast<char32_t>(point), out);
    at += digits + 1;
    return;
  }
  const size_t known = kFrom.find(c);
  if (known != std::string_view::npos) {
    out += kTo[known];
  } else {
    out += '\\';
    out += c;
  }
  ++at;
}

}  // namespace

Lexer::Lexer(Source& source, size_t begin, Closing closing)
    : source_(&source), at_(begin), closing_(closing) {
  advance();
}

Token Lexer::take() {
  Token taken = std::move(token_);
  // What closes the tag is the last token: the text behind it is not an expression.
  if (taken.kind == Token::Kind::close || taken.kind == Token::Kind::bad) {
    token_ = taken;
  } else {
    advance();
  }
  return taken;
}

bool Lexer::take_if(std::string_view text) {
  if (!token_.is(text)) return false;
  take();
  return true;
}

Token Lexer::after() const {
  // Looking ahead must not leave a mistake behind: the parser will come there itself.
  Source scratch(source_->text(), Position{});
  Lexer copy = *this;
  copy.source_ = &scratch;
  copy.take();
  return copy.token_;
}

Token Lexer::take_attribute() {
  Token token;
  const std::string_view text = source_->text();
  // The dot is the current token, so at_ stands right behind it.
  while (at_ < text.size() && is_space(text[at_])) ++at_;
  token.begin = at_;
  while (at_ < text.size() && continues_name(text[at_])) ++at_;
  token.end = at_;
  token.text = text.substr(token.begin, token.end - token.begin);
  token.kind = Token::Kind::name;
  if (token.text.empty()) bad(at_, "expected the name of an attribute after '.'");
  if (!source_->failed()) advance();
  return token;
}

void Lexer::advance() {
  const std::string_view text = source_->text();
  while (at_ < text.size() && is_space(text[at_])) ++at_;
  token_ = Token{};
  token_.begin = at_;
  if (at_ >= text.size()) {
    token_.end = at_;
    if (closing_ != Closing::none) {
      bad(at_, closing_ == Closing::output ? "expected '}}' before the end of the text"
                                           : "expected '%}' before the end of the text");
    }
    return;
  }
  if (open_brackets_ == 0 && lex_close()) return;
  const char c = text[at_];
  if (starts_name(c)) {
    lex_name();
  } else if (is_digit(c)) {
    lex_number();
  } else if (c == '"' || c == '\'') {
    lex_string();
  } else {
    lex_sign();
  }
  token_.end = at_;
}

bool Lexer::lex_close() {
  if (closing_ == Closing::none) return false;
  std::string_view rest = source_->text().substr(at_);
  const bool trims = rest.starts_with('-');
  const bool plus = closing_ == Closing::block && rest.starts_with('+');
  if (trims || plus) rest.remove_prefix(1);
  if (!rest.starts_with(closing_ == Closing::output ? "}}" : "%}")) return false;
  trims_ = trims;
  at_ += trims || plus ? 3 : 2;
  token_.kind = Token::Kind::close;
  token_.end = at_;
  return true;
}

void Lexer::lex_name() {
  const std::string_view text = source_->text();
  while (at_ < text.size() && continues_name(text[at_])) ++at_;
  token_.kind = Token::Kind::name;
  token_.text = text.substr(token_.begin, at_ - token_.begin);
}

void Lexer::lex_number() {
  const std::string_view text = source_->text();
  std::string digits;
  bool whole = true;
  const auto read_digits = [&] {
    while (at_ < text.size() && (is_digit(text[at_]) || text[at_] == '_')) {
      if (text[at_] != '_') digits += text[at_];
      ++at_;
    }
  };
  const auto digit_at = [&](size_t i) { return i < text.size() && is_digit(text[i]); };
  read_digits();
  if (at_ < text.size() && text[at_] == '.' && digit_at(at_ + 1)) {
    whole = false;
    digits += text[at_++];
    read_digits();
  }
  if (at_ < text.size() && (text[at_] == 'e' || text[at_] == 'E')) {
    const bool sign = at_ + 1 < text.size() && (text[at_ + 1] == '-' || text[at_ + 1] == '+');
    if (digit_at(at_ + (sign ? 2 : 1))) {
      whole = false;
      digits += text.substr(at_, sign ? 2 : 1);
      at_ += sign ? 2 : 1;
      read_digits();
    }
  }
  token_.kind = Token::Kind::literal;
  int64_t integer = 0;
  double real = 0;
  if (whole && parse_integer(digits, 10, integer) != IntegerText::ok) {
    bad(token_.begin, "the number " + quoted(digits) + " does not fit into 64 bits");
  } else if (at_ < text.size() && continues_name(text[at_])) {
    bad(at_, "expected a space or an operator after the number");
  } else if (whole) {
    token_.value = Value(integer);
  } else {
    parse_real(digits, real);
    token_.value = Value(real);
  }
}

void Lexer::lex_string() {
  const std::string_view text = source_->text();
  const char quote = text[at_++];
  std::string out;
  while (at_ < text.size() && text[at_] != quote) {
    if (text[at_] == '\\' && at_ + 1 < text.size()) {
      ++at_;
      append_escape(text, at_, out);
    } else {
      out += text[at_++];
    }
  }
  if (at_ >= text.size()) {
    bad(token_.begin, "the string that begins here has no closing quote");
    return;
  }
  ++at_;
  token_.kind = Token::Kind::literal;
  token_.value = Value(std::move(out));
}

void Lexer::lex_sign() {
  static constexpr std::array<std::string_view, 24> kSigns = {
      "**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/",
      "%",  "~",  "(",  ")",  "[",  "]",  "{", "}", ",", ":", ".", "|"};
  const std::string_view rest = source_->text().substr(at_);
  const auto found = std::find_if(kSigns.begin(), kSigns.end(),
                                  [&](std::string_view s) { return rest.starts_with(s); });
  if (found == kSigns.end() && !rest.starts_with('=')) {
    const size_t bytes = std::max<size_t>(utf8_sequence(source_->text(), at_), 1);
    bad(at_, "unexpected " + quoted(rest.substr(0, bytes)) +
                 (rest.starts_with("&&")   ? "; write and"
                  : rest.starts_with("||") ? "; write or"
                  : rest.starts_with("!")  ? "; write not"
                                           : ""));
    return;
  }
  token_.kind = Token::Kind::sign;
  token_.text = found == kSigns.end() ? "=" : *found;
  at_ += token_.text.size();
  if (token_.is("(") || token_.is("[") || token_.is("{")) ++open_brackets_;
  if (token_.is(")") || token_.is("]") || token_.is("}"))
    open_brackets_ = std::max(open_brackets_ - 1, 0);
}

void Lexer::bad(size_t offset, std::string text) {
  source_->fail(offset, std::move(text));
  token_.kind = Token::Kind::bad;
  token_.end = at_;
}

std::string Lexer::describe(const Token& token) const {
  switch (token.kind) {
    case Token::Kind::end:
      return "the end of the expression";
    case Token::Kind::close:
      return closing_ == Closing::output ? "'}}'" : "'%}'";
    default:
      return quoted(source_->slice(token.begin, token.end));
  }
}

}  // namespace tidemill::playbook::expr
