#include "machine/execution/hooks.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

uint64_t& counter(BarrierRecord& barrier, Outcome outcome) {
  TIDEMILL_ASSERT(outcome != Outcome::open);
  if (outcome == Outcome::done) return barrier.done;
  return outcome == Outcome::failed ? barrier.failed : barrier.cancelled;
}

void look_whether_full(State& s, const BarrierRecord& barrier) {
  if (barrier.sealed && barrier.open() == 0) s.turn.full_barriers.push_back(barrier.id);
}

}  // namespace

BarrierId open_barrier(State& s, uint64_t expected, TaskId fires_task, StepRef fires_step) {
  const BarrierId id{take_id(s)};
  LiveBarrier& barrier = s.barriers[id];
  barrier.record.id = id;
  barrier.record.expected = expected;
  barrier.record.fires_task = fires_task;
  barrier.record.fires_step = fires_step;
  touch(s, barrier);
  look_whether_full(s, barrier.record);
  return id;
}

bool barrier_is_open(const State& s, BarrierId id) { return s.barriers.contains(id); }

void join_barrier(State& s, BarrierId id, uint64_t count) {
  if (!id) return;
  const auto found = s.barriers.find(id);
  TIDEMILL_ASSERT(found != s.barriers.end());
  BarrierRecord& barrier = found->second.record;
  barrier.joined += count;
  if (!barrier.sealed) barrier.expected += count;
  TIDEMILL_ASSERT(barrier.joined <= barrier.expected);
  touch(s, found->second);
}

void count_in_barrier(State& s, BarrierId id, Outcome outcome, uint64_t count) {
  if (!id || count == 0) return;
  const auto found = s.barriers.find(id);
  if (found == s.barriers.end()) return;  // it had fired before this round was opened
  BarrierRecord& barrier = found->second.record;
  counter(barrier, outcome) += count;
  TIDEMILL_ASSERT(barrier.done + barrier.failed + barrier.cancelled <= barrier.expected);
  touch(s, found->second);
  look_whether_full(s, barrier);
}

void uncount_in_barrier(State& s, BarrierId id, Outcome outcome, uint64_t count) {
  if (!id || count == 0) return;
  const auto found = s.barriers.find(id);
  if (found == s.barriers.end()) return;
  uint64_t& counted = counter(found->second.record, outcome);
  TIDEMILL_ASSERT(counted >= count);
  counted -= count;
  touch(s, found->second);
}

}  // namespace tidemill::machine
