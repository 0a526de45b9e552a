#include "playbook/internal/json_copy.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "model/limits.h"
#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"
#include "playbook/json.h"

namespace tidemill::playbook::expr {

namespace {

constexpr size_t kKeysMax = 64;       // of one map: they are compared one by one
constexpr size_t kDigitsSurely = 18;  // so many fit an int64

}  // namespace

// ---- the copy ----

JsonCopy::JsonCopy(std::string_view text)
    : at_(text.data()),
      end_(at_ + text.size()),
      out_(text.size() + sizeof(uint64_t), '\0'),
      to_(out_.data()) {}

// The copy may become longer than the text by this much.
void JsonCopy::make_room(size_t more) {
  const size_t used = size();
  out_.resize(std::max(out_.size(), used + more + rest().size() + sizeof(uint64_t)));
  to_ = out_.data() + used;
}

// Writes this in place of the text up to `go_on`.
void JsonCopy::append(std::string_view written, const char* go_on) {
  at_ = go_on;
  make_room(written.size());
  to_ = std::copy(written.begin(), written.end(), to_);
}

std::string JsonCopy::finish() {
  out_.resize(size());
  return std::move(out_);
}

// ---- values ----

bool JsonCopy::take_value(int depth) {
  switch (const char c = next()) {
    case '"':
      return take_string();
    case '[':
      return take_list(depth + 1);
    case '{':
      return take_map(depth + 1);
    case 't':
      return take_word("true");
    case 'f':
      return take_word("false");
    case 'n':
      return take_word("null");
    default:
      return (c == '-' || is_digit(c)) && take_number();
  }
}

bool JsonCopy::take_word(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  to_ = std::copy(word.begin(), word.end(), to_);
  at_ += word.size();
  return true;
}

// False, and nothing is taken, when the string has more than ASCII that stands for itself.
bool JsonCopy::take_plain_string() {
  const char* from = at_ + 1;
  char* to = to_;
  *to++ = '"';
  while (end_ - from >= static_cast<ptrdiff_t>(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, from, sizeof word);
    std::memcpy(to, &word, sizeof word);
    const size_t plain = plain_bytes(word);
    from += plain;
    to += plain;
    if (plain < sizeof word) break;
  }
  while (from != end_ && is_plain(*from)) *to++ = *from++;
  if (from == end_ || *from != '"') return false;
  *to++ = '"';
  at_ = from + 1;
  to_ = to;
  return true;
}

bool JsonCopy::take_string() {
  return take_plain_string() || take_escaped_string();
}

bool JsonCopy::take_escaped_string() {
  JsonScanner scan(rest());
  JsonScanner::Text text;
  if (!scan.scan_string(text)) return false;
  std::string written;
  write_json_string(text.escapes ? unescape_json(text.raw) : std::string(text.raw), written);
  append(written, at_ + scan.offset());
  return true;
}

bool JsonCopy::take_key(std::string_view& key) {
  if (next() != '"') return false;
  const char* begin = at_ + 1;
  if (!take_plain_string()) return false;
  key = {begin, static_cast<size_t>(at_ - 1 - begin)};
  return true;
}

// Most numbers are whole, and short enough to stand as they are.
bool JsonCopy::take_number() {
  const char* digits = at_ + (*at_ == '-' ? 1 : 0);
  const char* end = digits;
  while (end != end_ && is_digit(*end)) ++end;
  const auto length = static_cast<size_t>(end - digits);
  const bool is_short = length >= 1 && length <= kDigitsSurely;
  const bool is_whole = end == end_ || (*end != '.' && *end != 'e' && *end != 'E');
  const bool is_odd = is_short && *digits == '0' && end - at_ > 1;  // -0, 01
  if (!is_short || !is_whole || is_odd) return take_other_number();
  while (at_ != end) *to_++ = *at_++;
  return true;
}

bool JsonCopy::take_other_number() {
  JsonScanner scan(rest());
  JsonScanner::Number number;
  Value value;
  if (!scan.scan_number(number) || !number_from_json(number.text, number.form, value)) return false;
  append(to_json(value), at_ + scan.offset());
  return true;
}

bool JsonCopy::take_list(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  take('[');
  if (take(']')) return true;
  do {
    if (!take_value(depth)) return false;
  } while (take(','));
  return take(']');
}

bool JsonCopy::take_map(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  take('{');
  if (take('}')) return true;
  const size_t first = keys_.size();
  std::string_view key;
  do {
    if (!take_key(key) || !is_new_key(first, key)) return false;
    if (!take(':') || !take_value(depth)) return false;
  } while (take(','));
  keys_.resize(first);
  return take('}');
}

bool JsonCopy::is_new_key(size_t first, std::string_view key) {
  if (keys_.size() - first == kKeysMax) return false;
  for (size_t i = first; i < keys_.size(); ++i) {
    if (keys_[i] == key) return false;
  }
  keys_.push_back(key);
  return true;
}

void read_known_json(std::string_view text, Value& out) {
  Result<Value> value = parse_json(text);
  TIDEMILL_ASSERT(value.ok());
  out = std::move(value).value();
}

}  // namespace tidemill::playbook::expr
