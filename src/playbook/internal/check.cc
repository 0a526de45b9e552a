#include "playbook/internal/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/limits.h"

namespace tidemill::playbook {
namespace {

constexpr double kLongest = 366.0 * 24 * 3600;  // seconds; what is longer is a mistake

std::string expected(std::string_view what, std::string_view shape, const YamlNode& node) {
  std::string text(what);
  text += ": expected ";
  text += shape;
  text += ", found ";
  text += describe(node);
  return text;
}

std::optional<double> unit_seconds(std::string_view unit) {
  if (unit == "ms") return 0.001;
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  if (unit == "d") return 86400;
  return std::nullopt;
}

std::optional<double> seconds_of(const YamlNode& node) {
  if (!node.is_scalar()) return std::nullopt;
  std::string_view text = node.text;
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  std::optional<double> scale = unit_seconds(unit);
  if (!scale) return std::nullopt;
  return number * *scale;
}

bool is_template(const YamlNode& node) {
  return node.is_scalar() && node.text.find("{{") != std::string::npos;
}

}  // namespace

void Check::strict(Position at, std::string text, std::string suggestion) const {
  if (is_noetl())
    warning(at, std::move(text), std::move(suggestion));
  else
    error(at, std::move(text), std::move(suggestion));
}

Fields::Fields(const Check& check, const YamlNode& node, std::string where)
    : check_(check), node_(node), where_(std::move(where)), taken_(node.fields.size(), false) {
  if (!node.is_map()) check.error(node.at, expected(where_, "a map", node));
}

const YamlField* Fields::find(std::string_view key) {
  for (size_t i = 0; i < node_.fields.size(); ++i) {
    if (node_.fields[i].key != key) continue;
    taken_[i] = true;
    return &node_.fields[i];
  }
  return nullptr;
}

const YamlField* Fields::find_left(std::string_view key) {
  for (size_t i = 0; i < node_.fields.size(); ++i) {
    if (node_.fields[i].key == key && !taken_[i]) return find(key);
  }
  return nullptr;
}

const YamlField* Fields::take_field(std::string_view key) {
  known_.push_back(key);
  return find(key);
}

const YamlNode* Fields::take(std::string_view key) {
  const YamlField* field = take_field(key);
  return field == nullptr || field->value.is_null() ? nullptr : &field->value;
}

const YamlNode* Fields::take_one(std::initializer_list<std::string_view> keys) {
  const YamlNode* first = nullptr;
  std::string_view first_key;
  for (std::string_view key : keys) {
    const YamlField* field = take_field(key);
    if (field == nullptr || field->value.is_null()) continue;
    if (first == nullptr) {
      first = &field->value;
      first_key = key;
      continue;
    }
    check_.error(field->at,
                 where_ + ": '" + std::string(key) + "' and '" + std::string(first_key) +
                     "' exclude each other",
                 "keep one of them");
  }
  return first;
}

const YamlNode* Fields::require(std::string_view key, std::string_view what) {
  const YamlNode* node = take(key);
  if (node == nullptr && node_.is_map())
    check_.error(node_.at,
                 where_ + ": '" + std::string(key) + "' is missing (" + std::string(what) + ")");
  return node;
}

void Fields::unsupported(std::string_view key, std::string_view instead) {
  if (const YamlField* field = find_left(key))
    check_.error(field->at, where_ + ": '" + std::string(key) + "' is not supported",
                 std::string(instead));
}

void Fields::misplaced(std::string_view key, std::string_view inside) {
  if (const YamlField* field = find_left(key))
    check_.error(field->at,
                 where_ + ": '" + std::string(key) + "' belongs into '" + std::string(inside) + "'",
                 "write '" + std::string(inside) + ": {" + std::string(key) + ": …}'");
}

void Fields::no_effect(std::string_view key, std::string_view why) {
  if (const YamlField* field = find_left(key))
    check_.warning(field->at, where_ + ": '" + std::string(key) + "' has no effect",
                   std::string(why));
}

void Fields::finish() {
  std::vector<std::string> known;
  for (size_t i = 0; i < node_.fields.size(); ++i) {
    if (taken_[i]) continue;
    if (known.empty()) known.assign(known_.begin(), known_.end());
    const YamlField& field = node_.fields[i];
    std::string suggestion = check_.suggest(field.key, known);
    if (suggestion.empty() && !check_.diagnostics.flooded())
      suggestion = "known here: " + one_of(known);
    check_.strict(field.at, where_ + ": unknown key '" + field.key + "'", std::move(suggestion));
  }
}

std::string read_text(const Check& check, const YamlNode& node, std::string_view what) {
  if (node.is_scalar()) return node.text;
  if (!node.is_null()) check.error(node.at, expected(what, "text", node));
  return {};
}

bool is_name(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), inner);
}

