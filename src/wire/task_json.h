#pragma once
// What producers say about tasks and are told, as JSON (docs/protocol.md): spawning, waiting for
// outcomes, one task in full. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/query.h"
#include "model/records.h"

namespace tidemill::wire {

// ---- POST /v1/tasks ----
struct NewTask {
  WorkSpec work;
  Duration delay;   // from when the server takes it; with run_at the later of both
  WallTime run_at;  // zero: at once
  WallTime deadline = WallTime::never();
  std::string concurrency_key;
  std::string idempotency_key;
  std::vector<TaskId> after;
  bool after_any_outcome = false;
};
std::string to_json(const std::vector<NewTask>& tasks);
// Errors: invalid, naming the path of what is wrong; too_large.
Result<std::vector<NewTask>> parse_new_tasks(std::string_view json);

struct SpawnedTask {
  TaskId id;
  bool existing = false;  // its idempotency key named an earlier one
};
std::string to_json(const std::vector<SpawnedTask>& tasks);
Result<std::vector<SpawnedTask>> parse_spawned_tasks(std::string_view json);

// ---- POST /v1/tasks/wait ----
struct WaitRequest {
  enum class For : uint8_t { all, any };
  std::vector<TaskId> ids;
  For wait_for = For::all;
  Duration at_most = seconds(30);
};
std::string to_json(const WaitRequest& request);
Result<WaitRequest> parse_wait_request(std::string_view json);

struct TaskOutcome {
  TaskId id;
  Outcome outcome = Outcome::open;  // open: not yet when the time was over
  bool unknown = false;             // there is no such task (any more)
  ResultValue result;
  TaskError error;
};
std::string to_json(const std::vector<TaskOutcome>& outcomes);
Result<std::vector<TaskOutcome>> parse_task_outcomes(std::string_view json);

// ---- for people ----
std::string_view outcome_text(Outcome outcome);  // open, done, failed, cancelled
// One task with its outcome, as GET /v1/tasks/ID tells it.
std::string to_json(const TaskRow& row);
std::string to_json(const std::vector<TaskRow>& rows);

}  // namespace tidemill::wire
