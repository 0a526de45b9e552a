// CancelWork: waiting work is cancelled at once; of leased work the worker is asked, and its limits
// stay taken until the worker answers or the lease ends, unless the cancel is urgent.
#include <algorithm>

#include "machine/internal/backlog.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

using Urgency = CancelWork::Urgency;

std::string name_of(const WorkRef& work) {
  if (work.task) return "task " + std::to_string(work.task.raw);
  return "index " + std::to_string(work.first) + " of array " + std::to_string(work.array.raw);
}

Ending cancel_ending(const State& s, const TaskError& cause) {
  Ending ending;
  ending.error = cause;
  ending.trace.reported = s.turn.now.wall;
  return ending;
}

CancelResult cancel_task(State& s, LiveTask& task, Urgency urgency, const TaskError& cause) {
  if (task.leased() && urgency == Urgency::ask) {
    if (!task.record.cancel_requested) {
      task.record.cancel_requested = true;
      touch(s, task);
      tell_cancel(s, task.holder, {WorkRef::of(task.record.id), task.epoch});
    }
    return CancelResult::asked;
  }
  if (task.leased()) {
    tell_cancel(s, task.holder, {WorkRef::of(task.record.id), task.epoch});
    drop_task(s, task);
  }
  finish_task(s, task, Outcome::cancelled, cancel_ending(s, cause));
  return CancelResult::at_once;
}

CancelResult cancel_index(State& s, LiveArray& array, uint64_t index, Urgency urgency,
                          const TaskError& cause) {
  if (array.states.get(index) != Outcome::open) return CancelResult::not_live;
  if (const Holding* held = holding_of(array, index)) {
    const LeasedWork leased{WorkRef::of(array.record.id, index), held->epoch};
    IndexOverride& own = override_of(array, index).record;
    if (!own.cancel_requested) tell_cancel(s, held->session, leased);
    if (urgency == Urgency::ask) {
      own.cancel_requested = true;
      touch(s, array, index);
      return CancelResult::asked;
    }
    drop_index(s, array, index);
  } else if (is_free(array, index) && index < array.next) {
    const bool was_there = take_back(array, index);
    TIDEMILL_ASSERT(was_there);
  }
  finish_index(s, array, index, Outcome::cancelled, cancel_ending(s, cause));
  return CancelResult::at_once;
}

// What has not started will not; what runs is asked to stop, or stops.
CancelResult cancel_array(State& s, LiveArray& array, Urgency urgency) {
  if (!array.record.cancel_requested) {
    array.record.cancel_requested = true;
    touch(s, array);
  }
  reoffer(s, array);
  std::vector<IndexRange> held;
  for (const auto& [first, holding] : array.holdings) {
    tell_cancel(s, holding.session,
                {WorkRef::of(array.record.id, first, holding.count), holding.epoch});
    held.push_back({first, holding.count});
  }
  s.turn.full_arrays.push_back(array.record.id);
  if (held.empty()) return CancelResult::at_once;
  if (urgency == Urgency::ask) return CancelResult::asked;
  for (const IndexRange& range : held) {
    for (uint64_t i = range.first; i < range.end(); ++i) drop_index(s, array, i);
    put_back(s, array, range);
  }
  return CancelResult::at_once;
}

}  // namespace

CancelResult cancel_work(State& s, const WorkRef& work, Urgency urgency, TaskError cause) {
  if (work.task) {
    LiveTask* task = fetch_task(s, work.task);
    return task == nullptr ? CancelResult::not_live : cancel_task(s, *task, urgency, cause);
  }
  LiveArray* array = find_array(s, work.array);
  if (array == nullptr || work.first >= array->record.count) return CancelResult::not_live;
  if (work.first == 0 && work.count >= array->record.count) {
    return cancel_array(s, *array, urgency);
  }
  const uint64_t end = work.first + std::min(work.count, array->record.count - work.first);
  CancelResult result = CancelResult::not_live;
  for (uint64_t index = work.first; index < end; ++index) {
    result = std::max(result, cancel_index(s, *array, index, urgency, cause));
  }
  reoffer(s, *array);
  return result;
}

void decide(State& s, Tag tag, const CancelWork& command) {
  const TaskError cause{.kind = "cancelled", .message = "cancelled on request", .retryable = false};
  const CancelResult result = cancel_work(s, command.work, command.urgency, cause);
  if (result == CancelResult::not_live) {
    refuse(s, tag, Refused::Why::not_found,
           name_of(command.work) +
               " does not exist, or has ended and cannot be cancelled any more");
    return;
  }
  settle(s);
  answer(s, tag, Cancelled{result == CancelResult::at_once});
}

}  // namespace tidemill::machine