std::string read_name(const Check& check, const YamlNode& node, std::string_view what) {
  std::string text = read_text(check, node, what);
  if (!node.is_scalar()) return text;
  if (!is_name(text)) {
    std::string fixed = text;
    for (char& c : fixed) {
      if (c == '-' || c == ' ' || c == '.') c = '_';
    }
    check.error(node.at,
                std::string(what) + ": '" + text +
                    "' is not a name (letters, digits and '_', not beginning with a digit)",
                is_name(fixed) ? "write '" + fixed + "'" : "");
  } else if (text.size() > limits::kNameMax) {
    check.error(node.at, std::string(what) + ": a name has at most " +
                             std::to_string(limits::kNameMax) + " characters");
  }
  return text;
}

std::optional<bool> read_bool(const Check& check, const YamlNode& node, std::string_view what) {
  Value value = node.is_scalar() ? scalar_value(node) : Value();
  if (value.kind() == Value::Kind::boolean) return value.as_bool();
  std::string suggestion;
  if (node.is_scalar() && node.style == YamlNode::Style::plain) {
    const std::string& t = node.text;
    if (t == "yes" || t == "on" || t == "Yes" || t == "On") suggestion = "write 'true'";
    if (t == "no" || t == "off" || t == "No" || t == "Off") suggestion = "write 'false'";
  }
  check.error(node.at, expected(what, "true or false", node), suggestion);
  return std::nullopt;
}

uint64_t read_count(const Check& check, const YamlNode& node, std::string_view what, uint64_t least,
                    uint64_t most) {
  Value value = node.is_scalar() ? scalar_value(node) : Value();
  if (!value.is_integer()) {
    check.error(node.at, expected(what, "a whole number", node),
                is_template(node) ? "a template is not allowed here" : "");
    return least;
  }
  int64_t number = value.as_integer();
  if (number >= 0 && static_cast<uint64_t>(number) >= least &&
      static_cast<uint64_t>(number) <= most) {
    return static_cast<uint64_t>(number);
  }
  check.error(node.at, std::string(what) + ": " + std::to_string(number) + " is not between " +
                           std::to_string(least) + " and " + std::to_string(most));
  return least;
}

Duration read_duration(const Check& check, const YamlNode& node, std::string_view what) {
  std::optional<double> value = seconds_of(node);
  if (!value) {
    check.error(node.at, expected(what, "a duration", node),
                is_template(node) ? "a template is not allowed here"
                                  : "write a number of seconds, or '500ms', '2s', '1m', '1h'");
    return {};
  }
  if (!(*value >= 0) || *value > kLongest) {
    check.error(node.at, std::string(what) + ": a duration is between 0 and 366 days");
    return {};
  }
  return nanoseconds(std::llround(*value * 1e9));
}

size_t read_choice(const Check& check, const YamlNode& node, std::string_view what,
                   const std::vector<std::string>& words) {
  if (!node.is_scalar()) {
    check.error(node.at, expected(what, one_of(words), node));
    return 0;
  }
  auto found = std::find(words.begin(), words.end(), node.text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  check.error(node.at,
              std::string(what) + ": expected " + one_of(words) + ", found '" + node.text + "'",
              did_you_mean(node.text, words));
  return 0;
}

bool check_count(const Check& check, Position at, std::string_view what, size_t count,
                 size_t most) {
  if (count <= most) return true;
  check.error(at, std::string(what) + ": " + std::to_string(count) + "; the most is " +
                      std::to_string(most));
  return false;
}

const std::vector<YamlNode>* read_list(const Check& check, const YamlNode& node,
                                       std::string_view what) {
  if (node.is_list()) return &node.items;
  check.error(node.at, expected(what, "a list", node));
  return nullptr;
}

}  // namespace tidemill::playbook
