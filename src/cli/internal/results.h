#pragma once
// Results for people: what a step and what an execution gave. Main thread.
#include <string>

#include "client/records.h"
#include "playbook/plan.h"

namespace tidemill::cli {

// The JSON text of an execution's result: that of `executor.spec.final_step`, else of the step
// `end` or the step that finished last. "null" when there is none.
Result<std::string> final_result(client::Records& records, const ExecutionRecord& execution,
                                 const playbook::Plan& plan);

// The Plan an execution runs by. Errors: corrupt when its text does not compile any more.
Result<playbook::PlanPtr> plan_of(client::Records& records, const ExecutionRecord& execution);

}  // namespace tidemill::cli
