#include <algorithm>

#include "machine/execution/hooks.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/retry_policy.h"

namespace tidemill::machine {

namespace {

Timer index_timer(const LiveArray& array, uint64_t index) {
  return {.kind = Timer::Kind::index_ready, .a = array.record.id.raw, .b = index};
}

// Delayed or suspended. What is neither that nor leased nor ended is to be handed out.
bool is_waiting(const LiveArray& array, uint64_t index) {
  const IndexOverride* own = peek_override(array, index);
  return own != nullptr && (own->suspended || own->run_at.ns != 0);
}

// Takes a delayed or suspended index out of its wait; it is in no table then.
void leave_wait(State& s, LiveArray& array, uint64_t index) {
  LiveOverride& own = override_of(array, index);
  TIDEMILL_ASSERT(is_waiting(array, index));
  TIDEMILL_ASSERT(array.waiting > 0);
  if (!own.record.suspended) s.timers.wall.remove(own.record.run_at, index_timer(array, index));
  own.record.suspended = false;
  own.record.waits_for = {};
  own.record.run_at = {};
  --array.waiting;
}

// How many indexes from `first` on can go out as one range: what has a record of its own goes
// alone.
uint64_t plain_from(const LiveArray& array, uint64_t first) {
  const auto own = array.overrides.lower_bound(first);
  if (own == array.overrides.end()) return array.record.count - first;
  return std::max<uint64_t>(1, own->first - first);
}

// Indexes that were never handed out. Those that ended before their turn came are passed over.
TakenRange take_fresh(LiveArray& array, uint64_t count) {
  const auto ended = [&array] {
    return array.ended_ahead > 0 && array.states.get(array.next) != Outcome::open;
  };
  for (; array.next < array.record.count && ended(); ++array.next) --array.ended_ahead;
  TakenRange taken{.range = {.first = array.next, .count = 0}, .ready_turn = array.ready_turn};
  if (array.next == array.record.count) return taken;
  count = std::min(count, plain_from(array, array.next));
  if (array.ended_ahead == 0) {
    taken.range.count = std::min(count, array.record.count - array.next);
    array.next += taken.range.count;
    return taken;
  }
  for (; array.next < array.record.count && taken.range.count < count && !ended(); ++array.next) {
    ++taken.range.count;
  }
  return taken;
}

}  // namespace

LiveArray* find_array(State& s, ArrayId id) {
  const auto found = s.arrays.find(id);
  return found == s.arrays.end() ? nullptr : &found->second;
}

LiveArray& adopt_array(State& s, ArrayRecord record) {
  const auto [found, is_new] = s.arrays.try_emplace(record.id);
  TIDEMILL_ASSERT(is_new);
  LiveArray& array = found->second;
  array.record = std::move(record);
  array.states = IndexStates(array.record.count);
  array.queue = queue_number(s, array.record.work.queue);
  array.kind = kind_number(s, array.record.work.kind);
  array.ready_turn = s.turn.number;
  rehash(s, array.share, array.record);
  return array;
}

LiveOverride& override_of(LiveArray& array, uint64_t index) {
  TIDEMILL_ASSERT(index < array.record.count);
  LiveOverride& own = array.overrides[index];
  own.record.array = array.record.id;
  own.record.index = index;
  return own;
}

const IndexOverride* peek_override(const LiveArray& array, uint64_t index) {
  const auto found = array.overrides.find(index);
  return found == array.overrides.end() ? nullptr : &found->second.record;
}

void put_back(State& s, LiveArray& array, const IndexRange& range) {
  TIDEMILL_ASSERT(range.count > 0 && range.end() <= array.next);
  array.again_count += range.count;
  uint64_t first = range.first;
  uint64_t count = range.count;
  // Neighbours that became free in the same turn go out together again.
  auto next = array.again.lower_bound(first);
  if (next != array.again.end() && next->first == range.end() &&
      next->second.ready_turn == s.turn.number) {
    count += next->second.count;
    next = array.again.erase(next);
  }
  if (next != array.again.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second.count == first &&
        before->second.ready_turn == s.turn.number) {
      before->second.count += count;
      return;
    }
  }
  array.again.emplace(first, AgainRange{count, s.turn.number});
}

