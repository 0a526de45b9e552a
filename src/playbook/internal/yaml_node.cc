#include "playbook/internal/yaml_node.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace tidemill::playbook {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Value> integer_with_base(std::string_view digits, int base) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.front() == '-') return std::nullopt;
  return Value(value);
}

// [-+]? digits [. digits] [e [-+] digits], with a digit somewhere before the exponent.
bool looks_like_number(std::string_view s, bool& integral) {
  size_t i = 0;
  if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
  size_t whole = i;
  while (i < s.size() && is_digit(s[i])) ++i;
  size_t digits = i - whole;
  if (digits > 1 && s[whole] == '0') return false;  // `010` is a name or a code, not ten or eight
  integral = true;
  if (i < s.size() && s[i] == '.') {
    integral = false;
    size_t fraction = ++i;
    while (i < s.size() && is_digit(s[i])) ++i;
    digits += i - fraction;
  }
  if (digits == 0) return false;
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    integral = false;
    ++i;
    if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
    size_t exponent = i;
    while (i < s.size() && is_digit(s[i])) ++i;
    if (i == exponent) return false;
  }
  return i == s.size();
}

std::optional<Value> number(std::string_view s) {
  if (s.size() > 2 && s[0] == '0' && s[1] == 'x') return integer_with_base(s.substr(2), 16);
  if (s.size() > 2 && s[0] == '0' && s[1] == 'o') return integer_with_base(s.substr(2), 8);
  bool integral = false;
  if (!looks_like_number(s, integral)) return std::nullopt;
  std::string_view unsigned_text = s.front() == '+' ? s.substr(1) : s;
  const char* end = unsigned_text.data() + unsigned_text.size();
  if (int64_t value = 0; integral) {
    if (std::from_chars(unsigned_text.data(), end, value).ec == std::errc()) return Value(value);
  }
  double value = 0;
  auto [stop, error] = std::from_chars(unsigned_text.data(), end, value);
  if (stop != end || (error != std::errc() && error != std::errc::result_out_of_range))
    return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::nullopt;
  return Value(value);
}

// The core schema's words for what is no finite number, in the three ways it writes them.
bool is_special_number(std::string_view s) {
  const bool sign = !s.empty() && (s[0] == '-' || s[0] == '+');
  const std::string_view body = s.substr(sign ? 1 : 0);
  if (body == ".inf" || body == ".Inf" || body == ".INF") return true;
  return s == ".nan" || s == ".NaN" || s == ".NAN";
}

}  // namespace

const YamlField* YamlNode::field(std::string_view key) const {
  for (const YamlField& f : fields) {
    if (f.key == key) return &f;
  }
  return nullptr;
}

Value scalar_value(const YamlNode& scalar) {
  if (scalar.is_null()) return Value::null();
  const std::string& s = scalar.text;
  if (scalar.style != YamlNode::Style::plain) return Value(s);
  if (s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL") return Value::null();
  if (s == "true" || s == "True" || s == "TRUE") return Value(true);
  if (s == "false" || s == "False" || s == "FALSE") return Value(false);
  char c = s.front();
  if (is_digit(c) || c == '-' || c == '+' || c == '.') {
    if (auto value = number(s)) return *value;
  }
  return Value(s);
}

bool is_beyond_json(std::string_view plain) {
  bool integral = false;
  if (is_special_number(plain)) return true;
  return !plain.empty() && looks_like_number(plain, integral) && !number(plain);
}

Value plain_value(const YamlNode& node) {
  if (node.is_list()) {
    List list;
    list.reserve(node.items.size());
    for (const YamlNode& item : node.items) list.push_back(plain_value(item));
    return Value(std::move(list));
  }
  if (node.is_map()) {
    Map map;
    map.reserve(node.fields.size());
    for (const YamlField& field : node.fields)
      map.append_distinct(field.key, plain_value(field.value));
    return Value(std::move(map));
  }
  return scalar_value(node);
}

std::string_view describe(const YamlNode& node) {
  if (node.is_list()) return "a list";
  if (node.is_map()) return "a map";
  switch (scalar_value(node).kind()) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::boolean:
      return "true or false";
    case Value::Kind::integer:
    case Value::Kind::real:
      return "a number";
    default:
      return "text";
  }
}

}  // namespace tidemill::playbook
