// The part of ExpressionParser that reads calls: filters, tests, methods and their arguments.
#include <algorithm>

#include "playbook/internal/expression_parser.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

std::string known_names(FunctionSpec::Role role, std::string_view name) {
  std::vector<std::string> names = function_names(role);
  if (role == FunctionSpec::Role::filter) {
    names.insert(names.end(), {"map", "select", "reject", "selectattr", "rejectattr"});
  }
  const std::string near = nearest(name, names);
  if (!near.empty()) return "; did you mean '" + near + "'?";
  std::sort(names.begin(), names.end());
  std::string all = "; there are ";
  for (size_t i = 0; i < names.size(); ++i) all += (i == 0 ? "" : ", ") + names[i];
  return all;
}

bool changes_its_receiver(std::string_view method) {
  static constexpr std::array<std::string_view, 10> kChanging = {
      "append", "extend", "insert",     "remove", "pop",
      "update", "clear",  "setdefault", "sort",   "add"};
  return std::find(kChanging.begin(), kChanging.end(), method) != kChanging.end();
}

std::string callee(const FunctionSpec& spec) {
  return std::string(role_name(spec.role)) + " '" + std::string(spec.name) + "'";
}

bool items_mode(std::string_view name, ItemsNode::Mode& out) {
  if (name == "map") {
    out = ItemsNode::Mode::map;
  } else if (name == "select" || name == "selectattr") {
    out = ItemsNode::Mode::select;
  } else if (name == "reject" || name == "rejectattr") {
    out = ItemsNode::Mode::reject;
  } else {
    return false;
  }
  return true;
}

}  // namespace

const FunctionSpec* ExpressionParser::find(FunctionSpec::Role role, const Token& name) {
  const FunctionSpec* spec = find_function(role, name.text);
  if (spec == nullptr) {
    source_.fail(name.begin, "there is no " + std::string(role_name(role)) + " " +
                                 quoted(name.text) + known_names(role, name.text));
  }
  return spec;
}

NodePtr ExpressionParser::parse_method(NodePtr base, const Token& name, size_t begin) {
  if (changes_its_receiver(name.text)) {
    source_.fail(name.begin, "a value cannot be changed by " + quoted(name.text) +
                                 "; build a new one: list + [item]");
    return nullptr;
  }
  const FunctionSpec* spec = find(FunctionSpec::Role::method, name);
  Arguments given;
  ArgumentNodes arguments;
  if (spec == nullptr || !parse_arguments(given) || !bind(*spec, given, name.begin, arguments)) {
    return nullptr;
  }
  return std::make_unique<CallNode>(at(begin), *spec, std::move(base), std::move(arguments),
                                    std::string(source_.slice(begin, last_end_)));
}

NodePtr ExpressionParser::parse_filter(NodePtr subject, size_t begin) {
  lex_.take();
  if (lex_.peek().kind != Token::Kind::name) return expected("the name of a filter"), nullptr;
  const Token name = lex_.take();
  last_end_ = name.end;
  ItemsNode::Mode mode{};
  if (items_mode(name.text, mode)) return parse_items_filter(std::move(subject), name, begin);
  const FunctionSpec* spec = find(FunctionSpec::Role::filter, name);
  Arguments given;
  ArgumentNodes arguments;
  if (spec == nullptr || !parse_arguments(given) || !bind(*spec, given, name.begin, arguments)) {
    return nullptr;
  }
  return std::make_unique<CallNode>(at(begin), *spec, std::move(subject), std::move(arguments),
                                    std::string(source_.slice(begin, last_end_)));
}

NodePtr ExpressionParser::parse_items_filter(NodePtr subject, const Token& name, size_t begin) {
  Arguments given;
  if (!parse_arguments(given)) return nullptr;
  ItemsNode::Mode mode{};
  items_mode(name.text, mode);
  ItemsNode::Inner inner;
  if (!bind_inner(mode, name.text, given, name.begin, inner)) return nullptr;
  return std::make_unique<ItemsNode>(at(begin), mode, name.text, std::move(subject),
                                     std::move(inner));
}

// Removes the first positional argument, which must be a constant string.
bool ExpressionParser::take_constant_name(Arguments& given, std::string_view what, size_t offset,
                                          std::string& out) {
  const Value* constant = given.positional.empty() ? nullptr : given.positional.front()->constant();
  if (constant == nullptr || !constant->is_string()) {
    return source_.fail(offset, "expected " + std::string(what) + " as a string in quotes");
  }
  out = constant->as_string();
  given.positional.erase(given.positional.begin());
  return true;
}

