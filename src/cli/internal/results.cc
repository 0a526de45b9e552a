#include "cli/internal/results.h"

#include <utility>
#include <vector>

#include "playbook/compile.h"

namespace tidemill::cli {

namespace {

// Of a loop that failed late this looks through what was recorded before; a hint is not worth more.
constexpr int kPagesMax = 200;
constexpr uint32_t kPage = 1'000;

std::optional<uint64_t> failed_index(client::Records& records, const StepRecord& step) {
  std::optional<uint64_t> lowest;
  uint64_t first = 0;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    const auto page = records.outcomes(step.array, first, kPage);
    if (!page.ok()) return lowest;
    for (const IndexRow& row : page.value()) {
      if (row.outcome.outcome != Outcome::failed) continue;
      if (step.error.message.ends_with(row.outcome.error.message)) return row.outcome.index;
      if (!lowest) lowest = row.outcome.index;
    }
    if (page.value().size() < kPage) return lowest;
    first = page.value().back().outcome.index + 1;
  }
  return lowest;
}

}  // namespace

Result<std::string> final_result(client::Records& records, const ExecutionRecord& execution,
                                 const playbook::Plan& plan) {
  if (execution.state != ExecutionRecord::State::done) return std::string("null");
  TIDEMILL_TRY(const std::vector<StepRecord> steps, records.steps(execution.id));
  const StepRecord* last = nullptr;
  for (const StepRecord& step : steps) {
    if (step.state != StepRecord::State::done) continue;
    if (plan.final_step) {
      if (step.ref.step == plan.final_step->raw) last = &step;
    } else if (last == nullptr || step.finished_at >= last->finished_at) {
      last = &step;
    }
  }
  if (last == nullptr) return std::string("null");
  return records.result_text(last->result);
}

std::optional<FailedStep> failed_step(client::Records& records, ExecutionId id) {
  auto steps = records.steps(id);
  if (!steps.ok()) return std::nullopt;
  StepRecord* failed = nullptr;
  for (StepRecord& step : steps.value()) {
    if (step.state != StepRecord::State::failed || step.caught || step.superseded) continue;
    if (failed == nullptr || step.finished_at < failed->finished_at) failed = &step;
  }
  if (failed == nullptr) return std::nullopt;
  FailedStep out{.step = std::move(*failed), .index = std::nullopt};
  if (out.step.array) out.index = failed_index(records, out.step);
  return out;
}

Result<playbook::PlanPtr> plan_of(client::Records& records, const ExecutionRecord& execution) {
  TIDEMILL_TRY(const std::string text, records.plan_text(execution.plan));
  playbook::Compiled compiled = playbook::compile(text, execution.file);
  if (!compiled.plan) {
    return Error{ErrorCode::corrupt, "the playbook of execution " +
                                         std::to_string(execution.id.raw) +
                                         " does not compile with this version"};
  }
  return std::move(compiled.plan);
}

}  // namespace tidemill::cli
