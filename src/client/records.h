#pragma once
// Records: what people ask about executions and tasks, answered from committed turns. Behind it is
// a store file opened for reading, or (later) a server. One thread at a time; never changes
// anything.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/query.h"
#include "model/records.h"

namespace tidemill::client {

class Records {
 public:
  virtual ~Records() = default;
  // In order of their start, after `after` (0: from the first).
  virtual Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) = 0;
  virtual Result<WallTime> last_recorded() = 0;  // of anything; 0 when nothing was
  virtual Result<std::optional<ExecutionRecord>> execution(ExecutionId id) = 0;
  virtual Result<std::vector<StepRecord>> steps(ExecutionId id) = 0;  // every epoch
  virtual Result<std::optional<TaskRow>> task(TaskId id) = 0;
  virtual Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) = 0;
  virtual Result<std::optional<ArrayRow>> array(ArrayId id) = 0;
  virtual Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) = 0;
  virtual Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) = 0;
  // The JSON text of a result, wherever it is. Errors: not_found, corrupt.
  virtual Result<std::string> result_text(const ResultRef& ref) = 0;
  virtual Result<std::string> result_text(const ResultValue& value) = 0;
  virtual Result<std::string> plan_text(const Sha256& hash) = 0;
};

}  // namespace tidemill::client
