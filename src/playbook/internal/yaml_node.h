#pragma once
// YamlNode: a YAML document as a tree that knows where in the text everything stands. Scalars are
// text; scalar_value() gives a plain one the type of YAML 1.2's core schema. A value; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "playbook/template.h"
#include "playbook/value.h"

namespace tidemill::playbook {

struct YamlField;

struct YamlNode {
  enum class Kind : uint8_t { null, scalar, list, map };
  enum class Style : uint8_t { plain, quoted, block };

  Kind kind = Kind::null;
  Style style = Style::plain;
  Position at;       // where the value begins, its quote or `|` included
  Position text_at;  // of a scalar: where its first character stands
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlField> fields;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  const YamlField* field(
      std::string_view key) const;  // null when this is no map or has no such key
};

struct YamlField {
  std::string key;
  Position at;
  YamlNode value;
};

// Plain scalars are typed: null, true/false, integers, numbers; `no`, `on` and `010` are strings,
// and so is everything that is quoted.
Value scalar_value(const YamlNode& scalar);

// A plain scalar that is a number which neither JSON nor a double can hold: .inf, .nan, 1e999.
bool is_beyond_json(std::string_view plain);

// Without templates: lists and maps of scalar_value.
Value plain_value(const YamlNode& node);

// "a list", "a number", …: what stands there, for messages.
std::string_view describe(const YamlNode& node);

}  // namespace tidemill::playbook
