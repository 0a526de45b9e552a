// Filters of lists and maps. Those that apply another filter or a test to each item are nodes of
// their own (items_node.h).
#include <algorithm>
#include <bit>
#include <numeric>

#include "playbook/internal/access.h"
#include "playbook/internal/arithmetic.h"
#include "playbook/internal/filter_functions.h"
#include "playbook/internal/order.h"

namespace tidemill::playbook::expr {

namespace {

enum class Direction : uint8_t { up, down };

// Where the list of a filter's result holds what each item is ordered by.
struct Keyed {
  List items;
  List keys;
  Case text_case = Case::ignored;

  // Arguments: `attribute` and `case_sensitive` at the given positions.
  bool read(const Call& call, size_t attribute_at, size_t case_at) {
    std::string_view attribute;
    if (!items_of(call.e, call.at, "filter '" + std::string(call.spec.name) + "'", call.subject,
                  items) ||
        !call.text(attribute_at, "", attribute)) {
      return false;
    }
    text_case = call.flag(case_at) ? Case::sensitive : Case::ignored;
    if (attribute.empty()) {
      keys = items;
      return true;
    }
    keys.reserve(items.size());
    for (const Value& item : items) {
      const Value* key = value_at(item, attribute);
      keys.push_back(key == nullptr ? Value() : *key);
    }
    return true;
  }

