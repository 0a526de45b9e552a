// Consequences: what follows from work that has ended, until nothing more follows. They are queued
// and not called, so that a chain of a hundred thousand dependants needs no stack.
#include <utility>

#include "machine/execution/hooks.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

bool held_by_barrier(const State& s, const LiveTask& task) {
  return s.tasks.held_by_barrier.contains(task.record.id);
}

// A blocked task that nothing blocks any more is delayed or ready.
void unblock_if_free(State& s, LiveTask& task) {
  TIDEMILL_ASSERT(task.record.state == TaskRecord::State::blocked);
  if (!task.record.after.empty() || held_by_barrier(s, task)) return;
  if (task.record.run_at > s.turn.now.wall) {
    delay(s, task, task.record.run_at);
  } else {
    make_ready(s, task);
  }
}

void follow_ended_task(State& s, const TurnState::EndedDependency& ended) {
  const auto found = s.tasks.dependants.find(ended.task);
  if (found == s.tasks.dependants.end()) return;
  const std::vector<TaskId> dependants = std::move(found->second);
  s.tasks.dependants.erase(found);
  for (const TaskId id : dependants) {
    LiveTask* task = find_task(s, id);
    TIDEMILL_ASSERT(task != nullptr);
    std::erase(task->record.after, ended.task);
    if (ended.outcome != Outcome::done && !task->record.after_any_outcome) {
      cancel_work(s, WorkRef::of(id), CancelWork::Urgency::now,
                  dependency_error(ended.task, ended.outcome));
      continue;
    }
    touch(s, *task);
    unblock_if_free(s, *task);
  }
}

void fire_barrier(State& s, BarrierId id) {
  const auto found = s.barriers.find(id);
  if (found == s.barriers.end()) return;
  if (found->second.record.open() != 0) return;  // a retry came first
  unhash(s, found->second.share);
  BarrierRecord barrier = std::move(found->second.record);
  s.barriers.erase(found);
  TIDEMILL_ASSERT(barrier.sealed && !barrier.fired);
  barrier.fired = true;
  emit(s, DropBarrier{id});
  if (barrier.fires_task) {
    s.tasks.held_by_barrier.erase(barrier.fires_task);
    if (LiveTask* task = find_task(s, barrier.fires_task)) unblock_if_free(s, *task);
  }
  if (barrier.fires_step) execution::barrier_fired(s, barrier);
}

// What waits in an array that is being cancelled will not run again.
void cancel_waiting(State& s, LiveArray& array) {
  std::vector<uint64_t> waiting;
  for (const auto& [index, own] : array.overrides) {
    if (own.record.suspended || own.record.run_at.ns != 0) waiting.push_back(index);
  }
  for (const uint64_t index : waiting) {
    finish_index(s, array, index, Outcome::cancelled,
                 {.error = {.kind = "cancelled", .message = "the array was cancelled"}});
  }
  TIDEMILL_ASSERT(array.waiting == 0);
}

void end_array_if_through(State& s, ArrayId id) {
  const auto found = s.arrays.find(id);
  if (found == s.arrays.end()) return;
  LiveArray& array = found->second;
  reoffer(s, array);
  if (array.record.cancel_requested && array.waiting > 0) cancel_waiting(s, array);
  const uint64_t rest = array.states.of(Outcome::open);
  if (array.leased > 0 || (rest > 0 && !array.record.cancel_requested)) return;

  flush_outcomes(s, id);
  if (rest > 0) emit(s, CancelRest{id});
  const execution::ArrayEnd end{.done = array.states.of(Outcome::done),
                                .failed = array.states.of(Outcome::failed),
                                .cancelled = array.states.of(Outcome::cancelled) + rest,
                                .first_error = &array.first_error,
                                .first_failed = array.first_failed};
  TIDEMILL_ASSERT(end.done + end.failed + end.cancelled == array.record.count);
  TIDEMILL_ASSERT(!array.offered);
  emit(s, FinishArray{id, end.done, end.failed, end.cancelled, s.turn.now.wall});
  unhash(s, array.share);
  unhash(s, array.outcomes_share);
  for (auto& [index, own] : array.overrides) unhash(s, own.share);
  const LiveArray ended = std::move(array);
  s.arrays.erase(found);
  count_in_barrier(s, ended.record.work.barrier, Outcome::cancelled, rest);
  if (ended.record.work.step) {
    const execution::ArrayEnd told{end.done, end.failed, end.cancelled, &ended.first_error,
                                   end.first_failed};
    execution::array_ended(s, ended.record, told);
  }
}

template <class T>
bool take_front(std::deque<T>& from, T& out) {
  if (from.empty()) return false;
  out = std::move(from.front());
  from.pop_front();
  return true;
}

}  // namespace

void settle(State& s) {
  for (;;) {
    if (TurnState::EndedDependency ended; take_front(s.turn.ended, ended)) {
      follow_ended_task(s, ended);
    } else if (ArrayId array; take_front(s.turn.full_arrays, array)) {
      end_array_if_through(s, array);
    } else if (BarrierId barrier; take_front(s.turn.full_barriers, barrier)) {
      fire_barrier(s, barrier);
    } else {
      return;
    }
  }
}

TaskError dependency_error(TaskId dependency, Outcome outcome) {
  return {.kind = "dependency",
          .message = "task " + std::to_string(dependency.raw) + ", which it comes after, " +
                     (outcome == Outcome::failed ? "failed" : "was cancelled"),
          .retryable = false};
}

}  // namespace tidemill::machine
