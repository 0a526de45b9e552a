// An execution is over when nothing of it runs and nothing can start: never because some last step
// was seen.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

// spec.final_step runs when everything else is done, unless it was reached by an arc.
bool start_final_step(State& s, LiveExecution& e) {
  const auto final_step = e.plan().final_step;
  if (!final_step || !e.record.wants_final || e.steps[final_step->raw]) return false;
  if (e.record.state != ExecutionRecord::State::running || e.record.cancel_requested) return false;
  enter(s, e, final_step->raw, Entry::forward);
  unsettle(s, e);
  return true;
}

ResultRef result_of(const LiveExecution& e) {
  std::optional<playbook::StepIndex> step = e.plan().final_step;
  if (!e.record.return_step.empty()) step = e.plan().find_step(e.record.return_step);
  if (!step || !e.steps[step->raw]) return {};
  return e.steps[step->raw]->record.result;
}

// A person must be able to look at the child: its parent's error names it.
TaskError child_error(const ExecutionRecord& child) {
  TaskError error = child.error;
  const std::string file = child.file.empty() ? "" : " (" + child.file + ")";
  error.message = "child execution " + std::to_string(child.id.raw) + file + ": " + error.message;
  return error;
}

void tell_parent(State& s, const LiveExecution& e) {
  if (!e.parent) return;
  auto result = std::make_shared<ChildResult>();
  result->failed = e.record.state != ExecutionRecord::State::done;
  if (result->failed) {
    result->error = child_error(e.record);
  } else {
    result->result = result_of(e);
  }
  resume_work(s, e.record.parent, std::move(result));
}

ExecutionRecord::State final_state(const LiveExecution& e) {
  if (e.record.cancel_requested) return ExecutionRecord::State::cancelled;
  const bool running = e.record.state == ExecutionRecord::State::running;
  return running ? ExecutionRecord::State::done : ExecutionRecord::State::failed;
}

}  // namespace

bool finish_if_over(State& s, LiveExecution& e) {
  if (!e.working.empty() || !e.ended.empty()) return false;
  const bool running = e.record.state == ExecutionRecord::State::running;
  if (running && !e.record.cancel_requested) {
    if (!e.waiting.empty() || !e.again_forward.empty() || !e.again_back.empty()) return false;
    if (start_final_step(s, e)) return false;
  }
  e.record.state = final_state(e);
  e.record.finished_at = s.turn.now.wall;
  touch(s, e);
  emit_effect(s, ExecutionFinished{e.record.id, e.record.state});
  tell_parent(s, e);
  drop(s, e);
  return true;
}

}  // namespace tidemill::machine::execution
