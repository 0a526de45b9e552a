#include "machine/internal/recovery.h"

#include <algorithm>

#include "machine/internal/backlog.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

namespace {

// An array's place in the world from its outcomes and overrides: indexes up to the highest one that
// was ever touched are to be handed out again unless they ended or wait.
void rebuild_array(State& s, LiveArray& array) {
  TIDEMILL_ASSERT(array.holdings.empty() && array.again.empty());
  const uint64_t overridden =
      array.overrides.empty() ? 0 : array.overrides.rbegin()->first + 1;
  array.next = std::max({array.states.ended_below(), overridden, array.next});
  for (uint64_t i = array.states.next_open(0, array.next); i < array.next;
       i = array.states.next_open(i + 1, array.next)) {
    if (is_free(array, i)) put_back(s, array, {i, 1});
  }
  for (const auto& [index, own] : array.overrides) {
    if (array.states.get(index) == Outcome::open) continue;
    if (array.first_error.kind.empty()) {
      array.first_error = own.record.last_error;
      array.first_failed = index;
    }
  }
  std::sort(array.items.begin(), array.items.end(),
            [](const ItemChunk& a, const ItemChunk& b) { return a.first < b.first; });
}

// Indexes of a lost or reserved lease lie below `next`, so that they are found again.
void raise_next(State& s, const LeasedWork& leased) {
  LiveArray* array = find_array(s, leased.work.array);
  if (array == nullptr) return;
  const uint64_t end = leased.work.first + leased.work.count;
  array->next = std::min(array->record.count, std::max(array->next, end));
}

// The part of a hand-out that is still open is kept for its holder, or is lost with it.
void keep_or_lose(State& s, const LeasedWork& leased, bool in_process) {
  if (leased.work.task) {
    LiveTask* task = find_task(s, leased.work.task);
    if (task == nullptr || task->leased() || task->record.state != TaskRecord::State::ready) return;
    if (in_process) {
      s.sessions.lost.push_back(leased);
    } else {
      withdraw(s, *task);
      reserve_task(s, *task, leased.epoch);
    }
    return;
  }
  LiveArray* array = find_array(s, leased.work.array);
  if (array == nullptr) return;
  const uint64_t end =
      std::min(array->record.count, leased.work.first + leased.work.count);
  IndexRange run{leased.work.first, 0};
  const auto close_run = [&] {
    if (run.count == 0) return;
    const LeasedWork part{WorkRef::of(array->record.id, run.first, run.count), leased.epoch};
    if (in_process) {
      s.sessions.lost.push_back(part);
    } else {
      for (uint64_t i = run.first; i < run.end(); ++i) take_index(s, *array, i);
      reserve_range(s, *array, run, leased.epoch);
    }
  };
  for (uint64_t i = leased.work.first; i < end; ++i) {
    if (is_free(*array, i)) {
      if (run.count == 0) run.first = i;
      ++run.count;
    } else {
      close_run();
      run = {};
    }
  }
  close_run();
}

}  // namespace

void restore(State& s, QueueConfig record) {
  Queue& queue = queue_of(s, queue_number(s, record.name));
  queue.config = std::move(record);
  queue.configured = true;
  rehash(s, queue.share, queue.config);
}

void restore(State& s, BarrierRecord record) {
  if (record.fires_task) s.tasks.held_by_barrier.insert(record.fires_task);
  LiveBarrier& barrier = s.barriers[record.id];
  barrier.record = std::move(record);
  rehash(s, barrier.share, barrier.record);
}

void restore(State& s, ArrayRecord record) { adopt_array(s, std::move(record)); }

void restore(State& s, ItemChunk record) {
  LiveArray* array = find_array(s, record.array);
  TIDEMILL_ASSERT(array != nullptr);
  array->items.push_back(std::move(record));
}

void restore_outcome(State& s, ArrayId id, uint64_t index, Outcome outcome) {
  LiveArray* array = find_array(s, id);
  TIDEMILL_ASSERT(array != nullptr && outcome != Outcome::open);
  array->states.set(index, outcome);
  const uint64_t share = outcome_share(id, index, outcome);
  array->outcomes_share += share;
  s.hash_sum += share;
}

void restore(State& s, IndexOverride record) {
  LiveArray* array = find_array(s, record.array);
  TIDEMILL_ASSERT(array != nullptr);
  const uint64_t index = record.index;
  LiveOverride& own = override_of(*array, index);
  own.record = std::move(record);
  rehash(s, own.share, own.record);
  if (own.record.suspended || own.record.run_at.ns != 0) ++array->waiting;
  if (!own.record.suspended && own.record.run_at.ns != 0) {
    s.timers.wall.add(own.record.run_at, {.kind = Timer::Kind::index_ready,
                                          .a = array->record.id.raw,
                                          .b = index});
  }
}

void restore(State& s, TaskRecord record) {
  if (!s.tasks.handed_out.contains(record.id) && leave_in_store(s, record)) return;
  adopt_task(s, std::move(record));
}

void restore(State& s, HandOut record) { s.sessions.restored.push_back(std::move(record)); }

void finish_restoring(State& s, Now now, uint64_t next_id) {
  s.turn.now = now;
  s.next_id = std::max(s.next_id, next_id);
  std::vector<HandOut> hand_outs = std::move(s.sessions.restored);
  s.sessions.restored.clear();
  s.tasks.handed_out.clear();
  for (const HandOut& hand_out : hand_outs) {
    for (const LeasedWork& leased : hand_out.items) raise_next(s, leased);
  }
  for (auto& [id, array] : s.arrays) rebuild_array(s, array);
  // The newest lease of a piece of work is the one that may still be held.
  for (auto hand_out = hand_outs.rbegin(); hand_out != hand_outs.rend(); ++hand_out) {
    for (const LeasedWork& leased : hand_out->items) {
      keep_or_lose(s, leased, hand_out->in_process);
    }
  }
  for (auto& [id, array] : s.arrays) {
    reoffer(s, array);
    s.turn.full_arrays.push_back(id);
  }
  for (const auto& [id, barrier] : s.barriers) {
    if (barrier.record.sealed && barrier.record.open() == 0) s.turn.full_barriers.push_back(id);
  }
  if (!s.sessions.reserved.empty()) {
    s.sessions.reserved_until = now.steady + lease_time(s);
    s.timers.steady.add(s.sessions.reserved_until, {.kind = Timer::Kind::reservations});
  }
  settle_hashes(s);
}

}  // namespace tidemill::machine
