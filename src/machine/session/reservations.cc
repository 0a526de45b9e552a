// After a restart: work of earlier hand-outs is kept for a grace of one lease time for workers
// outside the process, who may still be running it. Inside the process nobody is left: their
// attempts are lost.
#include "machine/internal/backlog.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

using End = AttemptRecord::End;

Ending lost_ending(const State& s) {
  Ending ending;
  ending.error = {.kind = "lost", .message = "the server ended while this attempt ran"};
  ending.trace.reported = s.turn.now.wall;
  return ending;
}

void lose_task(State& s, LiveTask& task) {
  if (task.record.cancel_requested) {
    withdraw(s, task);
    finish_task(s, task, Outcome::cancelled, lost_ending(s));
    return;
  }
  record_attempt(s, task, End::lost, lost_ending(s));
}

// The index is free again and stays so, unless it was to be cancelled.
void lose_index(State& s, LiveArray& array, uint64_t index) {
  const IndexOverride* own = peek_override(array, index);
  if (array.states.get(index) != Outcome::open) return;
  if (array.record.cancel_requested || (own != nullptr && own->cancel_requested)) {
    take_back(array, index);
    finish_index(s, array, index, Outcome::cancelled, lost_ending(s));
    return;
  }
  record_attempt(s, array, index, End::lost, lost_ending(s));
  touch(s, array, index);
}

// Work that is ready and free, held by somebody under an epoch that was never recorded.
void adopt_unrecorded(State& s, Session& session, const LeasedWork& held) {
  const WorkRef& work = held.work;
  if (work.task) {
    LiveTask* task = fetch_task(s, work.task);
    if (task == nullptr || task->leased() || !task->offered) return;
    if (!may_have(session, task->record.work.queue)) return;
    withdraw(s, *task);
    grant_task(s, session, *task, held.epoch);
    return;
  }
  LiveArray* array = find_array(s, work.array);
  if (array == nullptr || work.count == 0 || work.count > array->record.count) return;
  if (work.first > array->record.count - work.count) return;
  if (!may_have(session, array->record.work.queue)) return;
  const uint64_t end = work.first + work.count;
  for (uint64_t i = work.first; i < end; ++i) {
    if (!is_free(*array, i)) return;
  }
  for (uint64_t i = work.first; i < end; ++i) take_index(s, *array, i);
  grant_range(s, session, *array, {work.first, work.count}, held.epoch);
  reoffer(s, *array);
}

// The queue of work that is kept for who had it; it is live.
const std::string& queue_name_of(State& s, const WorkRef& work) {
  return work.task ? find_task(s, work.task)->record.work.queue
                   : find_array(s, work.array)->record.work.queue;
}

}  // namespace

void present(State& s, Session& session, const LeasedWork& held) {
  if (!held.epoch || held.epoch.incarnation >= s.options.incarnation) return;
  if (session.leases.contains(held.epoch)) return;
  // The epoch says which work it is; what else is said of it may be wrong.
  const auto reserved = s.sessions.reserved.find(held.epoch);
  if (reserved == s.sessions.reserved.end()) {
    adopt_unrecorded(s, session, held);
  } else if (may_have(session, queue_name_of(s, reserved->second.leased.work))) {
    take_over(s, session, held.epoch);
  }
}

void end_reservations(State& s) {
  s.sessions.reserved_until = SteadyTime::never();
  while (!s.sessions.reserved.empty()) {
    const LeasedWork leased = s.sessions.reserved.begin()->second.leased;
    if (leased.work.task) {
      LiveTask& task = *find_task(s, leased.work.task);
      record_end(s, drop_task(s, task).leased);
      if (!task.record.cancel_requested) offer(s, task);
      lose_task(s, task);
    } else {
      LiveArray& array = *find_array(s, leased.work.array);
      for (const IndexRange& range : open_ranges(array, leased)) {
        record_end(s, {WorkRef::of(array.record.id, range.first, range.count), leased.epoch});
        for (uint64_t i = range.first; i < range.end(); ++i) drop_index(s, array, i);
        put_back(s, array, range);
        for (uint64_t i = range.first; i < range.end(); ++i) lose_index(s, array, i);
      }
      s.turn.full_arrays.push_back(array.record.id);
    }
    settle(s);
  }
}

void record_lost(State& s) {
  const std::vector<LeasedWork> lost = std::move(s.sessions.lost);
  s.sessions.lost.clear();
  for (const LeasedWork& leased : lost) {
    record_end(s, leased);
    if (leased.work.task) {
      if (LiveTask* task = find_task(s, leased.work.task)) lose_task(s, *task);
    } else if (LiveArray* array = find_array(s, leased.work.array)) {
      const uint64_t end = leased.work.first + leased.work.count;
      for (uint64_t i = leased.work.first; i < end; ++i) lose_index(s, *array, i);
      s.turn.full_arrays.push_back(array->record.id);
    }
    settle(s);
  }
}

}  // namespace tidemill::machine
