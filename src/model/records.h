#pragma once
// The records that commits define: what the machine holds live, what the store keeps, what
// state_hash() covers. Plain values without behaviour; codecs in model/codec.h. Owned by the
// machine while live, copied into changes; any thread.
//
//   queue ── task ───────────────┐ counts in      ┌──────────┐ fires    ┌──────┐ of  ┌───────────┐
//     └──── array (N indexes) ───┴───────────────▶│ barrier  │─────────▶│ step │────▶│ execution │
//                                                 └──────────┘          └──────┘     └───────────┘
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/lease.h"
#include "model/outcome.h"
#include "model/policy.h"
#include "model/result_ref.h"

namespace tidemill {

// Bytes that are large, immutable and shared between the machine, changes and replies.
using SharedBytes = std::shared_ptr<const std::string>;

// What a unit of work belongs to inside an execution; execution.raw == 0 when it belongs to none.
struct StepRef {
  ExecutionId execution;
  uint32_t step = 0;   // index in the Plan
  uint32_t epoch = 0;  // entry into a looping step, from 1
  constexpr auto operator<=>(const StepRef&) const = default;
  constexpr explicit operator bool() const { return static_cast<bool>(execution); }
};

// What a person or a playbook asks for, common to tasks and arrays.
struct WorkSpec {
  std::string queue = "default";
  std::string kind;
  SharedBytes input;  // JSON; of an array: what all indexes share
  int32_t priority = 0;  // smaller first
  bool needs_slot = true;  // false: it only waits for I/O and takes a place, no slot
  RetryPolicy retry;
  Duration attempt_timeout{};  // 0: the queue's
  StepRef step;
  BarrierId barrier;
};

// How the child execution ended that a suspended attempt waited for.
struct ChildResult {
  bool failed = false;
  ResultRef result;
  TaskError error;
};

struct TaskRecord {
  // What commits define. Being leased is not among it: a leased task is `ready` here.
  enum class State : uint8_t { blocked, delayed, ready, suspended };

  TaskId id;
  WorkSpec work;
  State state = State::ready;
  bool cancel_requested = false;
  bool after_any_outcome = false;
  uint32_t round = 1;
  uint32_t attempts = 0;  // charged failures of this round
  uint32_t crashes = 0;   // charged crashes of this round
  uint32_t starts = 0;    // ended attempts of any kind, for numbering
  WallTime spawned_at;
  WallTime run_at;      // not before
  WallTime ready_at;    // fixed when it became ready: part of the order key
  WallTime deadline = WallTime::never();
  std::string concurrency_key;
  std::string idempotency_key;
  uint64_t input_hash = 0;       // for key conflicts
  std::vector<TaskId> after;     // unmet ones only
  SharedBytes suspended_with;    // what the next attempt gets back
  ExecutionId waits_for;         // the child execution, while suspended
  std::shared_ptr<const ChildResult> child;  // how it ended; kept until the round ends
  TaskError last_error;
};

// One record for N tasks. Items are kept in chunks of limits::kItemChunk; an array without items
// hands out bare indexes.
struct ArrayRecord {
  ArrayId id;
  WorkSpec work;
  uint64_t count = 0;
  bool has_items = false;
  uint32_t max_in_flight = 0;  // 0: no limit of its own
  uint64_t max_failed = UINT64_MAX;  // more failures than this cancel what has not started
  bool cancel_requested = false;
  WallTime spawned_at;
  WallTime ready_at;
};

// The items [first, first + size) of an array as JSON texts.
struct ItemChunk {
  ArrayId array;
  uint64_t first = 0;
  std::shared_ptr<const std::vector<std::string>> items;
};

// One finished index of an array.
struct IndexOutcome {
  uint64_t index = 0;
  uint32_t attempt = 1;
  Outcome outcome = Outcome::done;
  ResultValue result;
  TaskError error;
  std::string log;
  Trace trace;
};

// What an index has that its array's record does not say; absent for the many that have nothing
// special.
struct IndexOverride {
  ArrayId array;
  uint64_t index = 0;
  uint32_t attempts = 0;
  uint32_t crashes = 0;
  uint32_t starts = 0;
  uint32_t round = 1;
  bool suspended = false;
  bool cancel_requested = false;
  WallTime run_at;
  SharedBytes suspended_with;
  ExecutionId waits_for;
  std::shared_ptr<const ChildResult> child;
  TaskError last_error;
};

struct BarrierRecord {
  BarrierId id;
  uint64_t expected = 0;
  uint64_t joined = 0;  // spawned with its id so far; never more than expected
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  bool sealed = true;  // false: what joins adds itself to `expected`
  bool fired = false;
  TaskId fires_task;  // becomes ready when the barrier fires
  StepRef fires_step;
  uint64_t open() const { return expected - done - failed - cancelled; }
};

struct KeyRecord {
  std::string queue;
  std::string key;
  TaskId task;
  std::string kind;
  uint64_t input_hash = 0;
};

struct ExecutionRecord {
  enum class State : uint8_t { running, stopping, done, failed, cancelled };
  // stopping: something failed; no new step starts, what runs is let finish.

  ExecutionId id;
  State state = State::running;
  std::string name;
  std::string file;  // as the person named it; for messages and --resume
  Sha256 plan{};
  uint32_t compiler_version = 0;
  SharedBytes workload;  // merged, JSON, immutable
  SharedBytes ctx;       // JSON
  WorkRef parent;        // the task that waits for this child
  std::string child_key; // (task_key, policy attempt) of a child
  std::string return_step;
  WallTime deadline = WallTime::never();  // of a child: its parent's `timeout`
  bool cancel_requested = false;
  bool wants_final = false;  // a branch has ended, not quietly: the final step runs when all else is done
  TaskError error;
  WallTime started_at;
  WallTime finished_at;
};

struct StepRecord {
  // waiting: entered by an arc, held back by live upstream steps. routing: its work is done and a
  // worker computes the transition.
  enum class State : uint8_t { waiting, expanding, running, routing, done, failed, skipped, cancelled };
  // An entry for the next epoch that cannot start yet. It is kept on the newest record, whose
  // result stays readable until the next epoch begins.
  enum class Again : uint8_t { none, forward, back };

  StepRef ref;
  State state = State::waiting;
  Again again = Again::none;
  bool from_back_edge = false;  // a back edge began this epoch
  bool superseded = false;      // a step that dominates this one has begun a new epoch: not read any more
  bool caught = false;          // failed, and an arc took care of it
  TaskId task;                  // of a step without loop, and of a routing task
  ArrayId array;                // of a loop
  BarrierId barrier;
  ResultRef result;
  SharedBytes routing;  // what routing reads (playbook/step_scope.h); null when it must be asked for
  uint64_t total = 0;   // of a loop
  uint64_t done = 0;
  uint64_t failed = 0;
  TaskError error;
  WallTime entered_at;
  WallTime finished_at;
};

// A task that has left the live table, with its outcome.
struct HistoryRecord {
  TaskRecord task;
  Outcome outcome = Outcome::done;
  ResultValue result;
  TaskError error;
  std::string log;
  Trace trace;
};

// An attempt that ended without ending its round (it failed, crashed, was lost or suspended).
struct AttemptRecord {
  enum class End : uint8_t { failed, crashed, timed_out, lost, suspended, returned };
  WorkRef work;
  uint32_t number = 0;
  End end = End::failed;
  TaskError error;
  std::string log;
  Trace trace;
};

}  // namespace tidemill
