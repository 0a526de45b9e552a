// Work of a step has ended. What it brings goes into the step's record; settle() routes it later,
// once for all that ended together. Work of an epoch that is over changes nothing.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

using playbook::Ending;

SharedBytes routing_of(const TaskEnd& end) {
  if (!end.report || !end.report->routing || end.report->routing_too_large) return nullptr;
  return playbook::decode_routing(*end.report->routing).ok() ? end.report->routing : nullptr;
}

TaskError error_of(const TaskEnd& end) {
  if (end.error && !(*end.error == TaskError{})) return *end.error;
  const bool cancelled = end.outcome == Outcome::cancelled;
  return {.kind = cancelled ? "cancelled" : "failed",
          .message = cancelled ? "the task was cancelled" : "the task failed",
          .retryable = false};
}

void work_ended(State& s, LiveExecution& e, LiveStep& step, const TaskEnd& end) {
  StepRecord& record = step.record;
  record.routing = routing_of(end);
  EndedStep ended{.step = record.ref.step};
  if (end.outcome == Outcome::done) {
    if (end.result.size > 0) record.result = end.result;  // nothing reads as null
  } else {
    record.error = error_of(end);
    ended.ending = Ending::failed;
    ended.cancelled = end.outcome == Outcome::cancelled;
  }
  touch(s, e, step);
  e.ended.push_back(ended);
}

// What was expanding waits again: an execution that stops starts nothing, and a retry evaluates
// anew.
void back_to_waiting(State& s, LiveExecution& e, LiveStep& step) {
  step.record.task = {};
  step.record.state = StepRecord::State::waiting;
  e.working.remove(step.record.ref.step);
  e.waiting.add(step.record.ref.step);
  touch(s, e, step);
}

void expansion_ended(State& s, LiveExecution& e, LiveStep& step, const TaskEnd& end) {
  if (e.record.cancel_requested) return set_state(s, e, step, StepRecord::State::cancelled);
  if (end.outcome != Outcome::done) return fail_step(s, e, step, error_of(end));
  if (e.record.state != ExecutionRecord::State::running) return back_to_waiting(s, e, step);
  const auto answer = end.report && end.report->routing
                          ? playbook::decode_expansion(*end.report->routing)
                          : Result<playbook::Expansion>(playbook::Expansion{});
  if (!answer.ok()) {
    return fail_step(s, e, step, {.kind = "protocol", .message = answer.error().what});
  }
  step.record.task = {};
  if (!answer->admitted) return end_step(s, e, step, Ending::skipped);
  if (!e.plan().steps[step.record.ref.step].loop) return start_work(s, e, step);
  std::vector<std::string> items = end.report ? end.report->loop_items : std::vector<std::string>();
  start_loop(s, e, step, std::move(items), std::max(answer->max_in_flight, 1U));
}

// The task's own scope says how the step ended: it was fixed when the routing began.
Ending ending_in(const TaskRecord& task) {
  const auto scope = playbook::decode_scope(*task.work.input);
  TIDEMILL_ASSERT(scope.ok() && scope->ending);
  return *scope->ending;
}

void routing_ended(State& s, LiveExecution& e, LiveStep& step, const TaskRecord& task,
                   const TaskEnd& end) {
  const Ending ending = ending_in(task);
  if (e.record.cancel_requested) return set_state(s, e, step, StepRecord::State::cancelled);
  if (end.outcome != Outcome::done) return fail_step(s, e, step, error_of(end));
  playbook::Transition transition;
  auto arcs = end.report && end.report->routing ? playbook::decode_arcs(*end.report->routing)
                                                : Result<std::vector<uint32_t>>(Error{});
  const size_t all = e.plan().steps[step.record.ref.step].arcs.size();
  if (arcs.ok()) transition.arcs = std::move(*arcs);
  const bool known = std::all_of(transition.arcs.begin(), transition.arcs.end(),
                                 [&](uint32_t arc) { return arc < all; });
  if (!arcs.ok() || !known) {
    return fail_step(s, e, step,
                     {.kind = "protocol", .message = "the routing task's answer makes no sense"});
  }
  take_transition(s, e, step, ending, transition);
}

}  // namespace

void task_ended(State& s, const TaskRecord& task, const TaskEnd& end) {
  LiveExecution* e = find(s, task.work.step.execution);
  LiveStep* step = e ? find_working(*e, task.work.step) : nullptr;
  if (!step || step->record.task != task.id) return;
  switch (step->record.state) {
    case StepRecord::State::running:
      work_ended(s, *e, *step, end);
      break;
    case StepRecord::State::expanding:
      expansion_ended(s, *e, *step, end);
      break;
    case StepRecord::State::routing:
      routing_ended(s, *e, *step, task, end);
      break;
    default:
      TIDEMILL_ASSERT(false);
  }
  unsettle(s, *e);
}

void recorded(State& s, const StepRef& ref, const Report& report) {
  LiveExecution* e = find(s, ref.execution);
  LiveStep* step = e ? find_working(*e, ref) : nullptr;
  if (!step) return;
  if (report.ctx_writes) {
    // A text that cannot be read wrote nothing; the exchange's codec refuses it before it comes
    // here.
    const auto writes = playbook::decode_ctx_writes(*report.ctx_writes);
    if (writes.ok()) write_ctx(s, *e, *writes);
  }
  const playbook::Step& plan_step = e->plan().steps[ref.step];
  const bool at_work = plan_step.loop && step->record.state == StepRecord::State::running;
  if (!at_work) return;
  if (plan_step.loop->mode == playbook::Loop::Mode::cursor && report.routing) {
    if (const auto counts = playbook::decode_cursor_counts(*report.routing); counts.ok()) {
      step->record.total += counts->total;
      step->record.done += counts->done;
      step->record.failed += counts->failed;
      touch(s, *e, *step);
    }
  }
  refresh_loop_scope(s, *e, *step);
}

void barrier_fired(State&, const BarrierRecord& barrier) {
  // Joins of a playbook are StepSets, not barriers: none fires a step.
  TIDEMILL_ASSERT(!barrier.fires_step);
}

bool counts_in_step(const State& s, const StepRef& ref) {
  const LiveExecution* e = find(s, ref.execution);
  if (!e || ref.step >= e->steps.size() || !e->steps[ref.step]) return false;
  const StepRecord& record = e->steps[ref.step]->record;
  return record.ref.epoch == ref.epoch && record.state == StepRecord::State::running;
}

void work_reopened(State& s, const StepRef& ref) { TIDEMILL_ASSERT(counts_in_step(s, ref)); }

}  // namespace tidemill::machine::execution
