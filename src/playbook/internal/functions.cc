#include "playbook/internal/functions.h"

#include <algorithm>

#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

std::vector<std::span<const FunctionSpec>> tables(FunctionSpec::Role role) {
  switch (role) {
    case FunctionSpec::Role::filter:
      return {text_filters(), conversion_filters(), encoding_filters(), number_filters(),
              list_filters()};
    case FunctionSpec::Role::test:
      return {tests()};
    case FunctionSpec::Role::method:
      return {methods()};
  }
  return {};
}

}  // namespace

size_t FunctionSpec::parameter_count() const {
  return static_cast<size_t>(std::count_if(parameters.begin(), parameters.end(),
                                           [](std::string_view p) { return !p.empty(); }));
}

std::string_view role_name(FunctionSpec::Role role) {
  static constexpr std::array<std::string_view, 3> kNames = {"filter", "test", "method"};
  return kNames[static_cast<size_t>(role)];
}

Failed Call::fail(const std::string& text) const {
  return e.fail(at,
                std::string(role_name(spec.role)) + " '" + std::string(spec.name) + "': " + text);
}

Failed Call::fail_kind(std::string_view expected) const {
  return fail(
      "expected " + std::string(expected) + ", not " +
      (subject.is_null() ? "null" : "a value of kind " + std::string(kind_name(subject.kind()))));
}

bool Call::integer(size_t i, int64_t absent, int64_t& out) const {
  out = absent;
  if (!has(i)) return true;
  if (!arg(i).is_integer()) {
    return fail("'" + std::string(spec.parameters[i]) + "' must be an integer");
  }
  out = arg(i).as_integer();
  return true;
}

bool Call::flag(size_t i) const { return has(i) && truthy(arg(i)); }

bool Call::text(size_t i, std::string_view absent, std::string_view& out) const {
  out = absent;
  if (!has(i)) return true;
  if (!arg(i).is_string()) {
    return fail("'" + std::string(spec.parameters[i]) + "' must be a string");
  }
  out = arg(i).as_string();
  return true;
}

bool Call::subject_text(std::string& storage, std::string_view& out) const {
  if (subject.is_list() || subject.is_map()) return fail_kind("a string");
  if (subject.is_string()) {
    out = subject.as_string();
  } else {
    storage = render_text(subject);
    out = storage;
  }
  return e.spend_text(out.size(), at);
}

const FunctionSpec* find_function(FunctionSpec::Role role, std::string_view name) {
  for (const std::span<const FunctionSpec> table : tables(role)) {
    for (const FunctionSpec& spec : table) {
      if (spec.name == name) return &spec;
    }
  }
  return nullptr;
}

std::vector<std::string> function_names(FunctionSpec::Role role) {
  std::vector<std::string> names;
  for (const std::span<const FunctionSpec> table : tables(role)) {
    for (const FunctionSpec& spec : table) {
      if (is_word_start(spec.name.front())) names.emplace_back(spec.name);
    }
  }
  return names;
}

bool items_of(Evaluation& e, Position at, std::string_view what, const Value& container,
              List& out) {
  out.clear();
  if (container.is_list()) {
    out = container.as_list();
  } else if (container.is_map()) {
    for (const auto& entry : container.as_map()) out.emplace_back(entry.first);
  } else if (container.is_string()) {
    const std::string_view text = container.as_string();
    if (!e.spend_items(text.size(), at)) return false;
    for (size_t i = 0; i < text.size();) {
      const size_t bytes = std::max<size_t>(utf8_sequence(text, i), 1);
      out.emplace_back(text.substr(i, bytes));
      i += bytes;
    }
  } else {
    return e.fail(at, std::string(what) + ": expected a list, not " +
                          (container.is_null()
                               ? "null"
                               : "a value of kind " + std::string(kind_name(container.kind()))));
  }
  return e.spend_items(out.size(), at);
}

}  // namespace tidemill::playbook::expr
