#pragma once
// Rows: what the machine may need that memory does not hold, gathered by the engine before
// deciding. `Needs` says what; a Rows answers from what was read, under an overlay of the turns in
// flight, so that it never misses the turn before. Used on the engine thread only.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/records.h"
#include "playbook/plan.h"

namespace tidemill::machine {

struct Needs {
  std::vector<std::pair<std::string, std::string>> keys;  // (queue, idempotency key)
  std::vector<TaskId> outcomes;                           // of tasks named by `after`
  std::vector<TaskId> finished_tasks;                     // named by retry
  std::vector<TaskId> stored_tasks;  // that may lie in a backlog: named by cancel, bury, a worker
  bool some_stored = false;          // some live tasks lie in the store only
  std::vector<WorkRef> finished_indexes;                   // named by retry
  std::vector<Sha256> plans;
  std::vector<ExecutionId> finished_executions;            // named by retry: the record and its steps
  std::vector<ResultRef> results;  // routing values of a step that are in its row
  bool empty() const {
    return keys.empty() && outcomes.empty() && finished_tasks.empty() && stored_tasks.empty() &&
           finished_indexes.empty() && plans.empty() && finished_executions.empty() &&
           results.empty();
  }
};

class Rows {
 public:
  virtual ~Rows() = default;
  virtual const KeyRecord* key(const std::string& queue, const std::string& key) const = 0;
  virtual const HistoryRecord* finished_task(TaskId id) const = 0;
  // Of a finished task; nothing when it is not known, or is live.
  virtual std::optional<Outcome> outcome(TaskId id) const {
    const HistoryRecord* row = finished_task(id);
    return row == nullptr ? std::nullopt : std::optional(row->outcome);
  }
  // A live task that memory does not hold; null also when it is not known whether there is one.
  virtual const TaskRecord* stored_task(TaskId id) const = 0;
  virtual const ArrayRecord* finished_array(ArrayId id) const = 0;
  // Null when there is no such finished execution. Its steps: the newest epoch of each, in any
  // order.
  virtual const ExecutionRecord* finished_execution(ExecutionId id) const = 0;
  virtual const std::vector<StepRecord>* finished_steps(ExecutionId id) const = 0;
  virtual playbook::PlanPtr plan(const Sha256& hash) const = 0;  // null: unknown
};

}  // namespace tidemill::machine
