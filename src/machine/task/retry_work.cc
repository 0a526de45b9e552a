// RetryWork: a person's retry opens the next round of a finished task or index. While its barrier
// is open the item counts as open again; once that has fired it stays fired, and the reply says so.
#include "machine/execution/hooks.h"
#include "machine/internal/backlog.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

namespace {

using Why = Refused::Why;

// Whether the work's end will still be counted where its first end was.
bool was_counted_for_good(const State& s, const WorkSpec& work) {
  if (work.barrier && !barrier_is_open(s, work.barrier)) return true;
  return work.step && !execution::counts_in_step(s, work.step);
}

void retry_task(State& s, Tag tag, TaskId id) {
  const std::string name = "task " + std::to_string(id.raw);
  if (is_live(s, id)) {
    refuse(s, tag, Why::wrong_state, name + " has not ended; cancel it first, or wait for it");
    return;
  }
  const HistoryRecord* row = finished_task(s, id);
  if (row == nullptr) {
    refuse(s, tag, Why::not_found, name + " does not exist (any more)");
    return;
  }
  if (row->task.work.step && !execution::counts_in_step(s, row->task.work.step)) {
    // Its outcome would be lost, and nothing would wait for the next.
    refuse(s, tag, Why::wrong_state,
           name + " belongs to a step that has ended; steps are tried again from their execution: "
                  "`tidemill run PLAYBOOK --resume " +
               std::to_string(row->task.work.step.execution.raw) + "` when it has failed");
    return;
  }
  const Outcome before = row->outcome;
  TaskRecord record = row->task;
  const WallTime now = s.turn.now.wall;
  ++record.round;
  record.attempts = 0;
  record.crashes = 0;
  ++record.starts;  // the attempt that ended the round before
  record.cancel_requested = false;
  record.state = TaskRecord::State::ready;
  record.run_at = now;
  record.ready_at = now;
  if (record.deadline <= now) record.deadline = WallTime::never();
  record.after.clear();
  record.child = nullptr;
  record.last_error = {};

  const WorkSpec& work = record.work;
  const Retried reply{.round = record.round, .barrier_had_fired = was_counted_for_good(s, work)};
  uncount_in_barrier(s, work.barrier, before, 1);
  const StepRef step = work.step;
  emit(s, ReopenTask{record});
  adopt_task(s, std::move(record));
  if (step) execution::work_reopened(s, step);
  answer(s, tag, reply);
}

void retry_index(State& s, Tag tag, const WorkRef& work) {
  const std::string name =
      "index " + std::to_string(work.first) + " of array " + std::to_string(work.array.raw);
  LiveArray* array = find_array(s, work.array);
  if (array == nullptr) {
    refuse(s, tag, Why::wrong_state,
           name + ": the array has ended as a whole, or never was; retry its execution, or spawn "
                  "what failed anew");
    return;
  }
  if (work.first >= array->record.count || work.count != 1) {
    refuse(s, tag, Why::invalid, name + ": name one index below " +
                                     std::to_string(array->record.count));
    return;
  }
  const Outcome before = array->states.get(work.first);
  if (before == Outcome::open || array->record.cancel_requested) {
    refuse(s, tag, Why::wrong_state,
           name + (before == Outcome::open ? " has not ended; wait for it"
                                           : ": its array is being cancelled"));
    return;
  }
  const WorkSpec& spec = array->record.work;
  const Retried reply{.round = 0, .barrier_had_fired = was_counted_for_good(s, spec)};
  reopen_index(s, *array, work.first);
  answer(s, tag, Retried{peek_override(*array, work.first)->round, reply.barrier_had_fired});
}

}  // namespace

void decide(State& s, Tag tag, const RetryWork& command) {
  if (command.work.task) {
    retry_task(s, tag, command.work.task);
  } else {
    retry_index(s, tag, command.work);
  }
}

}  // namespace tidemill::machine
