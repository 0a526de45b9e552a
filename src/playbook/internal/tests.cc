// The tests of `is`, which also serve select, reject, selectattr and rejectattr.
#include <cmath>

#include "playbook/internal/functions.h"
#include "playbook/internal/operators.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

template <bool (*Predicate)(const Value&)>
bool simple(const Call& call, Value& out) {
  out = Value(Predicate(call.subject));
  return true;
}

bool is_defined(const Value& v) {
  return !v.is_undefined();
}
bool is_undefined(const Value& v) {
  return v.is_undefined();
}
bool is_none(const Value& v) {
  return v.is_null();
}
bool is_string(const Value& v) {
  return v.is_string();
}
bool is_number(const Value& v) {
  return v.is_number();
}
bool is_mapping(const Value& v) {
  return v.is_map();
}
bool is_list(const Value& v) {
  return v.is_list();
}
bool is_collection(const Value& v) {
  return v.is_list() || v.is_string() || v.is_map();
}
bool is_boolean(const Value& v) {
  return v.is_bool();
}
bool is_integer(const Value& v) {
  return v.is_integer();
}
bool is_float(const Value& v) {
  return v.is_real();
}
bool is_true(const Value& v) {
  return v.is_bool() && v.as_bool();
}
bool is_false(const Value& v) {
  return v.is_bool() && !v.as_bool();
}
bool is_lower(const Value& v) {
  return v.is_string() && to_lower(v.as_string()) == v.as_string();
}
bool is_upper(const Value& v) {
  return v.is_string() && to_upper(v.as_string()) == v.as_string();
}

bool remainder_is(const Call& call, const Value& divisor, int64_t wanted, Value& out) {
  Value rest;
  if (!call.subject.is_number()) return call.fail_kind("a number");
  if (!modulo(call.e, call.at, call.subject, divisor, rest)) return false;
  out = Value(equal(rest, Value(wanted)));
  return true;
}

bool is_even(const Call& call, Value& out) {
  return remainder_is(call, Value(2), 0, out);
}
bool is_odd(const Call& call, Value& out) {
  return remainder_is(call, Value(2), 1, out);
}
bool is_divisible_by(const Call& call, Value& out) {
  return remainder_is(call, call.arg(0), 0, out);
}

template <Comparison Op>
bool compares(const Call& call, Value& out) {
  bool result = false;
  if (!compare(call.e, call.at, Op, call.subject, call.arg(0), result)) return false;
  out = Value(result);
  return true;
}

bool is_in(const Call& call, Value& out) {
  bool result = false;
  if (!contains(call.e, call.at, call.arg(0), call.subject, result)) return false;
  out = Value(result);
  return true;
}

constexpr FunctionSpec plain(std::string_view name, Function run) {
  return {.name = name,
          .run = run,
          .role = FunctionSpec::Role::test,
          .undefined = FunctionSpec::Undefined::passes};
}

constexpr FunctionSpec with_argument(std::string_view name, Function run, std::string_view what) {
  FunctionSpec spec = plain(name, run);
  spec.parameters = {what};
  spec.required = 1;
  return spec;
}

}  // namespace

std::span<const FunctionSpec> tests() {
  using C = Comparison;
  static constexpr FunctionSpec kTable[] = {
      plain("defined", simple<is_defined>),
      plain("undefined", simple<is_undefined>),
      plain("none", simple<is_none>),
      plain("null", simple<is_none>),
      plain("string", simple<is_string>),
      plain("number", simple<is_number>),
      plain("mapping", simple<is_mapping>),
      plain("sequence", simple<is_collection>),
      plain("iterable", simple<is_collection>),
      plain("list", simple<is_list>),
      plain("boolean", simple<is_boolean>),
      plain("integer", simple<is_integer>),
      plain("float", simple<is_float>),
      plain("true", simple<is_true>),
      plain("false", simple<is_false>),
      plain("lower", simple<is_lower>),
      plain("upper", simple<is_upper>),
      plain("even", is_even),
      plain("odd", is_odd),
      with_argument("divisibleby", is_divisible_by, "num"),
      with_argument("eq", compares<C::equal>, "other"),
      with_argument("equalto", compares<C::equal>, "other"),
      with_argument("==", compares<C::equal>, "other"),
      with_argument("ne", compares<C::not_equal>, "other"),
      with_argument("!=", compares<C::not_equal>, "other"),
      with_argument("lt", compares<C::less>, "other"),
      with_argument("lessthan", compares<C::less>, "other"),
      with_argument("<", compares<C::less>, "other"),
      with_argument("le", compares<C::less_equal>, "other"),
      with_argument("<=", compares<C::less_equal>, "other"),
      with_argument("gt", compares<C::greater>, "other"),
      with_argument("greaterthan", compares<C::greater>, "other"),
      with_argument(">", compares<C::greater>, "other"),
      with_argument("ge", compares<C::greater_equal>, "other"),
      with_argument(">=", compares<C::greater_equal>, "other"),
      with_argument("in", is_in, "seq"),
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
