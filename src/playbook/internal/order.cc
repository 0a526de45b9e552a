#include "playbook/internal/order.h"

#include <algorithm>
#include <cmath>

#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

bool is_numeric(const Value& v) {
  return v.is_number() || v.is_bool();
}

int64_t integer_of(const Value& v) {
  return v.is_bool() ? (v.as_bool() ? 1 : 0) : v.as_integer();
}

std::partial_ordering compare_integer_real(int64_t i, double d) {
  if (std::isnan(d)) return std::partial_ordering::unordered;
  // Every int64 lies in [-2^63, 2^63); inside it truncation is exact.
  constexpr double kTwo63 = 9223372036854775808.0;
  if (d >= kTwo63) return std::partial_ordering::less;
  if (d < -kTwo63) return std::partial_ordering::greater;
  const auto whole = static_cast<int64_t>(d);
  if (i != whole) return i <=> whole;
  const double rest = d - static_cast<double>(whole);
  return 0.0 <=> rest;
}

bool equal_lists(const List& a, const List& b, int64_t& steps) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!equal_counted(a[i], b[i], steps)) return false;
  }
  return true;
}

bool equal_maps(const Map& a, const Map& b, int64_t& steps) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    const Value* other = b.find(key);
    if (other == nullptr || !equal_counted(value, *other, steps)) return false;
  }
  return true;
}

int rank(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::undefined:
    case Value::Kind::null:
      return 0;
    case Value::Kind::boolean:
    case Value::Kind::integer:
    case Value::Kind::real:
      return 1;
    case Value::Kind::string:
      return 2;
    case Value::Kind::list:
      return 3;
    case Value::Kind::map:
      return 4;
  }
  return 0;
}

bool is_nan(const Value& v) {
  return v.is_real() && std::isnan(v.as_real());
}

std::weak_ordering order_numbers(const Value& a, const Value& b) {
  const std::partial_ordering order = compare_numbers(a, b);
  if (order == std::partial_ordering::less) return std::weak_ordering::less;
  if (order == std::partial_ordering::greater) return std::weak_ordering::greater;
  if (order == std::partial_ordering::equivalent) return std::weak_ordering::equivalent;
  return (is_nan(a) ? 1 : 0) <=> (is_nan(b) ? 1 : 0);
}

std::weak_ordering order_lists(const List& a, const List& b, Case text_case, int64_t& steps) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const std::weak_ordering order = total_order(a[i], b[i], text_case, steps);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

std::vector<const Map::Entry*> sorted_entries(const Map& map) {
  std::vector<const Map::Entry*> entries;
  entries.reserve(map.size());
  for (const Map::Entry& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Map::Entry* x, const Map::Entry* y) { return x->first < y->first; });
  return entries;
}

std::weak_ordering order_maps(const Map& a, const Map& b, Case text_case, int64_t& steps) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  const auto left = sorted_entries(a);
  const auto right = sorted_entries(b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (const int order = left[i]->first.compare(right[i]->first); order != 0) return order <=> 0;
    const std::weak_ordering order =
        total_order(left[i]->second, right[i]->second, text_case, steps);
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (!a.is_real() && !b.is_real()) return integer_of(a) <=> integer_of(b);
  if (a.is_real() && b.is_real()) return a.as_real() <=> b.as_real();
  if (b.is_real()) return compare_integer_real(integer_of(a), b.as_real());
  return 0 <=> compare_integer_real(integer_of(b), a.as_real());
}

bool equal_counted(const Value& a, const Value& b, int64_t& steps) {
  ++steps;
  if (is_numeric(a) && is_numeric(b)) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::string:
      steps += static_cast<int64_t>(a.as_string().size() / kBytesPerStep);
      return a.as_string() == b.as_string();
    case Value::Kind::list:
      return &a.as_list() == &b.as_list() || equal_lists(a.as_list(), b.as_list(), steps);
    case Value::Kind::map:
      return &a.as_map() == &b.as_map() || equal_maps(a.as_map(), b.as_map(), steps);
    default:
      return true;  // undefined, null
  }
}

std::weak_ordering total_order(const Value& a, const Value& b, Case text_case, int64_t& steps) {
  ++steps;
  if (rank(a) != rank(b)) return rank(a) <=> rank(b);
  switch (rank(a)) {
    case 1:
      return order_numbers(a, b);
    case 2:
      steps += static_cast<int64_t>(std::min(a.as_string().size(), b.as_string().size()) /
                                    kBytesPerStep);
      return (text_case == Case::ignored ? compare_ignoring_case(a.as_string(), b.as_string())
                                         : a.as_string().compare(b.as_string())) <=> 0;
    case 3:
      return order_lists(a.as_list(), b.as_list(), text_case, steps);
    case 4:
      return order_maps(a.as_map(), b.as_map(), text_case, steps);
    default:
      return std::weak_ordering::equivalent;
  }
}

}  // namespace tidemill::playbook::expr
