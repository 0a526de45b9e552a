#pragma once
// Templates of a playbook, compiled at their place in the text: a mistake inside one is reported
// where it stands, in block scalars too. Used by compile(); one thread.
#include <optional>
#include <string>
#include <vector>

#include "playbook/internal/check.h"

namespace tidemill::playbook {

// A scalar: text with templates, or a constant of its type. A mistake gives the empty text.
Template read_template(const Check& check, const YamlNode& scalar);

// A `when`: an expression, with or without {{ }}, or true/false. None when it is wrong.
std::optional<Template> read_condition(const Check& check, const YamlNode& node,
                                       std::string_view what);

// Any value; templates are its leaves.
InputTree read_tree(const Check& check, const YamlNode& node);
// A map; anything else is reported and gives an empty one.
InputTree read_map(const Check& check, const YamlNode& node, std::string_view what);
InputTree empty_map();

// What a `set` may write: policies inside a task ctx and iter, steps and arcs ctx alone.
enum class SetScope : uint8_t { task, routing };
// `ctx.a.b: value`, and `ctx: {a: value}` for several.
std::vector<SetItem> read_set(const Check& check, const YamlNode& node, SetScope scope,
                              std::string_view where);

}  // namespace tidemill::playbook
