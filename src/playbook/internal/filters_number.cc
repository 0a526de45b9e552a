// Filters of numbers.
#include <charconv>
#include <cmath>
#include <limits>

#include "playbook/internal/arithmetic.h"
#include "playbook/internal/filter_functions.h"

namespace tidemill::playbook::expr {

namespace {

bool filter_abs(const Call& call, Value& out) {
  if (call.subject.is_real()) {
    out = Value(std::fabs(call.subject.as_real()));
    return true;
  }
  if (!call.subject.is_integer()) return call.fail_kind("a number");
  if (call.subject.as_integer() < 0) return negate(call.e, call.at, call.subject, out);
  out = call.subject;
  return true;
}

// Powers of ten are exact up to 10^22.
double power_of_ten(int64_t exponent) {
  double power = 1.0;
  for (int64_t i = 0; i < exponent; ++i) power *= 10.0;
  return power;
}

double round_exactly(double d, int64_t digits) {
  if (digits >= 0) {
    // The decimal text is the correctly rounded one of the exact binary value.
    char buffer[400];
    const auto written = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed,
                                       static_cast<int>(digits));
    double rounded = d;
    std::from_chars(buffer, written.ptr, rounded);
    return rounded;
  }
  const double unit = power_of_ten(-digits);
  return round_exactly(d / unit, 0) * unit;
}

double round_towards(double d, int64_t digits, double (*direction)(double)) {
  const double unit = power_of_ten(digits < 0 ? -digits : digits);
  return digits < 0 ? direction(d / unit) * unit : direction(d * unit) / unit;
}

double floor_of(double d) { return std::floor(d); }
double ceil_of(double d) { return std::ceil(d); }

bool filter_round(const Call& call, Value& out) {
  int64_t digits = 0;
  std::string_view method;
  if (!call.integer(0, 0, digits) || !call.text(1, "common", method)) return false;
  if (!call.subject.is_number()) return call.fail_kind("a number");
  if (digits < -18 || digits > 18) return call.fail("'precision' must be between -18 and 18");
  if (method != "common" && method != "floor" && method != "ceil") {
    return call.fail("'method' must be common, floor or ceil");
  }
  const double d = call.subject.as_real();
  if ((call.subject.is_integer() && digits >= 0) || !std::isfinite(d)) {
    out = call.subject;
    return true;
  }
  const double rounded = method == "common"  ? round_exactly(d, digits)
                         : method == "floor" ? round_towards(d, digits, floor_of)
                                             : round_towards(d, digits, ceil_of);
  const bool whole = call.subject.is_integer() && std::fabs(rounded) < 9e18;
  out = whole ? Value(static_cast<int64_t>(rounded)) : Value(rounded);
  return true;
}

}  // namespace

std::span<const FunctionSpec> number_filters() {
  static constexpr FunctionSpec kTable[] = {
      {.name = "abs", .run = filter_abs},
      {.name = "round", .run = filter_round, .parameters = {"precision", "method"}},
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
