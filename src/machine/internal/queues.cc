#include "machine/internal/queues.h"

#include <algorithm>
#include <limits>

#include "machine/internal/backlog.h"

namespace tidemill::machine {

namespace {

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

OrderKey order_key(const QueueConfig& config, int32_t priority, WallTime ready, uint64_t id) {
  if (config.ageing.ns == 0) return {.major = priority, .ready = ready.ns, .id = id};
  int64_t later = 0;
  if (__builtin_mul_overflow(static_cast<int64_t>(priority), config.ageing.ns, &later)) {
    later = priority < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return {.major = 0, .ready = saturating_add(ready.ns, later), .id = id};
}

bool takes_turns(const QueueConfig& config) {
  return config.order == Order::fair && config.ageing.ns == 0;
}

bool at_limit(const QueueConfig& config, const KeyState& key) {
  return key.leased >= config.key_concurrency;
}

// The first task of each (lane, unit) of a key enters or leaves the index with the limit.
void show(Queue& queue, const KeyState& key) {
  for (const auto& [where, tasks] : key.waiting) {
    queue.ready.insert(where.first, where.second, *tasks.begin());
  }
}

void hide(Queue& queue, const KeyState& key) {
  for (const auto& [where, tasks] : key.waiting) {
    const bool was_there = queue.ready.remove(where.first, where.second, *tasks.begin());
    TIDEMILL_ASSERT(was_there);
  }
}

void forget_if_unused(Queue& queue, const std::string& name) {
  const auto found = queue.keys.find(name);
  if (found == queue.keys.end()) return;
  if (found->second.leased == 0 && found->second.waiting.empty()) queue.keys.erase(found);
}

void offer_keyed(Queue& queue, const std::string& name, const ReadyIndex::Entry& place) {
  KeyState& key = queue.keys[name];
  std::set<OrderKey>& tasks = key.waiting[{place.lane, place.unit}];
  const bool first = tasks.empty() || place.key < *tasks.begin();
  if (first && !at_limit(queue.config, key)) {
    if (!tasks.empty()) queue.ready.remove(place.lane, place.unit, *tasks.begin());
    queue.ready.insert(place.lane, place.unit, place.key);
  }
  tasks.insert(place.key);
}

void withdraw_keyed(Queue& queue, const std::string& name, const ReadyIndex::Entry& place) {
  const auto found_key = queue.keys.find(name);
  if (found_key == queue.keys.end()) return;
  KeyState& key = found_key->second;
  const auto found = key.waiting.find({place.lane, place.unit});
  if (found == key.waiting.end()) return;
  std::set<OrderKey>& tasks = found->second;
  const bool was_first = *tasks.begin() == place.key;
  if (tasks.erase(place.key) == 0) return;
  if (was_first && !at_limit(queue.config, key)) {
    queue.ready.remove(place.lane, place.unit, place.key);
    if (!tasks.empty()) queue.ready.insert(place.lane, place.unit, *tasks.begin());
  }
  if (tasks.empty()) key.waiting.erase(found);
  forget_if_unused(queue, name);
}

}  // namespace

QueueNumber queue_number(State& s, const std::string& name) {
  if (const auto found = s.queues.by_name.find(name); found != s.queues.by_name.end()) {
    return found->second;
  }
  const auto number = static_cast<QueueNumber>(s.queues.all.size());
  s.queues.all.emplace_back().config.name = name;
  s.queues.by_name.emplace(name, number);
  return number;
}

uint32_t kind_number(State& s, const std::string& name) {
  if (const auto found = s.queues.kinds.find(name); found != s.queues.kinds.end()) {
    return found->second;
  }
  const auto number = static_cast<uint32_t>(s.queues.kind_names.size());
  s.queues.kind_names.push_back(name);
  s.queues.kind_means.emplace_back();
  s.queues.kinds.emplace(name, number);
  return number;
}

Queue& queue_of(State& s, QueueNumber number) {
  TIDEMILL_ASSERT(number < s.queues.all.size());
  return s.queues.all[number];
}

const Queue& queue_of(const State& s, QueueNumber number) {
  TIDEMILL_ASSERT(number < s.queues.all.size());
  return s.queues.all[number];
}

bool has_limited_key(const State& s, const LiveTask& task) {
  return !task.record.concurrency_key.empty() &&
         queue_of(s, task.queue).config.key_concurrency > 0;
}

ReadyIndex::Entry place_of(const State& s, const LiveTask& task) {
  const QueueConfig& config = queue_of(s, task.queue).config;
  const WorkSpec& work = task.record.work;
  const OrderKey key =
      order_key(config, work.priority, task.record.ready_at, task.record.id.raw);
  UnitId unit{.major = key.major};
  if (takes_turns(config) && work.step.execution) {
    unit.kind = UnitId::Kind::execution;
    unit.id = work.step.execution.raw;
  }
  return {.lane = lane_of(task.kind, work.needs_slot), .unit = unit, .key = key};
}

ReadyIndex::Entry place_of(const State& s, const LiveArray& array) {
  const QueueConfig& config = queue_of(s, array.queue).config;
  const WorkSpec& work = array.record.work;
  const OrderKey key =
      order_key(config, work.priority, array.record.ready_at, array.record.id.raw);
  UnitId unit{.major = key.major};
  if (takes_turns(config)) {
    unit.kind = UnitId::Kind::array;
    unit.id = array.record.id.raw;
  }
  return {.lane = lane_of(array.kind, work.needs_slot), .unit = unit, .key = key};
}

ReadyIndex::Entry gap_at(const State& s, QueueNumber queue, uint32_t kind, int32_t priority,
                         WallTime ready, TaskId id) {
  OrderKey key = order_key(queue_of(s, queue).config, priority, ready, id.raw);
  key.what = OrderKey::What::gap;
  return {.lane = lane_of(kind, false), .unit = {.major = key.major}, .key = key};
}

void offer(State& s, LiveTask& task) {
  TIDEMILL_ASSERT(task.record.state == TaskRecord::State::ready);
  TIDEMILL_ASSERT(!task.leased() && !task.offered);
  Queue& queue = queue_of(s, task.queue);
  const ReadyIndex::Entry place = place_of(s, task);
  if (has_limited_key(s, task)) {
    offer_keyed(queue, task.record.concurrency_key, place);
  } else {
    queue.ready.insert(place.lane, place.unit, place.key);
  }
  task.offered = true;
  s.turn.something_ready = true;
  entered_window(s, task);
}

void withdraw(State& s, LiveTask& task) {
  if (!task.offered) return;
  task.offered = false;
  Queue& queue = queue_of(s, task.queue);
  const ReadyIndex::Entry place = place_of(s, task);
  if (has_limited_key(s, task)) {
    withdraw_keyed(queue, task.record.concurrency_key, place);
  } else {
    queue.ready.remove(place.lane, place.unit, place.key);
  }
  left_window(s, task);
}

uint64_t takeable(const LiveArray& array) {
  if (array.record.cancel_requested) return 0;
  const uint64_t fresh = array.fresh();
  if (array.record.max_in_flight == 0) return array.again_count + fresh;
  const uint64_t limit = array.record.max_in_flight;
  const uint64_t busy = array.leased + array.waiting;
  if (busy >= limit) return 0;
  // What began and has not ended holds its place in the loop, also between two attempts.
  const uint64_t begun = busy + array.again_count;
  const uint64_t may_begin = begun >= limit ? 0 : std::min(fresh, limit - begun);
  return std::min(limit - busy, array.again_count + may_begin);
}

void reoffer(State& s, LiveArray& array) {
  const bool wanted = takeable(array) > 0;
  if (wanted) s.turn.something_ready = true;
  if (wanted == array.offered) return;
  Queue& queue = queue_of(s, array.queue);
  const ReadyIndex::Entry place = place_of(s, array);
  if (wanted) {
    queue.ready.insert(place.lane, place.unit, place.key);
  } else {
    const bool was_there = queue.ready.remove(place.lane, place.unit, place.key);
    TIDEMILL_ASSERT(was_there);
  }
  array.offered = wanted;
}

uint64_t room_in(const Queue& queue) {
  if (queue.config.paused) return 0;
  if (queue.config.concurrency == 0) return std::numeric_limits<uint64_t>::max();
  return queue.leased >= queue.config.concurrency ? 0 : queue.config.concurrency - queue.leased;
}

void count_lease(State& s, QueueNumber number, uint64_t count) {
  queue_of(s, number).leased += count;
}

void uncount_lease(State& s, QueueNumber number, uint64_t count) {
  Queue& queue = queue_of(s, number);
  TIDEMILL_ASSERT(queue.leased >= count);
  queue.leased -= count;
  if (queue.config.concurrency > 0) s.turn.something_ready = true;
}

void hold_key(State& s, const LiveTask& task) {
  if (!has_limited_key(s, task)) return;
  Queue& queue = queue_of(s, task.queue);
  KeyState& key = queue.keys[task.record.concurrency_key];
  const bool before = at_limit(queue.config, key);
  ++key.leased;
  if (!before && at_limit(queue.config, key)) hide(queue, key);
}

void free_key(State& s, const LiveTask& task) {
  if (!has_limited_key(s, task)) return;
  Queue& queue = queue_of(s, task.queue);
  KeyState& key = queue.keys[task.record.concurrency_key];
  TIDEMILL_ASSERT(key.leased > 0);
  const bool before = at_limit(queue.config, key);
  --key.leased;
  if (before && !at_limit(queue.config, key)) {
    show(queue, key);
    s.turn.something_ready = true;
  }
  forget_if_unused(queue, task.record.concurrency_key);
}

void rebuild(State& s, QueueNumber number) {
  Queue& queue = queue_of(s, number);
  queue.ready.clear();
  queue.keys.clear();
  // The order in which tasks are met here leaves no trace: they land in sorted sets.
  for (auto& [id, task] : s.tasks.all) {
    if (task.queue == number && task.leased()) hold_key(s, task);
  }
  for (auto& [id, task] : s.tasks.all) {
    const bool ready = task.record.state == TaskRecord::State::ready && !task.leased();
    if (task.queue != number || !ready) continue;
    if (task.offered) left_window(s, task);
    task.offered = false;
    offer(s, task);
  }
  rebuild_gaps(s, number);
  for (auto& [id, array] : s.arrays) {
    if (array.queue != number) continue;
    array.offered = false;
    reoffer(s, array);
  }
}

}  // namespace tidemill::machine
