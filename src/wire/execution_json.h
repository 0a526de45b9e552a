#pragma once
// Executions as JSON (docs/protocol.md): starting one, what workers need to know of one, one for
// people. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/records.h"
#include "wire/exchange.h"

namespace tidemill::wire {

// ---- POST /v1/executions ----
struct NewExecution {
  std::string playbook;  // its text
  std::string file;      // as the person named it
  std::string name;
  std::string workload = "{}";  // JSON, merged over the playbook's
};
std::string to_json(const NewExecution& execution);
// Errors: invalid, naming the path of what is wrong.
Result<NewExecution> parse_new_execution(std::string_view json);

// ---- GET /v1/executions/ID ----
std::string_view state_text(ExecutionRecord::State state);
std::string to_json(const ExecutionRecord& execution);
std::string to_json(const std::vector<ExecutionRecord>& executions);
std::string to_json(const std::vector<StepRecord>& steps);
// What a worker takes of it.
Result<ExecutionInfo> parse_execution_info(std::string_view json);

}  // namespace tidemill::wire
