#include "machine/execution/flow.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace execution {

namespace {

void cancel_entries(State& s, LiveExecution& e) {
  for (auto i = e.waiting.next(0); i; i = e.waiting.next(*i + 1)) {
    set_state(s, e, *e.steps[*i], StepRecord::State::cancelled);
  }
  for (const auto& step : e.steps) {
    if (!step || step->record.again == StepRecord::Again::none) continue;
    step->record.again = StepRecord::Again::none;
    touch(s, e, *step);
  }
  e.again_forward = e.again_back = StepSet(e.steps.size());
}

void cancel_step(State& s, const StepRecord& step, const TaskError& cause) {
  const bool loop = step.state == StepRecord::State::running && static_cast<bool>(step.array);
  WorkRef work = WorkRef::of(step.task);
  if (loop) {
    const auto found = s.arrays.find(step.array);
    if (found == s.arrays.end()) return;  // its end is on its way
    work = WorkRef::of(step.array, 0, found->second.record.count);
  }
  if (!work.task && !work.array) return;  // it has ended in this turn
  cancel_work(s, work, CancelWork::Urgency::ask, cause);
}

}  // namespace

// What waits is cancelled at once; what runs is asked to stop, and the execution is over when it
// has.
void cancel(State& s, LiveExecution& e, TaskError cause) {
  if (e.record.cancel_requested) return;
  e.record.cancel_requested = true;
  if (e.record.state == ExecutionRecord::State::running) e.record.error = cause;
  touch(s, e);
  cancel_entries(s, e);
  for (auto i = e.working.next(0); i; i = e.working.next(*i + 1)) {
    const StepRecord step = e.steps[*i]->record;
    cancel_step(s, step, cause);
  }
  unsettle(s, e);
}

}  // namespace execution

void decide(State& s, Tag tag, const CancelExecution& command) {
  LiveExecution* e = execution::find(s, command.execution);
  const std::string id = std::to_string(command.execution.raw);
  if (!e) {
    return refuse(s, tag, Refused::Why::not_found,
                  "execution " + id + " is not running");
  }
  execution::cancel(s, *e,
                    {.kind = "cancelled", .message = "cancelled by a person", .retryable = false});
  const bool at_once = e->working.empty() || e->ended.size() == e->working.size();
  answer(s, tag, Cancelled{.at_once = at_once});
}

}  // namespace tidemill::machine
