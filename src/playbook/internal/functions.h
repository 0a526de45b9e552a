#pragma once
// The functions an expression can call: filters, tests and methods, each a plain function in a
// table. Filters live in filters_*.cc, one file per group. Tables are constant; any thread.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/internal/evaluation.h"

namespace tidemill::playbook::expr {

struct FunctionSpec;

// One call: what it is applied to and its arguments, by the position of their parameter.
struct Call {
  static constexpr size_t kMaxArguments = 4;

  Evaluation& e;
  Position at;
  const FunctionSpec& spec;
  const Value& subject;
  std::array<const Value*, kMaxArguments> arguments{};  // null: not given

  bool has(size_t i) const { return arguments[i] != nullptr; }
  const Value& arg(size_t i) const { return *arguments[i]; }
  // "filter 'replace': …"
  Failed fail(const std::string& text) const;
  // The subject's kind is not what the function works on.
  Failed fail_kind(std::string_view expected) const;

  // The truth of an argument; false when it is not given.
  bool flag(size_t i) const;
  // An argument of a kind, or the default when it is not given; false after failing.
  bool integer(size_t i, int64_t absent, int64_t& out) const;
  bool text(size_t i, std::string_view absent, std::string_view& out) const;
  // The subject as text: strings, numbers, booleans; null is "". False after failing.
  bool subject_text(std::string& storage, std::string_view& out) const;
};

using Function = bool (*)(const Call& call, Value& out);

struct FunctionSpec {
  enum class Role : uint8_t { filter, test, method };
  enum class Undefined : uint8_t { refused, passes };  // as the subject

  std::string_view name = {};
  Function run = nullptr;
  Role role = Role::filter;
  std::array<std::string_view, Call::kMaxArguments> parameters{};
  uint8_t required = 0;  // arguments that must be given
  Undefined undefined = Undefined::refused;
  uint8_t receivers = 0;  // methods: bits of ReceiverBit

  size_t parameter_count() const;
};

enum ReceiverBit : uint8_t { kOfString = 1, kOfList = 2, kOfMap = 4 };

std::string_view role_name(FunctionSpec::Role role);

// Null when there is none of that name.
const FunctionSpec* find_function(FunctionSpec::Role role, std::string_view name);
std::vector<std::string> function_names(FunctionSpec::Role role);

// The tables.
std::span<const FunctionSpec> text_filters();
std::span<const FunctionSpec> conversion_filters();
std::span<const FunctionSpec> encoding_filters();
std::span<const FunctionSpec> number_filters();
std::span<const FunctionSpec> list_filters();
std::span<const FunctionSpec> tests();
std::span<const FunctionSpec> methods();

// The items of a list, the keys of a map, the characters of a string. False after failing, with
// `what` in the message ("filter 'join'", "for").
bool items_of(Evaluation& e, Position at, std::string_view what, const Value& container, List& out);

}  // namespace tidemill::playbook::expr
