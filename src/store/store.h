#pragma once
// Store: what makes turns durable and reads them back. One writer (the thread that calls load,
// commit and note_recorded); put_plan() and reader() may be called by any thread, a `Reader`
// belongs to one thread at a time. SQL lives behind this door only.
//
//   open → load (recovery) → commit, commit, … ; readers see committed turns only.
//
// After a failed commit the store refuses every later one (`failed()`): the caller throws its
// memory away and opens the store again (docs/architecture.md).
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

// Takes what recovery reads, in this order: counters, queues, tokens, executions, barriers, arrays,
// their items, outcomes and overrides, tasks, steps, hand-outs. Within one kind the order means
// nothing, but of hand-outs it is that of their commits.
class Loader {
 public:
  virtual ~Loader() = default;
  virtual void counters(uint64_t next_id, uint32_t incarnation, Turn last_turn) = 0;
  virtual void queue(QueueConfig config) = 0;
  virtual void token(TokenRecord token) = 0;
  virtual void execution(ExecutionRecord execution) = 0;  // unfinished ones
  virtual void barrier(BarrierRecord barrier) = 0;
  virtual void array(ArrayRecord array) = 0;  // unfinished ones
  virtual void items(ItemChunk chunk) = 0;
  // Of every index that is not open; without results.
  virtual void outcome(ArrayId array, uint64_t index, Outcome outcome) = 0;
  virtual void override_(IndexOverride record) = 0;
  // Before the tasks: those that hand-outs name, and a few that have ended since.
  virtual void handed_out(TaskId task) = 0;
  virtual void task(TaskRecord task) = 0;
  virtual void step(StepRecord step) = 0;  // of unfinished executions, newest epoch of each step
  // What of it is still out: work that has neither ended nor been handed out again since.
  virtual void hand_out(HandOut hand_out) = 0;
};

struct CommitInfo {
  // Of the newest turn in this commit, larger than any before; a commit of unknown fate is looked
  // up by it (Reader::last_turn).
  Turn turn;
  WallTime at;  // when it was given to the store; note_recorded() may correct it
};

// Reads committed turns: each call sees all that were durable when it began, and no part of
// another. Owned by one thread at a time; several may exist at once, and must not outlive their
// store. Errors: corrupt, io; unavailable when the file is locked for long.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<Turn> last_turn() = 0;
  // When the newest turn became durable; of an empty store 0.
  virtual Result<WallTime> last_recorded() = 0;
  virtual Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) = 0;
  virtual Result<std::optional<ExecutionRecord>> execution(ExecutionId id) = 0;
  virtual Result<std::vector<StepRecord>> steps(
      ExecutionId id) = 0;  // every epoch, in order of entry
  virtual Result<std::optional<TaskRow>> task(TaskId id) = 0;
  virtual Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) = 0;  // in order of ids
  // Ready tasks of one queue, kind and priority in the order (ready time, id) from that place on.
  virtual Result<std::vector<BacklogRow>> backlog(const BacklogFilter& filter) = 0;
  virtual Result<std::optional<ArrayRow>> array(ArrayId id) = 0;
  // Finished indexes in index order from `first`, at most `limit`.
  virtual Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) = 0;
  // Those that share an index with `work`, in the order they were recorded.
  virtual Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) = 0;
  // The result in a task's row (nothing when it has not finished), or one for each index of an
  // array, in order and empty where there is none. Blobs are named, not looked up.
  virtual Result<std::vector<ResultValue>> results(const ResultRef& ref) = 0;
  virtual Result<std::optional<std::string>> plan_text(const Sha256& hash) = 0;
  virtual Result<std::vector<TokenRecord>> tokens() = 0;  // in order of their names
  // Prefetch for the machine.
  virtual Result<std::optional<KeyRecord>> key(const std::string& queue,
                                               const std::string& key) = 0;
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
  // Errors: corrupt, with table and key; io.
  virtual Status load(Loader& loader) = 0;
  // All of it is durable, or the store has failed. Errors: disk_full, io, denied, corrupt.
  virtual Status commit(std::span<const Change> changes, const CommitInfo& info) = 0;
  // When the newest committed turn became durable, which its own transaction cannot hold: kept with
  // the next commit, or at the end. A crash may lose it, and then CommitInfo::at stands. By the
  // writer.
  virtual void note_recorded(Turn turn, WallTime at) = 0;
  // Durable and idempotent. The names of its steps are for people who read the store by hand.
  virtual Status put_plan(const Sha256& hash, std::string_view text,
                          std::span<const std::string> step_names) = 0;
  Status put_plan(const Sha256& hash, std::string_view text) { return put_plan(hash, text, {}); }
  virtual Result<std::unique_ptr<Reader>> reader() = 0;
  virtual bool failed() const = 0;  // any thread
  virtual StoreStats stats() const = 0;
};

}  // namespace tidemill::store