TakenRange take_range(LiveArray& array, uint64_t count) {
  TIDEMILL_ASSERT(count > 0);
  if (array.again.empty()) return take_fresh(array, count);
  const auto begin = array.again.begin();
  const auto [first, range] = *begin;
  const uint64_t n = std::min({count, range.count, plain_from(array, first)});
  array.again.erase(begin);
  if (n < range.count) {
    array.again.emplace(first + n, AgainRange{range.count - n, range.ready_turn});
  }
  array.again_count -= n;
  return {.range = {first, n}, .ready_turn = range.ready_turn};
}

bool take_back(LiveArray& array, uint64_t index) {
  auto found = array.again.upper_bound(index);
  if (found == array.again.begin()) return false;
  --found;
  const auto [first, range] = *found;
  if (index >= first + range.count) return false;
  array.again.erase(found);
  if (index > first) array.again.emplace(first, AgainRange{index - first, range.ready_turn});
  const uint64_t behind = first + range.count - index - 1;
  if (behind > 0) array.again.emplace(index + 1, AgainRange{behind, range.ready_turn});
  --array.again_count;
  return true;
}

bool is_free(const LiveArray& array, uint64_t index) {
  if (index >= array.record.count || array.states.get(index) != Outcome::open) return false;
  return !is_waiting(array, index) && holding_of(array, index) == nullptr;
}

void take_index(State& s, LiveArray& array, uint64_t index) {
  TIDEMILL_ASSERT(is_free(array, index));
  if (take_back(array, index)) return;
  TIDEMILL_ASSERT(index >= array.next);
  // What was passed over on the way is to be handed out before anything fresh.
  for (; array.next < index;) {
    const uint64_t first = array.next++;
    if (array.states.get(first) == Outcome::open) {
      put_back(s, array, {first, 1});
    } else {
      --array.ended_ahead;
    }
  }
  ++array.next;
}

void suspend_index(State& s, LiveArray& array, uint64_t index, SharedBytes with,
                   ExecutionId waits_for) {
  LiveOverride& own = override_of(array, index);
  TIDEMILL_ASSERT(!own.record.suspended);
  own.record.suspended = true;
  own.record.suspended_with = std::move(with);
  own.record.waits_for = waits_for;
  own.record.child = nullptr;
  ++array.waiting;
  touch(s, array, index);
}

void wake_index(State& s, LiveArray& array, uint64_t index) {
  leave_wait(s, array, index);
  touch(s, array, index);
  put_back(s, array, {index, 1});
  reoffer(s, array);
}

void finish_index(State& s, LiveArray& array, uint64_t index, Outcome outcome, Ending ending) {
  TIDEMILL_ASSERT(outcome != Outcome::open);
  TIDEMILL_ASSERT(array.states.get(index) == Outcome::open);
  const IndexOverride* own = peek_override(array, index);
  const uint32_t attempt = own == nullptr ? 1 : own->starts + 1;
  if (is_waiting(array, index)) {
    const ExecutionId child = own->waits_for;
    leave_wait(s, array, index);
    if (child) execution::parent_gone(s, child);
  }
  if (outcome == Outcome::failed) {  // kept for who looks at it and for a person's retry
    IndexOverride& kept = override_of(array, index).record;
    kept.starts = attempt;
    kept.last_error = ending.error;
    touch(s, array, index);
  } else {
    drop_override(s, array, index);
  }
  array.states.set(index, outcome);
  if (index >= array.next) ++array.ended_ahead;
  const uint64_t share = outcome_share(array.record.id, index, outcome);
  array.outcomes_share += share;
  s.hash_sum += share;
  count_in_barrier(s, array.record.work.barrier, outcome, 1);
  if (outcome == Outcome::failed) {
    if (array.first_error.kind.empty()) {
      array.first_error = ending.error;
      array.first_failed = index;
    }
    const uint64_t failed = array.states.of(Outcome::failed);
    if (failed > array.record.max_failed && !array.record.cancel_requested) {
      array.record.cancel_requested = true;
      touch(s, array);
    }
  }
  if (outcome == Outcome::done && ending.report != nullptr && array.record.work.step) {
    execution::recorded(s, array.record.work.step, *ending.report);
  }
  ending.trace.spawned = array.record.spawned_at;
  ending.trace.ready = array.record.ready_at;
  s.turn.outcomes[array.record.id].push_back({.index = index,
                                              .attempt = attempt,
                                              .outcome = outcome,
                                              .result = std::move(ending.result),
                                              .error = std::move(ending.error),
                                              .log = std::move(ending.log),
                                              .trace = ending.trace});
  if (array.leased == 0) s.turn.full_arrays.push_back(array.record.id);
}

