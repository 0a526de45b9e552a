#pragma once
// Equality and order of values. `steps` counts what was looked at, so that an evaluation can pay
// for it. Pure; any thread.
#include <compare>
#include <cstdint>

#include "playbook/value.h"

namespace tidemill::playbook::expr {

bool equal_counted(const Value& a, const Value& b, int64_t& steps);

// Exact comparison of numbers and booleans (true is 1): no int64 is rounded to a double.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

enum class Case : uint8_t { sensitive, ignored };

// The total order of `sort`, `min` and `max`: undefined and null < numbers and booleans (NaN last
// of them) < strings by code point < lists item by item < maps by size, then by sorted keys and
// values.
std::weak_ordering total_order(const Value& a, const Value& b, Case text_case, int64_t& steps);

}  // namespace tidemill::playbook::expr
