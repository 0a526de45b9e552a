// Filters that convert: numbers, text, truth, JSON, defaults.
#include <cmath>

#include "playbook/internal/filter_functions.h"
#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"
#include "playbook/json.h"

namespace tidemill::playbook::expr {

namespace {

bool real_to_integer(const Call& call, double d, Value& out) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (!(d >= -kTwo63 && d < kTwo63)) return call.fail("the number does not fit into 64 bits");
  out = Value(static_cast<int64_t>(d));
  return true;
}

bool text_to_integer(const Call& call, std::string_view text, const Value& absent, Value& out) {
  int64_t base = 10;
  if (!call.integer(1, 10, base)) return false;
  if (base < 2 || base > 36) return call.fail("'base' must be between 2 and 36");
  int64_t integer = 0;
  const IntegerText read = parse_integer(text, static_cast<int>(base), integer);
  if (read == IntegerText::overflow) return call.fail(quoted(text) + " does not fit into 64 bits");
  if (read == IntegerText::ok) {
    out = Value(integer);
    return true;
  }
  double real = 0;
  if (base == 10 && parse_real(text, real) && std::isfinite(real)) {
    return real_to_integer(call, real, out);
  }
  out = absent;
  return true;
}

bool filter_int(const Call& call, Value& out) {
  const Value absent = call.has(0) ? call.arg(0) : Value(0);
  switch (call.subject.kind()) {
    case Value::Kind::boolean:
      out = Value(call.subject.as_bool() ? 1 : 0);
      return true;
    case Value::Kind::integer:
      out = call.subject;
      return true;
    case Value::Kind::real:
      return real_to_integer(call, call.subject.as_real(), out);
    case Value::Kind::string:
      return text_to_integer(call, trim(call.subject.as_string()), absent, out);
    default:
      out = absent;
      return true;
  }
}

bool filter_float(const Call& call, Value& out) {
  out = call.has(0) ? call.arg(0) : Value(0.0);
  if (call.subject.is_number()) {
    out = Value(call.subject.as_real());
  } else if (call.subject.is_bool()) {
    out = Value(call.subject.as_bool() ? 1.0 : 0.0);
  } else if (call.subject.is_string()) {
    double real = 0;
    if (parse_real(trim(call.subject.as_string()), real)) out = Value(real);
  }
  return true;
}

bool filter_string(const Call& call, Value& out) {
  out = call.subject.is_string() ? call.subject : Value(render_text(call.subject));
  return call.e.spend_text(out.as_string().size(), call.at);
}

bool filter_bool(const Call& call, Value& out) {
  out = Value(arc_true(call.subject));
  return true;
}

bool filter_default(const Call& call, Value& out) {
  const bool use = call.subject.is_undefined() || (call.flag(1) && !truthy(call.subject));
  out = !use ? call.subject : (call.has(0) ? call.arg(0) : Value(""));
  return true;
}

bool filter_tojson(const Call& call, Value& out) {
  const bool pretty = call.flag(0);
  out = Value(pretty ? to_json_pretty(call.subject) : to_json(call.subject));
  return call.e.spend_text(out.as_string().size(), call.at);
}

bool filter_fromjson(const Call& call, Value& out) {
  if (!call.subject.is_string()) return call.fail_kind("a string");
  const std::string& text = call.subject.as_string();
  if (!call.e.spend_text(text.size() * 8, call.at)) return false;
  Result<Value> value = parse_json(text);
  if (!value.ok()) return call.fail(value.error().what);
  out = std::move(value).value();
  return true;
}

// Marks text as harmless elsewhere; here no text is escaped, so it changes nothing.
bool filter_safe(const Call& call, Value& out) {
  out = call.subject;
  return true;
}

}  // namespace

std::span<const FunctionSpec> conversion_filters() {
  using Undefined = FunctionSpec::Undefined;
  static constexpr FunctionSpec kTable[] = {
      {.name = "int", .run = filter_int, .parameters = {"default", "base"}},
      {.name = "float", .run = filter_float, .parameters = {"default"}},
      {.name = "string", .run = filter_string},
      {.name = "bool", .run = filter_bool},
      {.name = "default",
       .run = filter_default,
       .parameters = {"default_value", "boolean"},
       .undefined = Undefined::passes},
      {.name = "d",
       .run = filter_default,
       .parameters = {"default_value", "boolean"},
       .undefined = Undefined::passes},
      {.name = "tojson", .run = filter_tojson, .parameters = {"indent"}},
      {.name = "fromjson", .run = filter_fromjson},
      {.name = "safe", .run = filter_safe},
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
