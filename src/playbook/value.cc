#include "playbook/value.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/hash.h"
#include "playbook/internal/json_copy.h"
#include "playbook/internal/order.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook {

namespace {

// One level more than the deepest child.
template <class Range, class Child>
uint32_t depth_above(const Range& range, Child child) {
  uint32_t deepest = 0;
  for (const auto& item : range) deepest = std::max(deepest, child(item).depth());
  return deepest + 1;
}

const Value& item_value(const Value& v) {
  return v;
}
const Value& entry_value(const Map::Entry& e) {
  return e.second;
}

// A box whose content is that JSON until somebody looks.
template <class Box>
Box* known_box(SharedText json, uint32_t depth) {
  using Known = typename decltype(Box::known)::element_type;
  auto* box = new Box(std::make_unique<Known>(std::move(json)));
  box->depth = depth;
  return box;
}

const std::string& empty_text() {
  static const std::string empty;
  return empty;
}

}  // namespace

Value Value::undefined(std::string reference) {
  Value v;
  v.u_.box = new StringBox(std::move(reference));
  return v;
}

Value::Value(std::string s) : kind_(Kind::string) {
  u_.box = new StringBox(std::move(s));
}
Value::Value(std::string_view s) : Value(std::string(s)) {}
Value::Value(const char* s) : Value(std::string(s)) {}

Value::Value(List list) : kind_(Kind::list) {
  const uint32_t depth = depth_above(list, item_value);
  u_.box = new ListBox(std::move(list));
  u_.box->depth = depth;
}

Value::Value(Map map) : kind_(Kind::map) {
  const uint32_t depth = depth_above(map, entry_value);
  u_.box = new MapBox(std::move(map));
  u_.box->depth = depth;
}

Value Value::list_of(SharedText json, uint32_t depth) {
  Value v;
  v.u_.box = known_box<ListBox>(std::move(json), depth);
  v.kind_ = Kind::list;
  return v;
}

Value Value::map_of(SharedText json, uint32_t depth) {
  Value v;
  v.u_.box = known_box<MapBox>(std::move(json), depth);
  v.kind_ = Kind::map;
  return v;
}

Value Value::map_of(SharedText json, Map map) {
  const uint32_t depth = depth_above(map, entry_value);
  Value v = map_of(std::move(json), depth);
  static_cast<MapBox*>(v.u_.box)->known->read.store(new Map(std::move(map)),
                                                    std::memory_order_release);
  return v;
}

void Value::release_box() {
  // The last holder needs no atomic write: nobody else can see the box any more.
  if (u_.box->refs.load(std::memory_order_acquire) == 1 ||
      u_.box->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    destroy_box();
  }
}

void Value::destroy_box() {
  if (kind_ == Kind::list) {
    delete static_cast<ListBox*>(u_.box);
  } else if (kind_ == Kind::map) {
    delete static_cast<MapBox*>(u_.box);
  } else {
    delete static_cast<StringBox*>(u_.box);
  }
}

// What nobody else holds, and is about to be changed: its JSON is known no more.
template <class Content>
Content& Value::own_content() {
  auto* box = static_cast<ContentBox<Content>*>(u_.box);
  if (is_shared() || box->known != nullptr) {
    auto* own = is_shared() ? new ContentBox<Content>(box->look())
                            : new ContentBox<Content>(std::move(box->known->look()));
    release_box();
    u_.box = box = own;
  }
  box->depth = 0;
  return box->content;
}

List& Value::mutable_list() {
  TIDEMILL_ASSERT(kind_ == Kind::list);
  return own_content<List>();
}

Map& Value::mutable_map() {
  TIDEMILL_ASSERT(kind_ == Kind::map);
  return own_content<Map>();
}

template <class Content>
Content& Value::Known<Content>::read_now() {
  Value all;
  expr::read_known_json(json.text, all);
  auto own = std::make_unique<Content>(std::move(all.own_content<Content>()));
  Content* first = nullptr;
  if (!read.compare_exchange_strong(first, own.get(), std::memory_order_acq_rel)) return *first;
  return *own.release();
}

std::string_view Value::known_json() const {
  const auto text = [](const auto& box) {
    return box.known == nullptr ? std::string_view() : std::string_view(box.known->json.text);
  };
  if (kind_ == Kind::list) return text(*static_cast<const ListBox*>(u_.box));
  if (kind_ == Kind::map) return text(*static_cast<const MapBox*>(u_.box));
  return {};
}

