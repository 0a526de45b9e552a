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

// ---- the run ----

JsonCopy::JsonCopy(std::string_view text)
    : at_(text.data()), end_(at_ + text.size()), run_(at_), out_(text.size(), '\0') {}

void JsonCopy::skip_blanks() {
  flush();
  while (at_ != end_ && JsonScanner::is_blank(*at_)) ++at_;
  run_ = at_;
}

void JsonCopy::flush() {
  const auto length = static_cast<size_t>(at_ - run_);
  std::memcpy(out_.data() + copied_, run_, length);
  copied_ += length;
  run_ = at_;
}

// Writes this in place of the text up to `go_on`.
void JsonCopy::append(std::string_view written, const char* go_on) {
  flush();
  at_ = run_ = go_on;
  out_.resize(std::max(out_.size(), copied_ + written.size() + rest().size()));
  std::memcpy(out_.data() + copied_, written.data(), written.size());
  copied_ += written.size();
}

std::string JsonCopy::finish() {
  flush();
  out_.resize(copied_);
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
  at_ += word.size();
  return true;
}

bool JsonCopy::take_string() {
  const std::string_view text = rest();
  const size_t end = plain_run(text, 1);
  if (end == text.size() || text[end] != '"') return take_escaped_string();
  at_ += end + 1;
  return true;
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
  const std::string_view text = rest();
  const size_t end = plain_run(text, 1);
  if (end == text.size() || text[end] != '"') return false;
  key = text.substr(1, end - 1);
  at_ += end + 1;
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
  at_ = end;
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
