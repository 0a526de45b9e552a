#include "cli/internal/results.h"

#include "playbook/compile.h"

namespace tidemill::cli {

Result<std::string> final_result(client::Records& records, const ExecutionRecord& execution,
                                 const playbook::Plan& plan) {
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
