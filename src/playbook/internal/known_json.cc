#include "playbook/internal/known_json.h"

#include <algorithm>

#include "base/assert.h"
#include "model/limits.h"
#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"
#include "playbook/json.h"

namespace tidemill::playbook::expr {

namespace {

constexpr size_t kKeysMax = 64;       // of one map: they are compared one by one
constexpr size_t kDigitsSurely = 18;  // so many fit an int64

bool short_escapes_only(std::string_view raw) {
  for (size_t at = raw.find('\\'); at != std::string_view::npos; at = raw.find('\\', at + 2)) {
    if (raw[at + 1] == 'u' || raw[at + 1] == '/') return false;
  }
  return true;
}

}  // namespace

bool KnownJson::take_string(std::string_view& raw) {
  if (next() != '"') return false;
  JsonScanner::Text text;
  if (!scan_.scan_string(text)) return false;
  raw = text.raw;
  return !text.escapes || short_escapes_only(raw);
}

bool KnownJson::take_value(int depth) {
  std::string_view text;
  switch (const char c = next()) {
    case '"':
      return take_string(text);
    case '[':
      return take_list(depth + 1);
    case '{':
      return take_map(depth + 1);
    case 't':
      return scan_.scan_word("true");
    case 'f':
      return scan_.scan_word("false");
    case 'n':
      return scan_.scan_word("null");
    default:
      return (c == '-' || is_digit(c)) && take_number();
  }
}

bool KnownJson::take_number() {
  JsonScanner::Number number;
  if (!scan_.scan_number(number)) return false;
  if (number.form == NumberForm::whole && number.text.size() <= kDigitsSurely)
    return number.text != "-0";
  Value value;
  if (!number_from_json(number.text, number.form, value)) return false;
  return to_json(value) == number.text;
}

bool KnownJson::take_list(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  take('[');
  if (take(']')) return true;
  do {
    if (!take_value(depth)) return false;
  } while (take(','));
  return take(']');
}

bool KnownJson::take_map(int depth) {
  if (depth > limits::kJsonMaxDepth) return false;
  deepest_ = std::max(deepest_, depth);
  take('{');
  if (take('}')) return true;
  const size_t first = keys_.size();
  std::string_view key;
  do {
    if (!take_string(key) || !new_key(first, key)) return false;
    if (!take(':') || !take_value(depth)) return false;
  } while (take(','));
  keys_.resize(first);
  return take('}');
}

bool KnownJson::new_key(size_t first, std::string_view raw) {
  const auto open = keys_.begin() + static_cast<std::ptrdiff_t>(first);
  if (keys_.size() - first == kKeysMax || std::find(open, keys_.end(), raw) != keys_.end())
    return false;
  keys_.push_back(raw);
  return true;
}

void read_known_json(std::string_view text, Value& out) {
  Result<Value> value = parse_json(text);
  TIDEMILL_ASSERT(value.ok());
  out = std::move(value).value();
}

}  // namespace tidemill::playbook::expr
