// A loop is one array: an index is an iteration, or a claimer of a cursor loop. Its end is the only
// loop.done of the epoch.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

uint64_t failures_allowed(const playbook::Loop& loop) {
  if (loop.on_failure == playbook::Loop::OnFailure::fail) return loop.max_failed.value_or(0);
  return loop.max_failed.value_or(UINT64_MAX);
}

bool is_cursor(const playbook::Loop& loop) { return loop.mode == playbook::Loop::Mode::cursor; }

TaskError loop_error(const StepRecord& record, const ArrayEnd& end) {
  const std::string of = " of " + std::to_string(record.total);
  const std::string iterations = record.total == 1 ? " iteration" : " iterations";
  if (end.failed == 0) {
    return {.kind = "cancelled",
            .message = std::to_string(end.cancelled) + of + iterations +
                       (end.cancelled == 1 ? " was" : " were") + " cancelled",
            .retryable = false};
  }
  TaskError error = *end.first_error;
  error.message = std::to_string(end.failed) + of + iterations + " failed; the first, index " +
                  std::to_string(end.first_failed) + ": " + error.message;
  return error;
}

// A claimer that failed could not claim, or stopped at a failed row: either way the loop has
// failed.
TaskError cursor_error(const StepRecord& record, const ArrayEnd& end) {
  if (end.failed > 0) return *end.first_error;
  if (end.cancelled > 0) {
    return {.kind = "cancelled", .message = "its claimers were cancelled", .retryable = false};
  }
  return {.kind = "failed",
          .message = std::to_string(record.failed) + " of " + std::to_string(record.total) +
                     " rows failed",
          .retryable = false};
}

}  // namespace

void start_loop(State& s, LiveExecution& e, LiveStep& step, std::vector<std::string> items,
                uint32_t max_in_flight) {
  const playbook::Step& plan_step = e.plan().steps[step.record.ref.step];
  const playbook::Loop& loop = *plan_step.loop;
  TIDEMILL_ASSERT(max_in_flight > 0);
  const bool cursor = is_cursor(loop);
  step.record.total = cursor ? 0 : items.size();
  if (!cursor && items.empty()) return end_step(s, e, step, playbook::Ending::done);
  const bool sequential = loop.mode == playbook::Loop::Mode::sequential;

  ArraySpec spec;
  spec.work =
      work_of(e, step, cursor ? playbook::kCursorKind : playbook::kStepKind, tool_scope(e, step));
  spec.work.needs_slot = plan_step.uses_slot;
  spec.work.retry.max_attempts = 1;
  if (plan_step.timeout) spec.work.attempt_timeout = *plan_step.timeout;
  spec.count = cursor ? max_in_flight : items.size();
  spec.items = std::move(items);
  spec.max_in_flight = sequential ? 1 : max_in_flight;
  spec.max_failed = cursor ? 0 : failures_allowed(loop);
  step.record.array = spawn_array(s, std::move(spec));
  step.record.task = {};
  set_state(s, e, step, StepRecord::State::running);
}

void array_ended(State& s, const ArrayRecord& array, const ArrayEnd& end) {
  LiveExecution* e = find(s, array.work.step.execution);
  LiveStep* step = e ? find_working(*e, array.work.step) : nullptr;
  if (!step || step->record.array != array.id) return;
  TIDEMILL_ASSERT(step->record.state == StepRecord::State::running);
  TIDEMILL_ASSERT(end.done + end.failed + end.cancelled == array.count);
  const playbook::Loop& loop = *e->plan().steps[array.work.step.step].loop;
  StepRecord& record = step->record;
  record.result = {};
  record.result.place = ResultRef::Place::array;
  record.result.array = array.id;
  const bool cursor = is_cursor(loop);
  if (!cursor) {
    record.done = end.done;
    record.failed = end.failed;
  }
  EndedStep ended{.step = array.work.step.step};
  const bool no_claim = cursor && end.failed > 0;
  if (no_claim || record.failed > failures_allowed(loop) || end.cancelled > 0) {
    ended.ending = playbook::Ending::failed;
    ended.cancelled = end.failed == 0 && end.cancelled > 0;
    record.error = cursor ? cursor_error(record, end) : loop_error(record, end);
  }
  touch(s, *e, *step);
  e->ended.push_back(ended);
  unsettle(s, *e);
}

void refresh_loop_scope(State& s, LiveExecution& e, LiveStep& step) {
  const uint32_t at = step.record.ref.step;
  const playbook::Step& plan_step = e.plan().steps[at];
  if (!plan_step.loop || plan_step.loop->mode != playbook::Loop::Mode::sequential) return;
  const PlanIndex::Step& index = e.index->steps[at];
  if (index.tool_ctx.empty() && index.tools.steps.empty()) return;
  const auto found = s.arrays.find(step.record.array);
  if (found == s.arrays.end()) return;
  std::string now = tool_scope(e, step);
  WorkSpec& work = found->second.record.work;
  if (now == *work.input) return;
  work.input = std::make_shared<const std::string>(std::move(now));
  touch(s, found->second);
}

}  // namespace tidemill::machine::execution
