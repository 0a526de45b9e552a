#include "playbook/internal/templates.h"

#include <utility>

#include "model/limits.h"

namespace tidemill::playbook {
namespace {

bool has_template(std::string_view text) {
  for (size_t i = text.find('{'); i != std::string_view::npos && i + 1 < text.size();
       i = text.find('{', i + 1)) {
    char next = text[i + 1];
    if (next == '{' || next == '%' || next == '#') return true;
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

void report(const Check& check, const YamlNode& node, const EvalError& error) {
  // Quoted and plain text may be folded: then the place of its beginning is all that is known.
  bool known = node.style == YamlNode::Style::block || error.at.line == node.text_at.line;
  check.error(known ? error.at : node.at, error.text);
}

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('.', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<SetItem::Target> target_of(std::string_view word) {
  if (word == "ctx") return SetItem::Target::ctx;
  if (word == "iter") return SetItem::Target::iter;
  return std::nullopt;
}

bool check_target(const Check& check, Position at, SetItem::Target target, SetScope scope,
                  std::string_view where) {
  if (target == SetItem::Target::ctx || scope == SetScope::task) return true;
  check.strict(at, std::string(where) + ": 'iter' is of one iteration and cannot be written here",
               "write ctx.NAME, or set it in a policy rule of the tool");
  return false;
}

void add_item(const Check& check, Position at, std::vector<std::string> parts,
              const YamlNode& value, SetScope scope, std::string_view where,
              std::vector<SetItem>& out) {
  std::optional<SetItem::Target> target = target_of(parts.front());
  std::string written;
  for (const std::string& part : parts) written += (written.empty() ? "" : ".") + part;
  if (!target) {
    bool bare = parts.size() == 1 && is_name(parts.front());
    check.error(at,
                std::string(where) + ": set writes ctx.NAME or iter.NAME, not '" + written + "'",
                bare ? "write 'ctx." + written + "'" : "");
    return;
  }
  parts.erase(parts.begin());
  for (const std::string& part : parts) {
    if (is_name(part)) continue;
    check.error(at, std::string(where) + ": '" + written + "' is not a path of names");
    return;
  }
  if (!check_target(check, at, *target, scope, where)) return;
  out.push_back(
      {.target = *target, .path = std::move(parts), .value = read_tree(check, value), .at = at});
}

}  // namespace

Template read_template(const Check& check, const YamlNode& scalar) {
  if (!scalar.is_scalar() || !has_template(scalar.text))
    return Template::constant(scalar_value(scalar));
  Evaluated<Template> compiled = Template::compile(scalar.text, scalar.text_at);
  if (compiled.ok()) return std::move(compiled.value());
  report(check, scalar, compiled.error());
  return {};
}

std::optional<Template> read_condition(const Check& check, const YamlNode& node,
                                       std::string_view what) {
  if (!node.is_scalar()) {
    check.error(
        node.at,
        std::string(what) + ": expected an expression, found " + std::string(describe(node)),
        "write '{{ … }}' in quotes");
    return std::nullopt;
  }
  if (node.style == YamlNode::Style::plain) {
    Value value = scalar_value(node);
    if (!value.is_string()) return Template::constant(value);
  }
  std::string_view text = trimmed(node.text);
  if (text.empty()) {
    check.error(node.at, std::string(what) + ": the expression is empty", "leave the key out");
    return std::nullopt;
  }
  Position at = node.text_at;
  std::string_view before = std::string_view(node.text).substr(0, node.text.find(text.front()));
  for (char c : before) {
    if (c == '\n')
      at.line += 1;
    else if (at.line == node.text_at.line)
      at.column += 1;
  }
  Evaluated<Template> compiled = Template::compile_expression(text, at);
  if (compiled.ok()) return std::move(compiled.value());
  report(check, node, compiled.error());
  return std::nullopt;
}

InputTree empty_map() { return {.node = InputTree::Fields{}}; }

InputTree read_tree(const Check& check, const YamlNode& node) {
  if (node.is_list()) {
    InputTree::Items items;
    items.reserve(node.items.size());
    for (const YamlNode& item : node.items) items.push_back(read_tree(check, item));
    return {.node = std::move(items)};
  }
  if (!node.is_map()) return {.node = read_template(check, node)};
  InputTree::Fields fields;
  fields.reserve(node.fields.size());
  for (const YamlField& field : node.fields)
    fields.emplace_back(field.key, read_tree(check, field.value));
  return {.node = std::move(fields)};
}

InputTree read_map(const Check& check, const YamlNode& node, std::string_view what) {
  if (node.is_map()) {
    bool fits = check_count(check, node.at, std::string(what) + ": keys", node.fields.size(),
                            limits::kInputKeysMax);
    return fits ? read_tree(check, node) : empty_map();
  }
  check.error(node.at,
              std::string(what) + ": expected a map, found " + std::string(describe(node)));
  return empty_map();
}

std::vector<SetItem> read_set(const Check& check, const YamlNode& node, SetScope scope,
                              std::string_view where) {
  std::vector<SetItem> items;
  if (!node.is_map()) {
    check.error(node.at,
                std::string(where) + ": 'set' is a map, found " + std::string(describe(node)),
                "write 'ctx.NAME: value'");
    return items;
  }
  for (const YamlField& field : node.fields) {
    std::vector<std::string> parts = split_path(field.key);
    bool nested = parts.size() == 1 && target_of(parts.front()).has_value();
    if (!nested) {
      add_item(check, field.at, std::move(parts), field.value, scope, where, items);
      continue;
    }
    if (!field.value.is_map()) {
      check.error(field.at, std::string(where) + ": '" + field.key + "' cannot be set as a whole",
                  "write '" + field.key + ".NAME: value'");
      continue;
    }
    for (const YamlField& inner : field.value.fields) {
      std::vector<std::string> path = split_path(inner.key);
      path.insert(path.begin(), field.key);
      add_item(check, inner.at, std::move(path), inner.value, scope, where, items);
    }
  }
  return items;
}

}  // namespace tidemill::playbook
