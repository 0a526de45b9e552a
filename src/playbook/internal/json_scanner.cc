#include "playbook/internal/json_scanner.h"

#include <cstring>

#include "model/limits.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four hexadecimal digits at `at`, or -1.
int32_t hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(int32_t c) {
  return c >= 0xD800 && c < 0xDC00;
}
bool is_low_surrogate(int32_t c) {
  return c >= 0xDC00 && c < 0xE000;
}

}  // namespace

size_t plain_run(std::string_view text, size_t at) {
  while (at + sizeof(uint64_t) <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const size_t plain = plain_bytes(word);
    at += plain;
    if (plain < sizeof word) return at;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

bool JsonScanner::scan_string(Text& out) {
  const size_t begin = ++at_;
  out.escapes = false;
  while (true) {
    at_ = plain_run(text_, at_);
    if (at_ >= text_.size()) return fail("the closing quote of a string");
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') break;
    if (c == '\\') {
      out.escapes = true;
      if (!scan_escape()) return false;
    } else if (c < 0x20) {
      return fail("an escape instead of a control character in a string");
    } else {
      const size_t length = utf8_sequence(text_, at_);
      if (length == 0) return fail("valid UTF-8 in a string");
      at_ += length;
    }
  }
  out.raw = slice(begin, at_);
  ++at_;
  return true;
}

bool JsonScanner::scan_escape() {
  const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (c != 'u') {
    if (c == '\0' || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      return fail("one of \" \\ / b f n r t u after a backslash");
    }
    at_ += 2;
    return true;
  }
  const int32_t unit = hex4(text_, at_ + 2);
  if (unit < 0) return fail("four hexadecimal digits after \\u");
  if (is_low_surrogate(unit)) return fail("a high surrogate before a low one");
  at_ += 6;
  if (!is_high_surrogate(unit)) return true;
  const bool pair = text_.substr(at_, 2) == "\\u" && is_low_surrogate(hex4(text_, at_ + 2));
  if (!pair) return fail("a low surrogate after a high one");
  at_ += 6;
  return true;
}

bool JsonScanner::scan_number(Number& out) {
  const size_t begin = at_;
  const auto digits = [&] {
    const size_t from = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - from;
  };
  if (text_[at_] == '-') ++at_;
  const bool zero = at_ < text_.size() && text_[at_] == '0';
  const size_t whole = digits();
  if (whole == 0) return fail("a digit");
  if (zero && whole > 1) return fail("a number without leading zeros");
  out.form = NumberForm::whole;
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    out.form = NumberForm::fraction;
    if (digits() == 0) return fail("a digit after the decimal point");
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    out.form = NumberForm::fraction;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (digits() == 0) return fail("a digit of the exponent");
  }
  out.text = slice(begin, at_);
  return true;
}

bool JsonScanner::scan_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return fail("a JSON value");
  at_ += word.size();
  return true;
}

bool JsonScanner::skip_value(int depth) {
  Text text;
  Number number;
  switch (peek()) {
    case '"':
      return scan_string(text);
    case '[':
      return skip_list(depth + 1);
    case '{':
      return skip_map(depth + 1);
    case 't':
      return scan_word("true");
    case 'f':
      return scan_word("false");
    case 'n':
      return scan_word("null");
    default:
      if (peek() == '-' || is_digit(peek())) return scan_number(number);
      return fail("a JSON value");
  }
}

bool JsonScanner::skip_list(int depth) {
  if (depth > limits::kJsonMaxDepth) return fail_depth();
  ++at_;
  if (take(']')) return true;
  do {
    if (!skip_value(depth)) return false;
  } while (take(','));
  return take(']') || fail("',' or ']'");
}

bool JsonScanner::skip_map(int depth) {
  if (depth > limits::kJsonMaxDepth) return fail_depth();
  ++at_;
  if (take('}')) return true;
  Text key;
  do {
    if (peek() != '"') return fail("a key in quotes");
    if (!scan_string(key)) return false;
    if (!take(':')) return fail("':' after a key");
    if (!skip_value(depth)) return false;
  } while (take(','));
  return take('}') || fail("',' or '}'");
}

bool JsonScanner::fail(std::string_view expected) {
  error_.code = ErrorCode::invalid;
  error_.what = "JSON: expected ";
  error_.what += expected;
  error_.what += at_ >= text_.size() ? " at the end, offset " : " at offset ";
  error_.what += std::to_string(at_);
  return false;
}

bool JsonScanner::fail_depth() {
  error_.code = ErrorCode::too_large;
  error_.what = "JSON: more than " + std::to_string(limits::kJsonMaxDepth) +
                " levels of lists and maps at offset " + std::to_string(at_);
  return false;
}

bool JsonScanner::finish() {
  return (peek(), at_ == text_.size()) || fail("the end of the text");
}

std::string unescape_json(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (size_t at = 0; at < raw.size();) {
    const size_t next = raw.find('\\', at);
    out += raw.substr(at, next - at);
    if (next == std::string_view::npos) break;
    const char c = raw[next + 1];
    at = next + 2;
    if (c == 'u') {
      auto point = static_cast<char32_t>(hex4(raw, at));
      at += 4;
      if (is_high_surrogate(static_cast<int32_t>(point))) {
        const auto low = static_cast<char32_t>(hex4(raw, at + 2));
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
      }
      utf8_append(point, out);
      continue;
    }
    static constexpr std::string_view kFrom = "bfnrt";
    static constexpr std::string_view kTo = "\b\f\n\r\t";
    const size_t special = kFrom.find(c);
    out.push_back(special == std::string_view::npos ? c : kTo[special]);
  }
  return out;
}

}  // namespace tidemill::playbook::expr
