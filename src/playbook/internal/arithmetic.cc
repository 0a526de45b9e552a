#include "playbook/internal/arithmetic.h"

#include <cmath>
#include <limits>

namespace tidemill::playbook::expr {

namespace {

// The operands as numbers; both as int64 when neither is a double.
struct Operands {
  bool ok = false;
  bool whole = false;
  int64_t ia = 0, ib = 0;
  double da = 0, db = 0;
};

bool as_integer(const Value& v, int64_t& out) {
  if (v.is_bool()) {
    out = v.as_bool() ? 1 : 0;
    return true;
  }
  if (v.is_integer()) out = v.as_integer();
  return v.is_integer();
}

double as_double(const Value& v) {
  return v.is_bool() ? (v.as_bool() ? 1.0 : 0.0) : v.as_real();
}

Operands operands(const Value& a, const Value& b) {
  Operands n;
  const auto numeric = [](const Value& v) { return v.is_number() || v.is_bool(); };
  if (!numeric(a) || !numeric(b)) return n;
  n.ok = true;
  n.whole = as_integer(a, n.ia) && as_integer(b, n.ib);
  n.da = as_double(a);
  n.db = as_double(b);
  return n;
}

bool mismatch(Evaluation& e, Position at, std::string_view sign, const Value& a, const Value& b) {
  std::string text = "cannot compute ";
  text += kind_name(a.kind());
  text += ' ';
  text += sign;
  text += ' ';
  text += kind_name(b.kind());
  if (sign == "%" && a.is_string()) {
    text += "; texts are joined with ~";
  } else if (a.is_string() || b.is_string()) {
    text += sign == "+" ? "; join texts with ~, or convert with | int"
                        : "; convert with | int or | float";
  }
  return e.fail(at, std::move(text));
}

bool overflow(Evaluation& e, Position at) {
  return e.fail(at,
                "the result does not fit into 64 bits; convert with | float where that is meant");
}

bool by_zero(Evaluation& e, Position at) {
  return e.fail(at, "division by zero");
}

bool repeat(Evaluation& e, Position at, const Value& what, int64_t times, Value& out) {
  const auto n = static_cast<uint64_t>(times < 0 ? 0 : times);
  const size_t size = what.is_string() ? what.as_string().size() : what.as_list().size();
  size_t total = 0;
  if (__builtin_mul_overflow(size, n, &total)) total = std::numeric_limits<size_t>::max();
  if (what.is_string()) {
    if (!e.spend_text(total, at)) return false;
    std::string text;
    text.reserve(total);
    for (uint64_t i = 0; i < n && size > 0; ++i) text += what.as_string();
    out = Value(std::move(text));
    return true;
  }
  if (!e.spend_items(total, at)) return false;
  List list;
  list.reserve(total);
  for (uint64_t i = 0; i < n && size > 0; ++i) {
    list.insert(list.end(), what.as_list().begin(), what.as_list().end());
  }
  out = Value(std::move(list));
  return true;
}

bool concatenate(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  if (a.is_string()) {
    if (!e.spend_text(a.as_string().size() + b.as_string().size(), at)) return false;
    out = Value(a.as_string() + b.as_string());
    return true;
  }
  if (!e.spend_items(a.as_list().size() + b.as_list().size(), at)) return false;
  List list;
  list.reserve(a.as_list().size() + b.as_list().size());
  list.insert(list.end(), a.as_list().begin(), a.as_list().end());
  list.insert(list.end(), b.as_list().begin(), b.as_list().end());
  out = Value(std::move(list));
  return true;
}

// Python's remainder of doubles, which has the sign of the divisor; fmod is exact.
double real_modulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0.0 && (rest < 0.0) != (b < 0.0)) rest += b;
  return rest == 0.0 ? std::copysign(0.0, b) : rest;
}

bool integer_power(int64_t base, uint64_t exponent, int64_t& out) {
  out = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(out, base, &out)) return false;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return false;
  }
  return true;
}

double real_power(double base, uint64_t exponent) {
  double out = 1.0;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) out *= base;
    base *= base;
  }
  return out;
}

