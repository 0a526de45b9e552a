#include "playbook/internal/json_copy.h"

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

bool JsonCopy::copy_string() {
  if (scan_.peek() != '"') return false;
  JsonScanner::Text text;
  if (!scan_.scan_string(text)) return false;
  if (text.escapes) {
    write_json_string(unescape_json(text.raw), out_);
    return true;
  }
  out_ += '"';
  out_ += text.raw;
  out_ += '"';
  return true;
}

bool JsonCopy::copy_value(int depth) {
  switch (const char c = scan_.peek()) {
    case '"':
      return copy_string();
    case '[':
      return copy_list(depth + 1);
    case '{':
      return copy_map(depth + 1);
    case 't':
      return copy_word("true");
    case 'f':
      return copy_word("false");
    case 'n':
      return copy_word("null");
    default:
      return (c == '-' || is_digit(c)) && copy_number();
  }
}

bool JsonCopy::copy_word(std::string_view word) {
  out_ += word;
  return scan_.scan_word(word);
}

bool JsonCopy::copy_number() {
  JsonScanner::Number number;
  if (!scan_.scan_number(number)) return false;
  const bool as_it_is = number.form == NumberForm::whole && number.text.size() <= kDigitsSurely &&
                        number.text != "-0";
  if (as_it_is) {
    out_ += number.text;
    return true;
  }
  Value value;
  if (!number_from_json(number.text, number.form, value)) return false;
  write_json(value, out_);
  return true;
}

bool JsonCopy::copy_list(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  copy('[');
  if (copy(']')) return true;
  do {
    if (!copy_value(depth)) return false;
  } while (copy(','));
  return copy(']');
}

bool JsonCopy::copy_map(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  copy('{');
  if (copy('}')) return true;
  const size_t first = keys_.size();
  do {
    const size_t begin = size();
    if (!copy_string() || !is_new_key(first, begin)) return false;
    if (!copy(':') || !copy_value(depth)) return false;
  } while (copy(','));
  keys_.resize(first);
  return copy('}');
}

bool JsonCopy::is_new_key(size_t first, size_t begin) {
  if (keys_.size() - first == kKeysMax) return false;
  const std::string_view key = since(begin);
  for (size_t i = first; i < keys_.size(); ++i) {
    const auto [at, length] = keys_[i];
    if (length == key.size() && std::string_view(out_).substr(at, length) == key) return false;
  }
  keys_.emplace_back(begin, key.size());
  return true;
}

void read_known_json(std::string_view text, Value& out) {
  Result<Value> value = parse_json(text);
  TIDEMILL_ASSERT(value.ok());
  out = std::move(value).value();
}

}  // namespace tidemill::playbook::expr
