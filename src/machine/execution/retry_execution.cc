// A person's retry of a failed execution: everything done stays, the steps that failed are entered
// anew, and what waited when it stopped waits again.
#include "machine/execution/flow.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"

namespace tidemill::machine {

namespace {

std::optional<Refused> why_not(const State& s, ExecutionId id, const ExecutionRecord* record) {
  const std::string name = "execution " + std::to_string(id.raw);
  if (execution::find(s, id)) {
    return Refused{Refused::Why::wrong_state,
                   name + " is still running; wait for its end or cancel it"};
  }
  if (!record) {
    return Refused{Refused::Why::not_found, "there is no " + name};
  }
  if (record->state != ExecutionRecord::State::failed) {
    const bool done = record->state == ExecutionRecord::State::done;
    return Refused{Refused::Why::wrong_state,
                   name + (done ? " is done; there is nothing to retry"
                                : " was cancelled; start the playbook again")};
  }
  if (record->parent.task || record->parent.array) {
    return Refused{Refused::Why::wrong_state,
                   name + " is the child of another one; retry that one instead"};
  }
  return std::nullopt;
}

void enter_failed_steps(State& s, LiveExecution& e) {
  for (const auto& step : e.steps) {
    if (!step || step->record.superseded) continue;
    StepRecord& record = step->record;
    TIDEMILL_ASSERT(!execution::is_working(record.state));
    if (record.state == StepRecord::State::failed && !record.caught) {
      execution::enter(s, e, record.ref.step, execution::Entry::forward);
    }
  }
}

}  // namespace

void decide(State& s, Tag tag, const RetryExecution& command) {
  const ExecutionRecord* record = s.turn.rows->finished_execution(command.execution);
  const std::vector<StepRecord>* steps = s.turn.rows->finished_steps(command.execution);
  if (auto refused = why_not(s, command.execution, record)) {
    return refuse(s, tag, refused->why, std::move(refused->text));
  }
  const playbook::PlanPtr plan = s.turn.rows->plan(record->plan);
  if (!plan || !steps) {
    return refuse(s, tag, Refused::Why::not_found,
                  "the playbook text or the steps of execution " +
                      std::to_string(command.execution.raw) + " are gone; start it again");
  }
  LiveExecution& e = execution::revive(s, *record, *steps, plan);
  e.record.state = ExecutionRecord::State::running;
  e.record.error = {};
  e.record.finished_at = {};
  execution::touch(s, e);
  enter_failed_steps(s, e);
  execution::unsettle(s, e);
  answer(s, tag, ExecutionStarted{e.record.id});
}

}  // namespace tidemill::machine
