#include "worker/internal/step_attempt.h"

#include <utility>

#include "playbook/json.h"
#include "worker/internal/shared_text.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

}  // namespace

void StepAttempt::run() {
  std::optional<TaskError> error;
  auto item = iteration(error);
  if (error) return finish_failed(std::move(*error));
  const playbook::Step& step = *context().step;
  const std::string key = task_key();
  driver_ = make_driver({.plan = *context().execution->plan,
                         .tools = step.tools,
                         .is_pipeline = step.is_pipeline,
                         .input = step.input,
                         .names = context().names,
                         .ctx = context().scope.ctx,
                         .iteration = std::move(item),
                         .task_key = key,
                         .call_key = key},
                        [this](PipelineDriver::Outcome o) { take(std::move(o)); });
  if (resumes()) return resume();
  driver_->begin();
}

// The item of this index; a bare index when the array has no items.
std::optional<Iteration> StepAttempt::iteration(std::optional<TaskError>& error) const {
  const playbook::Step& step = *context().step;
  if (!assignment().work.array || !step.loop) return std::nullopt;
  Iteration it{step.loop->iterator, Value::null(), item().index, assignment().array_count};
  if (!assignment().items.empty()) {
    const uint64_t at = item().index - assignment().work.first;
    if (at >= assignment().items.size()) {
      error = TaskError{"input", "the hand-out holds no item for this index", true};
      return std::nullopt;
    }
    auto value = playbook::parse_json(assignment().items[at]);
    if (!value.ok()) {
      error = TaskError{"input", "the item is no JSON: " + value.error().what, false};
      return std::nullopt;
    }
    it.item = std::move(*value);
  }
  return it;
}

void StepAttempt::resume() {
  fetch_child([this](ToolResult result) {
    const Status resumed = driver_->resume(*assignment().resumed_with, std::move(result));
    if (!resumed.ok()) finish_failed({"input", resumed.error().what, false});
  });
}

void StepAttempt::take(PipelineDriver::Outcome outcome) {
  if (auto* child = std::get_if<PipelineDriver::Suspend>(&outcome)) {
    std::string state = child->state;
    return suspend(std::move(*child), std::move(state),
                   [this](TaskError why) { driver_->fail_suspended(std::move(why)); });
  }
  take_finished(std::get<Pipeline::Finished>(outcome));
}

void StepAttempt::take_finished(const Pipeline::Finished& finished) {
  Report report;
  // Only a step without loop is routed on its own; items of a loop are counted.
  if (!assignment().work.array) {
    auto routing = playbook::encode_routing(*context().step, finished.data, finished.http_status);
    report.routing_too_large = !routing;
    if (routing) report.routing = shared(std::move(*routing));
  }
  if (finished.error) return finish_failed(*finished.error, std::move(report));
  const auto& writes = driver_->pipeline().ctx_writes();
  if (!writes.empty()) report.ctx_writes = shared(playbook::encode_ctx_writes(writes));
  finish_done(playbook::to_json(finished.data), std::move(report));
}

void StepAttempt::stop_running(TaskError why) {
  // While the child's result or its playbook is fetched nothing runs.
  if (driver_) driver_->stop(why);
}

}  // namespace tidemill::worker