void record_attempt(State& s, LiveArray& array, uint64_t index, AttemptRecord::End end,
                    Ending ending) {
  LiveOverride& own = override_of(array, index);
  ending.trace.spawned = array.record.spawned_at;
  ending.trace.ready = array.record.ready_at;
  ++own.record.starts;
  emit(s, PutAttempt{{.work = WorkRef::of(array.record.id, index),
                      .number = own.record.starts,
                      .end = end,
                      .error = std::move(ending.error),
                      .log = std::move(ending.log),
                      .trace = ending.trace}});
}

void fail_index(State& s, LiveArray& array, uint64_t index, AttemptRecord::End end,
                Ending ending) {
  const RetryPolicy& policy = array.record.work.retry;
  LiveOverride& own = override_of(array, index);
  const bool crashed = end == AttemptRecord::End::crashed;
  ++(crashed ? own.record.crashes : own.record.attempts);
  const uint32_t attempts = own.record.attempts;
  if (!may_retry(policy, attempts, own.record.crashes, end, ending.error)) {
    finish_index(s, array, index, Outcome::failed, std::move(ending));
    return;
  }
  own.record.last_error = ending.error;
  record_attempt(s, array, index, end, std::move(ending));
  const uint64_t identity = mix64(array.record.id.raw) + index;
  const Duration wait =
      crashed ? Duration{} : backoff_delay(policy, attempts, s.options.seed, identity);
  if (wait.ns > 0) {
    own.record.run_at = s.turn.now.wall + wait;
    ++array.waiting;
    s.timers.wall.add(own.record.run_at, index_timer(array, index));
  } else {
    put_back(s, array, {index, 1});
  }
  touch(s, array, index);
}

void reopen_index(State& s, LiveArray& array, uint64_t index) {
  const Outcome before = array.states.get(index);
  TIDEMILL_ASSERT(before != Outcome::open);
  TIDEMILL_ASSERT(!array.record.cancel_requested);
  flush_outcomes(s, array.record.id);  // the outcome may be of this very turn
  const uint64_t share = outcome_share(array.record.id, index, before);
  array.outcomes_share -= share;
  s.hash_sum -= share;
  array.states.set(index, Outcome::open);
  emit(s, ReopenIndex{array.record.id, index});
  uncount_in_barrier(s, array.record.work.barrier, before, 1);
  IndexOverride& own = override_of(array, index).record;
  ++own.round;
  own.attempts = 0;
  own.crashes = 0;
  own.cancel_requested = false;
  own.suspended_with = nullptr;
  own.child = nullptr;
  touch(s, array, index);
  if (index >= array.next) {  // it ended before its turn came, which is still to come
    --array.ended_ahead;
  } else {
    put_back(s, array, {index, 1});
  }
  reoffer(s, array);
}

uint64_t outcome_share(ArrayId array, uint64_t index, Outcome outcome) {
  return mix64(mix64(array.raw) + index * 4 + static_cast<uint64_t>(outcome));
}

}  // namespace tidemill::machine
