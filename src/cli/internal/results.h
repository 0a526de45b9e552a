#pragma once
// Results for people: what a step and what an execution gave. Main thread.
#include <cstdint>
#include <optional>
#include <string>

#include "client/records.h"
#include "playbook/plan.h"

namespace tidemill::cli {

// The JSON text of the result of an execution that is done: that of `executor.spec.final_step`,
// else of the step that finished last. "null" when there is none, and of one that is not done.
Result<std::string> final_result(client::Records& records, const ExecutionRecord& execution,
                                 const playbook::Plan& plan);

// The step whose failure ended an execution, and of a loop the index that failed first.
struct FailedStep {
  StepRecord step;
  std::optional<uint64_t> index;
};
std::optional<FailedStep> failed_step(client::Records& records, ExecutionId id);

// The Plan an execution runs by. Errors: corrupt when its text does not compile any more.
Result<playbook::PlanPtr> plan_of(client::Records& records, const ExecutionRecord& execution);

}  // namespace tidemill::cli
