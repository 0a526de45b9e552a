#pragma once
// Client: spawns work on a server, waits for it, steers it. Each call waits for its answer; any
// thread, several at once. A spawn that returned is durable.
//
//   Client client;
//   Task task;
//   task.kind = "square";
//   task.input = Json::object().set("n", 7);
//   Result<TaskId> id = client.spawn(task);
//   Result<Outcome> outcome = client.wait(*id, std::chrono::minutes(1));
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidemill/error.h"
#include "tidemill/json.h"
#include "tidemill/server.h"

namespace tidemill::sdk {

struct TaskId {
  std::uint64_t value = 0;
  bool operator==(const TaskId& other) const { return value == other.value; }
};
struct ArrayId {
  std::uint64_t value = 0;
  bool operator==(const ArrayId& other) const { return value == other.value; }
};

enum class Backoff { none, fixed, linear, exponential };

struct Retry {
  unsigned max_attempts = 3;  // failures, the last included
  unsigned max_crashes = 3;   // of workers
  Backoff backoff = Backoff::exponential;
  std::chrono::milliseconds delay{1'000};
  std::chrono::milliseconds delay_cap{600'000};
  unsigned jitter_percent = 0;
  std::vector<std::string> fatal_kinds;  // of errors that are not tried again
};

struct Task {
  std::string kind;  // names the handler
  Json input;
  std::string queue = "default";
  int priority = 0;        // smaller first
  bool needs_slot = true;  // false: it only waits; for workers that can hold many of those
  std::chrono::milliseconds delay{0};    // not before that much later
  std::chrono::milliseconds timeout{0};  // of one attempt; 0: the queue's
  Retry retry;
  std::vector<TaskId> after;       // blocked until they are done, cancelled when one is not
  bool after_any_outcome = false;  // blocked until they have ended, however
  std::string concurrency_key;
  std::string idempotency_key;  // the same key again answers the first task
};

struct Spawned {
  TaskId id;
  bool existing = false;  // its idempotency key named an earlier one
};

enum class State { open, done, failed, cancelled };

struct Outcome {
  TaskId id;
  State state = State::open;  // open: not when the time was over
  Json result;                // of a done one
  std::string error_kind;     // of one that is not
  std::string error;
};

// N tasks of one shape as one record: a million cost what one costs, until they run.
struct Array {
  std::string kind;
  Json input;  // what all indexes share
  std::uint64_t count = 0;
  std::vector<Json> items;  // instead of `count`: one for each index
  std::string queue = "default";
  int priority = 0;
  std::chrono::milliseconds timeout{0};
  Retry retry;
  unsigned max_in_flight = 0;             // 0: no limit
  std::uint64_t max_failed = UINT64_MAX;  // more cancel what has not begun
};

struct ArrayState {
  std::uint64_t count = 0, done = 0, failed = 0, cancelled = 0;
  bool finished = false;
};

struct IndexOutcome {
  std::uint64_t index = 0;
  State state = State::done;
  Json result;
  std::string error_kind, error;
};

struct QueueOptions {
  unsigned concurrency = 0;      // tasks at once; 0: no limit
  unsigned key_concurrency = 0;  // of one concurrency key
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds ageing{0};  // waiting so long is worth one step of priority; 0: never
  bool fair = true;     // executions and arrays of equal priority take turns; else first come
  bool durable = true;  // false: spawns and outcomes are answered before they are on the disk
  bool paused = false;
};

enum class Urgency { ask, now };  // now: the lease of what runs ends at once

struct ClientOptions {
  Server server;
  // So long a call that may be repeated is repeated, with growing pauses, while the server cannot
  // be reached: all but spawns of tasks without idempotency key, and of arrays.
  std::chrono::milliseconds patience{10'000};
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Errors of all: what the server says; invalid (no address of a server); unavailable.

  Result<TaskId> spawn(const Task& task);
  // All or none, in the order given.
  Result<std::vector<Spawned>> spawn(const std::vector<Task>& tasks);

  // Until it has ended, or the time is over (then it is open). Errors: not_found.
  Result<Outcome> wait(TaskId id, std::chrono::milliseconds at_most);
  // Until all have, in the order given.
  Result<std::vector<Outcome>> wait_all(const std::vector<TaskId>& ids,
                                        std::chrono::milliseconds at_most);
  // Until one has; the others are told as they stand.
  Result<std::vector<Outcome>> wait_any(const std::vector<TaskId>& ids,
                                        std::chrono::milliseconds at_most);
  // The task in full, as GET /v1/tasks/ID of the protocol.
  Result<Json> get(TaskId id);
  // True: it is cancelled; false: its worker was asked.
  Result<bool> cancel(TaskId id, Urgency urgency = Urgency::ask);
  // The next round of a task that has ended; its number.
  Result<unsigned> retry(TaskId id);
  // Into the dead letter.
  Status bury(TaskId id, const std::string& reason);

  Result<ArrayId> spawn(const Array& array);
  Result<ArrayState> get(ArrayId id);
  Result<ArrayState> wait(ArrayId id, std::chrono::milliseconds at_most);
  // What has ended from index `first` on, in order; at most 10 000 at a time.
  Result<std::vector<IndexOutcome>> results(ArrayId id, std::uint64_t first = 0,
                                            unsigned limit = 1'000);
  Result<bool> cancel(ArrayId id, Urgency urgency = Urgency::ask);

  // All options of a queue: what is not named has its usual value.
  Status configure(const std::string& queue, const QueueOptions& options);
  Status pause(const std::string& queue);
  Status resume(const std::string& queue);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::sdk
