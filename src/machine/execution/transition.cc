// A step has come to its end: `set`, the arcs, and what they enter. In the machine when it holds
// what that reads, else as a task of its own on a worker.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

using playbook::Ending;

StepRecord::State state_of(Ending ending) {
  switch (ending) {
    case Ending::done:
      return StepRecord::State::done;
    case Ending::failed:
      return StepRecord::State::failed;
    case Ending::skipped:
      return StepRecord::State::skipped;
  }
  TIDEMILL_ASSERT(false);
  return StepRecord::State::failed;
}

void route_elsewhere(State& s, LiveExecution& e, LiveStep& step, Ending ending) {
  const StepReads& reads = e.index->steps[step.record.ref.step].transition;
  TaskSpec spec;
  spec.work = work_of(e, step, playbook::kRouteKind, decision_scope(e, step, reads, ending));
  step.record.task = spawn_task(s, std::move(spec));
  set_state(s, e, step, StepRecord::State::routing);
}

// An execution that has failed starts nothing new; it keeps the first cause.
void stop(State& s, LiveExecution& e, const LiveStep& step) {
  if (e.record.state != ExecutionRecord::State::running) return;
  const std::string& name = e.plan().steps[step.record.ref.step].name;
  e.record.state = ExecutionRecord::State::stopping;
  e.record.error = step.record.error;
  e.record.error.message = "step '" + name + "': " + e.record.error.message;
  touch(s, e);
}

void end_branch(State& s, LiveExecution& e, LiveStep& step) {
  const playbook::Step& plan_step = e.plan().steps[step.record.ref.step];
  const bool quiet =
      !plan_step.arcs.empty() && plan_step.on_no_match == playbook::Step::NoMatch::quiet;
  if (quiet || e.record.wants_final) return;
  e.record.wants_final = true;
  touch(s, e);
}

}  // namespace

void end_step(State& s, LiveExecution& e, LiveStep& step, Ending ending) {
  if (!is_working(step.record.state)) set_state(s, e, step, StepRecord::State::running);
  e.ended.push_back({.step = step.record.ref.step, .ending = ending});
  unsettle(s, e);
}

void route(State& s, LiveExecution& e, const EndedStep& ended) {
  LiveStep& step = *e.steps[ended.step];
  TIDEMILL_ASSERT(is_working(step.record.state));
  if (e.record.cancel_requested) {
    const auto state = ended.cancelled ? StepRecord::State::cancelled : state_of(ended.ending);
    set_state(s, e, step, state);
    return;
  }
  const playbook::Step& plan_step = e.plan().steps[ended.step];
  const StepReads& reads = e.index->steps[ended.step].transition;
  const auto output = own_output(e, step, reads);
  const auto scope = routing_scope(e, reads, ended.step);
  if (!output || !scope) return route_elsewhere(s, e, step, ended.ending);
  playbook::Fuel fuel{playbook::kRoutingFuel};
  const auto chosen =
      playbook::transition(e.plan(), plan_step, ended.ending, *output, *scope, fuel);
  if (!chosen.ok() && chosen.error().needs_fuel) return route_elsewhere(s, e, step, ended.ending);
  if (!chosen.ok()) {
    return fail_step(s, e, step,
                     {.kind = "playbook", .message = chosen.error().text, .retryable = false});
  }
  take_transition(s, e, step, ended.ending, chosen.value());
}

void take_transition(State& s, LiveExecution& e, LiveStep& step, Ending ending,
                     const playbook::Transition& transition) {
  const playbook::Step& plan_step = e.plan().steps[step.record.ref.step];
  write_ctx(s, e, transition.writes);
  const bool none = transition.arcs.empty();
  if (ending == Ending::failed) {
    if (none) return fail_step(s, e, step, step.record.error);
    step.record.caught = true;
  } else if (none && plan_step.no_next_is_error && !plan_step.arcs.empty()) {
    return fail_step(s, e, step,
                     {.kind = "playbook",
                      .message = "none of its " + std::to_string(plan_step.arcs.size()) +
                                 " arcs is true, and no_next_is_error is set",
                      .retryable = false});
  }
  set_state(s, e, step, state_of(ending));
  if (none) end_branch(s, e, step);
  for (const uint32_t i : transition.arcs) {
    const playbook::Arc& arc = plan_step.arcs[i];
    enter(s, e, arc.to.raw, arc.back ? Entry::back : Entry::forward);
  }
  unsettle(s, e);
}

void fail_step(State& s, LiveExecution& e, LiveStep& step, TaskError error) {
  step.record.error = std::move(error);
  if (step.record.error == TaskError{}) step.record.error.kind = "failed";
  step.record.caught = false;
  set_state(s, e, step, StepRecord::State::failed);
  stop(s, e, step);
  unsettle(s, e);
}

}  // namespace tidemill::machine::execution