const std::string& Value::undefined_reference() const {
  TIDEMILL_ASSERT(kind_ == Kind::undefined);
  return u_.box == nullptr ? empty_text() : static_cast<const StringBox*>(u_.box)->text;
}

Value Value::get(std::string_view key) const {
  const Value* found = find(key);
  return found == nullptr ? Value() : *found;
}

uint32_t Value::depth() const {
  if (kind_ < Kind::list) return 0;
  if (u_.box->depth != 0) return u_.box->depth;
  return kind_ == Kind::list ? depth_above(as_list(), item_value)
                             : depth_above(as_map(), entry_value);
}

void Map::set(std::string_view key, Value value) {
  const size_t at = position_of(key);
  if (at != entries_.size()) {
    entries_[at].second = std::move(value);
  } else {
    append_distinct(std::string(key), std::move(value));
  }
}

void Map::set(std::string&& key, Value value) {
  const size_t at = position_of(key);
  if (at != entries_.size()) {
    entries_[at].second = std::move(value);
  } else {
    append_distinct(std::move(key), std::move(value));
  }
}

bool Map::erase(std::string_view key) {
  const size_t at = position_of(key);
  if (at == entries_.size()) return false;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at));
  index_.clear();
  index_if_large();
  return true;
}

void Map::append_distinct(std::string key, Value value) {
  entries_.emplace_back(std::move(key), std::move(value));
  if (entries_.size() > kLinear) index_last();
}

// Keeps the table at most half full, so that probing stays short.
void Map::index_last() {
  if (entries_.size() * 2 > index_.size()) {
    index_if_large();
    return;
  }
  const size_t mask = index_.size() - 1;
  size_t slot = hash64(entries_.back().first) & mask;
  while (index_[slot] != 0) slot = (slot + 1) & mask;
  index_[slot] = static_cast<uint32_t>(entries_.size());
}

void Map::index_if_large() {
  if (entries_.size() <= kLinear) return;
  size_t slots = 64;
  while (slots < entries_.size() * 3) slots *= 2;
  index_.assign(slots, 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t slot = hash64(entries_[i].first) & (slots - 1);
    while (index_[slot] != 0) slot = (slot + 1) & (slots - 1);
    index_[slot] = static_cast<uint32_t>(i + 1);
  }
}

size_t Map::position_of(std::string_view key) const {
  if (!index_.empty()) return indexed_position_of(key);
  size_t at = 0;
  while (at < entries_.size() && entries_[at].first != key) ++at;
  return at;
}

size_t Map::indexed_position_of(std::string_view key) const {
  const size_t mask = index_.size() - 1;
  for (size_t slot = hash64(key) & mask; index_[slot] != 0; slot = (slot + 1) & mask) {
    const size_t at = index_[slot] - 1;
    if (entries_[at].first == key) return at;
  }
  return entries_.size();
}

std::string_view kind_name(Value::Kind kind) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "undefined", "null", "boolean", "integer", "float", "string", "list", "map"};
  return kNames[static_cast<size_t>(kind)];
}

bool equal(const Value& a, const Value& b) {
  int64_t steps = 0;
  return expr::equal_counted(a, b, steps);
}

bool truthy(const Value& v) {
  switch (v.kind()) {
    case Value::Kind::undefined:
    case Value::Kind::null:
      return false;
    case Value::Kind::boolean:
      return v.as_bool();
    case Value::Kind::integer:
      return v.as_integer() != 0;
    case Value::Kind::real:
      return v.as_real() != 0.0;
    case Value::Kind::string:
      return !v.as_string().empty();
    case Value::Kind::list:
      return !v.as_list().empty();
    case Value::Kind::map:
      return !v.as_map().empty();
  }
  return false;
}

bool arc_true(const Value& v) {
  if (!v.is_string()) return truthy(v);
  static constexpr std::array<std::string_view, 7> kFalse = {"",     "false", "0",  "no",
                                                             "none", "null",  "off"};
  // Text that templates leave around the word does not count.
  std::string_view text = v.as_string();
  while (!text.empty() && expr::is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && expr::is_space(text.back())) text.remove_suffix(1);
  return std::none_of(kFalse.begin(), kFalse.end(),
                      [&](std::string_view word) { return expr::equal_ignoring_case(word, text); });
}

}  // namespace tidemill::playbook
