#pragma once
// Store: what makes turns durable and reads them back. One writer (the thread that calls load, commit and
// put_plan); `Reader`s are snapshots for other threads, one each. SQL lives behind this door only.
//
//   open → load (recovery) → commit, commit, … ; readers see committed turns only.
//
// After a failed commit the store refuses every later one (`failed()`): the caller throws its memory away
// and opens the store again (DESIGN §1).
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/change.h"
#include "model/query.h"
#include "model/records.h"

namespace tidemill::store {

// Takes what recovery reads, in this order: counters, queues, executions, barriers, arrays, their items,
// outcomes and overrides, tasks, steps, keys of live tasks, hand-outs without an outcome.
class Loader {
 public:
  virtual ~Loader() = default;
  virtual void counters(uint64_t next_id, uint32_t incarnation, Turn last_turn) = 0;
  virtual void queue(QueueConfig config) = 0;
  virtual void execution(ExecutionRecord execution) = 0;  // unfinished ones
  virtual void barrier(BarrierRecord barrier) = 0;
  virtual void array(ArrayRecord array) = 0;  // unfinished ones
  virtual void items(ItemChunk chunk) = 0;
  virtual void outcome(ArrayId array, uint64_t index, Outcome outcome) = 0;  // without results
  virtual void override_(IndexOverride record) = 0;
  virtual void task(TaskRecord task) = 0;
  virtual void step(StepRecord step) = 0;  // of unfinished executions, newest epoch of each step
  virtual void hand_out(HandOut hand_out) = 0;
};

struct CommitInfo {
  Turn turn;  // one more than the last; a commit of unknown fate is looked up by it
  WallTime at;
};

// A snapshot of committed turns. Owned by one thread at a time; several may exist at once.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<Turn> last_turn() = 0;
  virtual Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) = 0;
  virtual Result<std::optional<ExecutionRecord>> execution(ExecutionId id) = 0;
  virtual Result<std::vector<StepRecord>> steps(ExecutionId id) = 0;  // every epoch, in order of entry
  virtual Result<std::optional<TaskRow>> task(TaskId id) = 0;
  virtual Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) = 0;
  virtual Result<std::optional<ArrayRow>> array(ArrayId id) = 0;
  // Finished indexes in index order from `first`, at most `limit`.
  virtual Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) = 0;
  virtual Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) = 0;
  // The JSON text of a result in a task's row, or of all results of an array as a list in index order
  // (null where there is none). Blobs are not looked up here: `blob_in` lists the ones an array names.
  virtual Result<std::vector<ResultValue>> results(const ResultRef& ref) = 0;
  virtual Result<std::optional<std::string>> plan_text(const Sha256& hash) = 0;
  // Prefetch for the machine.
  virtual Result<std::optional<KeyRecord>> key(const std::string& queue, const std::string& key) = 0;
  virtual Result<std::optional<Outcome>> task_outcome(TaskId id) = 0;  // of a finished one
};

struct StoreStats {
  uint64_t commits = 0;
  uint64_t changes = 0;
  uint64_t bytes = 0;  // written to the log, where the store knows
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Status load(Loader& loader) = 0;
  virtual Status commit(std::span<const Change> changes, const CommitInfo& info) = 0;
  virtual Status put_plan(const Sha256& hash, std::string_view text) = 0;  // idempotent, durable
  virtual Result<std::unique_ptr<Reader>> reader() = 0;                    // any thread
  virtual bool failed() const = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace tidemill::store