bool ExpressionParser::bind_inner(ItemsNode::Mode mode, std::string_view name, Arguments& given,
                                  size_t offset, ItemsNode::Inner& inner) {
  const bool by_attribute = name.ends_with("attr");
  if (by_attribute && !take_constant_name(given, "an attribute", offset, inner.attribute))
    return false;
  if (mode == ItemsNode::Mode::map && !given.named.empty() && given.positional.empty()) {
    for (auto& [key, node] : given.named) {
      const Value* constant = node->constant();
      if (key == "attribute" && constant != nullptr && !constant->is_null()) {
        inner.attribute = render_text(*constant);
      } else if (key == "default") {
        inner.fallback = std::move(node);
      } else {
        return source_.fail(offset,
                            "map takes attribute='…' and default=…, or the name of a filter");
      }
    }
    return !inner.attribute.empty() || source_.fail(offset, "map needs attribute='…'");
  }
  if (given.positional.empty() && mode != ItemsNode::Mode::map) return true;  // by truth
  const auto role =
      mode == ItemsNode::Mode::map ? FunctionSpec::Role::filter : FunctionSpec::Role::test;
  std::string inner_name;
  if (!take_constant_name(given, "the name of a " + std::string(role_name(role)), offset,
                          inner_name)) {
    return false;
  }
  Token token;
  token.begin = offset;
  token.text = inner_name;
  inner.spec = find(role, token);
  return inner.spec != nullptr && bind(*inner.spec, given, offset, inner.arguments);
}

NodePtr ExpressionParser::parse_test(NodePtr subject, size_t begin) {
  lex_.take();
  const bool negated = lex_.take_if("not");
  if (lex_.peek().kind != Token::Kind::name) return expected("the name of a test"), nullptr;
  const Token name = lex_.take();
  const FunctionSpec* spec = find(FunctionSpec::Role::test, name);
  if (spec == nullptr) return nullptr;
  Arguments given;
  if (spec->required > 0 && !lex_.peek().is("(")) {
    given.positional.push_back(parse_postfix());
    if (given.positional.back() == nullptr) return nullptr;
  } else if (spec->required > 0 && !parse_arguments(given)) {
    return nullptr;
  }
  ArgumentNodes arguments;
  if (!bind(*spec, given, name.begin, arguments)) return nullptr;
  NodePtr test = std::make_unique<CallNode>(at(begin), *spec, std::move(subject),
                                            std::move(arguments), std::string());
  if (!negated) return test;
  return std::make_unique<NotTestNode>(at(begin), std::move(test));
}

bool ExpressionParser::parse_arguments(Arguments& out) {
  if (!lex_.take_if("(")) return true;
  while (!lex_.peek().is(")")) {
    if (lex_.peek().kind == Token::Kind::name && lex_.after().is("=")) {
      const Token name = lex_.take();
      lex_.take();
      out.named_at.push_back(name.begin);
      out.named.emplace_back(std::string(name.text), parse());
      if (out.named.back().second == nullptr) return false;
    } else {
      if (!out.named.empty()) return expected("an argument with a name (they come last)");
      out.positional.push_back(parse());
      if (out.positional.back() == nullptr) return false;
    }
    if (!lex_.take_if(",") && !lex_.peek().is(")")) return expected("',' or ')'");
  }
  return expect(")");
}

bool ExpressionParser::bind(const FunctionSpec& spec, Arguments& given, size_t offset,
                            ArgumentNodes& out) {
  const size_t most = spec.parameter_count();
  if (given.positional.size() > most) {
    return source_.fail(offset, callee(spec) + " takes " +
                                    (most == 0 ? "no arguments"
                                               : "at most " + std::to_string(most) + " arguments"));
  }
  for (size_t i = 0; i < given.positional.size(); ++i) out[i] = std::move(given.positional[i]);
  for (size_t i = 0; i < given.named.size(); ++i) {
    const std::string& name = given.named[i].first;
    const auto parameter = std::find(spec.parameters.begin(), spec.parameters.end(), name);
    if (parameter == spec.parameters.end()) {
      const std::vector<std::string> names(
          spec.parameters.begin(), spec.parameters.begin() + static_cast<std::ptrdiff_t>(most));
      const std::string near = nearest(name, names);
      return source_.fail(given.named_at[i],
                          callee(spec) + " has no argument " + quoted(name) +
                              (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    NodePtr& place = out[static_cast<size_t>(parameter - spec.parameters.begin())];
    if (place != nullptr) {
      return source_.fail(given.named_at[i], "the argument " + quoted(name) + " is given twice");
    }
    place = std::move(given.named[i].second);
  }
  for (size_t i = 0; i < spec.required; ++i) {
    if (out[i] == nullptr) {
      return source_.fail(offset,
                          callee(spec) + " needs the argument " + quoted(spec.parameters[i]));
    }
  }
  return true;
}

}  // namespace tidemill::playbook::expr