// The exponent as a whole number.
bool whole_exponent(const Value& v, int64_t& out) {
  if (as_integer(v, out)) return true;
  const double d = v.as_real();
  if (!(d > -1e15 && d < 1e15)) return false;
  out = static_cast<int64_t>(d);
  return static_cast<double>(out) == d;
}

}  // namespace

bool add(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  if ((a.is_string() && b.is_string()) || (a.is_list() && b.is_list())) {
    return concatenate(e, at, a, b, out);
  }
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "+", a, b);
  int64_t sum = 0;
  if (n.whole && __builtin_add_overflow(n.ia, n.ib, &sum)) return overflow(e, at);
  out = n.whole ? Value(sum) : Value(n.da + n.db);
  return true;
}

bool subtract(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "-", a, b);
  int64_t difference = 0;
  if (n.whole && __builtin_sub_overflow(n.ia, n.ib, &difference)) return overflow(e, at);
  out = n.whole ? Value(difference) : Value(n.da - n.db);
  return true;
}

bool multiply(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  if ((a.is_string() || a.is_list()) && b.is_integer()) {
    return repeat(e, at, a, b.as_integer(), out);
  }
  if (a.is_integer() && (b.is_string() || b.is_list())) {
    return repeat(e, at, b, a.as_integer(), out);
  }
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "*", a, b);
  int64_t product = 0;
  if (n.whole && __builtin_mul_overflow(n.ia, n.ib, &product)) return overflow(e, at);
  out = n.whole ? Value(product) : Value(n.da * n.db);
  return true;
}

bool divide(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "/", a, b);
  if (n.db == 0.0) return by_zero(e, at);
  out = Value(n.da / n.db);
  return true;
}

bool floor_divide(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "//", a, b);
  if (n.db == 0.0) return by_zero(e, at);
  if (!n.whole) {
    const double quotient = (n.da - real_modulo(n.da, n.db)) / n.db;
    double floored = std::floor(quotient);
    if (quotient - floored > 0.5) floored += 1.0;  // the division before was rounded down
    out = Value(floored);
    return true;
  }
  if (n.ia == std::numeric_limits<int64_t>::min() && n.ib == -1) return overflow(e, at);
  int64_t quotient = n.ia / n.ib;
  if (n.ia % n.ib != 0 && (n.ia < 0) != (n.ib < 0)) --quotient;
  out = Value(quotient);
  return true;
}

bool modulo(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "%", a, b);
  if (n.db == 0.0) return by_zero(e, at);
  if (!n.whole) {
    out = Value(real_modulo(n.da, n.db));
    return true;
  }
  int64_t rest = n.ib == -1 ? 0 : n.ia % n.ib;  // the smallest int64 % -1 would trap
  if (rest != 0 && (rest < 0) != (n.ib < 0)) rest += n.ib;
  out = Value(rest);
  return true;
}

bool power(Evaluation& e, Position at, const Value& a, const Value& b, Value& out) {
  const Operands n = operands(a, b);
  if (!n.ok) return mismatch(e, at, "**", a, b);
  int64_t exponent = 0;
  if (!whole_exponent(b, exponent)) return e.fail(at, "the exponent of ** must be a whole number");
  const uint64_t size =
      exponent < 0 ? ~static_cast<uint64_t>(exponent) + 1 : static_cast<uint64_t>(exponent);
  if (n.whole && exponent >= 0) {
    int64_t result = 0;
    if (!integer_power(n.ia, size, result)) return overflow(e, at);
    out = Value(result);
    return true;
  }
  if (exponent < 0 && n.da == 0.0) return by_zero(e, at);
  const double result = real_power(n.da, size);
  out = Value(exponent < 0 ? 1.0 / result : result);
  return true;
}

bool negate(Evaluation& e, Position at, const Value& a, Value& out) {
  if (a.is_real()) {
    out = Value(-a.as_real());
    return true;
  }
  int64_t i = 0;
  if (!as_integer(a, i)) {
    return e.fail(at, "cannot negate a " + std::string(kind_name(a.kind())));
  }
  if (i == std::numeric_limits<int64_t>::min()) return overflow(e, at);
  out = Value(-i);
  return true;
}

}  // namespace tidemill::playbook::expr
