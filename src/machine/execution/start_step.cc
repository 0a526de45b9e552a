// A step starts: it is admitted or skipped, and its work becomes a task, or an array when it is a
// loop.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"
#include "playbook/json.h"

namespace tidemill::machine::execution {

namespace {

enum class Admission : uint8_t { admitted, skipped, elsewhere, failed };

Admission ask_admission(State& s, LiveExecution& e, LiveStep& step) {
  const uint32_t at = step.record.ref.step;
  const playbook::Step& plan_step = e.plan().steps[at];
  if (plan_step.admit.empty()) return Admission::admitted;
  const auto scope = routing_scope(e, e.index->steps[at].admit, at);
  if (!scope) return Admission::elsewhere;
  playbook::Fuel fuel{playbook::kRoutingFuel};
  const auto allowed = playbook::admitted(e.plan(), plan_step, *scope, fuel);
  if (allowed.ok()) return allowed.value() ? Admission::admitted : Admission::skipped;
  if (allowed.error().needs_fuel) return Admission::elsewhere;
  fail_step(s, e, step, {.kind = "playbook", .message = allowed.error().text, .retryable = false});
  return Admission::failed;
}

// Longer lists are cut into items on a worker.
constexpr size_t kItemsHere = 4'096;

void enter_loop(State& s, LiveExecution& e, LiveStep& step) {
  const uint32_t at = step.record.ref.step;
  const playbook::Step& plan_step = e.plan().steps[at];
  const auto scope = routing_scope(e, e.index->steps[at].loop, at);
  if (!scope) return start_expansion(s, e, step);
  playbook::Fuel fuel{playbook::kRoutingFuel};
  const auto range = playbook::loop_range(e.plan(), plan_step, *scope, fuel);
  if (!range.ok() && range.error().needs_fuel) return start_expansion(s, e, step);
  if (!range.ok()) {
    return fail_step(s, e, step,
                     {.kind = "playbook", .message = range.error().text, .retryable = false});
  }
  const playbook::List& list = range.value().items.as_list();
  if (list.size() > kItemsHere) return start_expansion(s, e, step);
  std::vector<std::string> items;
  size_t bytes = 0;
  for (const playbook::Value& item : list) {
    items.push_back(playbook::to_json(item));
    bytes += items.back().size();
    if (bytes > limits::kInlineMax) return start_expansion(s, e, step);
  }
  start_loop(s, e, step, std::move(items), range.value().max_in_flight);
}

}  // namespace

void start_step(State& s, LiveExecution& e, uint32_t at) {
  LiveStep& step = begin_epoch(s, e, at);
  TIDEMILL_ASSERT(step.record.state == StepRecord::State::waiting);
  switch (ask_admission(s, e, step)) {
    case Admission::failed:
      return;
    case Admission::elsewhere:
      return start_expansion(s, e, step);
    case Admission::skipped:
      return end_step(s, e, step, playbook::Ending::skipped);
    case Admission::admitted:
      break;
  }
  if (e.plan().steps[at].loop) return enter_loop(s, e, step);
  start_work(s, e, step);
}

WorkSpec work_of(const LiveExecution& e, const LiveStep& step, std::string_view kind,
                 std::string input) {
  WorkSpec work;
  work.kind = kind;
  work.input = std::make_shared<const std::string>(std::move(input));
  work.step = step.record.ref;
  TIDEMILL_ASSERT(work.step.execution == e.record.id);
  return work;
}

void start_work(State& s, LiveExecution& e, LiveStep& step) {
  const playbook::Step& plan_step = e.plan().steps[step.record.ref.step];
  TIDEMILL_ASSERT(!plan_step.loop);
  TaskSpec spec;
  spec.work = work_of(e, step, playbook::kStepKind, tool_scope(e, step));
  spec.work.needs_slot = plan_step.uses_slot;
  spec.work.retry.max_attempts = 1;  // a tool's failure is the policy's matter, on the worker
  if (plan_step.timeout) spec.work.attempt_timeout = *plan_step.timeout;
  step.record.task = spawn_task(s, std::move(spec));
  set_state(s, e, step, StepRecord::State::running);
}

void start_expansion(State& s, LiveExecution& e, LiveStep& step) {
  const PlanIndex::Step& index = e.index->steps[step.record.ref.step];
  StepReads reads = index.loop;
  for (const StepReads::OfStep& of : index.admit.steps) reads.steps.push_back(of);
  TaskSpec spec;
  spec.work = work_of(e, step, playbook::kExpandKind, decision_scope(e, step, reads, std::nullopt));
  step.record.task = spawn_task(s, std::move(spec));
  set_state(s, e, step, StepRecord::State::expanding);
}

}  // namespace tidemill::machine::execution