  // Sorts positions by key, stably. Sorting costs n log n steps.
  bool order(const Call& call, std::vector<size_t>& positions, Direction direction) const {
    positions.resize(items.size());
    std::iota(positions.begin(), positions.end(), size_t{0});
    const auto rounds = static_cast<int64_t>(std::bit_width(items.size()));
    if (!call.e.spend(static_cast<int64_t>(items.size()) * rounds / 4, call.at)) return false;
    int64_t steps = 0;
    std::stable_sort(positions.begin(), positions.end(), [&](size_t a, size_t b) {
      return direction == Direction::down ? total_order(keys[b], keys[a], text_case, steps) < 0
                                          : total_order(keys[a], keys[b], text_case, steps) < 0;
    });
    return call.e.spend(steps / 4, call.at);
  }
};

bool filter_sort(const Call& call, Value& out) {
  Keyed keyed;
  std::vector<size_t> positions;
  const Direction direction = call.flag(0) ? Direction::down : Direction::up;
  if (!keyed.read(call, 2, 1) || !keyed.order(call, positions, direction)) {
    return false;
  }
  List sorted;
  sorted.reserve(positions.size());
  for (const size_t at : positions) sorted.push_back(keyed.items[at]);
  out = Value(std::move(sorted));
  return true;
}

bool filter_unique(const Call& call, Value& out) {
  Keyed keyed;
  std::vector<size_t> positions;
  if (!keyed.read(call, 1, 0) || !keyed.order(call, positions, Direction::up)) return false;
  std::vector<size_t> firsts;
  int64_t steps = 0;
  for (size_t i = 0; i < positions.size(); ++i) {
    const bool same = i > 0 && total_order(keyed.keys[positions[i - 1]], keyed.keys[positions[i]],
                                           keyed.text_case, steps) == 0;
    if (!same) firsts.push_back(positions[i]);
  }
  std::sort(firsts.begin(), firsts.end());
  List items;
  for (const size_t at : firsts) items.push_back(keyed.items[at]);
  out = Value(std::move(items));
  return call.e.spend(steps / 4, call.at);
}

enum class Extreme : uint8_t { smallest, largest };

bool extreme(const Call& call, Extreme which, Value& out) {
  Keyed keyed;
  if (!keyed.read(call, 1, 0)) return false;
  int64_t steps = 0;
  size_t best = 0;
  for (size_t i = 1; i < keyed.items.size(); ++i) {
    const auto order = total_order(keyed.keys[i], keyed.keys[best], keyed.text_case, steps);
    if (which == Extreme::smallest ? order < 0 : order > 0) best = i;
  }
  out = keyed.items.empty() ? Value() : keyed.items[best];
  return call.e.spend(steps, call.at);
}

bool filter_min(const Call& call, Value& out) { return extreme(call, Extreme::smallest, out); }
bool filter_max(const Call& call, Value& out) { return extreme(call, Extreme::largest, out); }

bool filter_sum(const Call& call, Value& out) {
  List items;
  std::string_view attribute;
  if (!items_of(call.e, call.at, "filter 'sum'", call.subject, items) ||
      !call.text(0, "", attribute)) {
    return false;
  }
  out = call.has(1) ? call.arg(1) : Value(0);
  for (const Value& item : items) {
    const Value* v = attribute.empty() ? &item : value_at(item, attribute);
    if (v == nullptr) return call.fail(missing_key("", item, attribute));
    if (v->is_string() || v->is_list())
      return call.fail("an item is no number; convert with map('int')");
    Value sum;
    if (!add(call.e, call.at, out, *v, sum)) return false;
    out = std::move(sum);
  }
  return true;
}

bool at_end(const Call& call, int64_t index, Value& out) {
  Value storage;
  if (call.subject.is_map()) {
    const Map& map = call.subject.as_map();
    out = map.empty() ? Value() : Value(index == 0 ? map.begin()->first : (map.end() - 1)->first);
    return true;
  }
  if (!call.subject.is_list() && !call.subject.is_string()) return call.fail_kind("a list");
  const Value* found = item_at(call.subject, Value(index), storage);
  out = found == nullptr ? Value() : Value(*found);
  return true;
}

bool filter_first(const Call& call, Value& out) { return at_end(call, 0, out); }
bool filter_last(const Call& call, Value& out) { return at_end(call, -1, out); }

bool filter_list(const Call& call, Value& out) {
  if (call.subject.is_list()) {
    out = call.subject;
    return true;
  }
  List items;
  if (!items_of(call.e, call.at, "filter 'list'", call.subject, items)) return false;
  out = Value(std::move(items));
  return true;
}

bool filter_batch(const Call& call, Value& out) {
  List items;
  int64_t size = 0;
  if (!items_of(call.e, call.at, "filter 'batch'", call.subject, items) ||
      !call.integer(0, 0, size)) {
    return false;
  }
  if (size < 1) return call.fail("'linecount' must be at least 1");
  List batches;
  List batch;
  for (Value& item : items) {
    batch.push_back(std::move(item));
    if (static_cast<int64_t>(batch.size()) == size) batches.emplace_back(std::exchange(batch, {}));
  }
  if (call.has(1) && !batch.empty()) {
    if (!call.e.spend_items(static_cast<size_t>(size), call.at)) return false;
    batch.resize(static_cast<size_t>(size), call.arg(1));
  }
  if (!batch.empty()) batches.emplace_back(std::move(batch));
  out = Value(std::move(batches));
  return call.e.check_depth(out, call.at);
}

}  // namespace

bool filter_get(const Call& call, Value& out) {
  if (!call.subject.is_map() && !call.subject.is_list()) return call.fail_kind("a map or a list");
  Value storage;
  const Value* found = item_at(call.subject, call.arg(0), storage);
  out = found != nullptr ? *found : (call.has(1) ? call.arg(1) : Value::null());
  return true;
}

bool filter_keys(const Call& call, Value& out) {
  if (!call.subject.is_map()) return call.fail_kind("a map");
  List keys;
  for (const auto& entry : call.subject.as_map()) keys.emplace_back(entry.first);
  out = Value(std::move(keys));
  return call.e.spend_items(call.subject.as_map().size(), call.at);
}

bool filter_values(const Call& call, Value& out) {
  if (!call.subject.is_map()) return call.fail_kind("a map");
  List values;
  for (const auto& entry : call.subject.as_map()) values.push_back(entry.second);
  out = Value(std::move(values));
  return call.e.spend_items(call.subject.as_map().size(), call.at);
}

bool filter_items(const Call& call, Value& out) {
  if (!call.subject.is_map()) return call.fail_kind("a map");
  List items;
  for (const auto& [key, value] : call.subject.as_map()) {
    items.emplace_back(List{Value(key), value});
  }
  out = Value(std::move(items));
  return call.e.spend_items(call.subject.as_map().size() * 2, call.at) &&
         call.e.check_depth(out, call.at);
}

std::span<const FunctionSpec> list_filters() {
  static constexpr FunctionSpec kTable[] = {
      {.name = "first", .run = filter_first},
      {.name = "last", .run = filter_last},
      {.name = "list", .run = filter_list},
      {.name = "keys", .run = filter_keys},
      {.name = "values", .run = filter_values},
      {.name = "items", .run = filter_items},
      {.name = "get", .run = filter_get, .parameters = {"key", "default"}, .required = 1},
      {.name = "sort",
       .run = filter_sort,
       .parameters = {"reverse", "case_sensitive", "attribute"}},
      {.name = "unique", .run = filter_unique, .parameters = {"case_sensitive", "attribute"}},
      {.name = "min", .run = filter_min, .parameters = {"case_sensitive", "attribute"}},
      {.name = "max", .run = filter_max, .parameters = {"case_sensitive", "attribute"}},
      {.name = "sum", .run = filter_sum, .parameters = {"attribute", "start"}},
      {.name = "batch",
       .run = filter_batch,
       .parameters = {"linecount", "fill_with"},
       .required = 1},
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
