#pragma once
// ProgressBoard: what committed turns say of the executions of this process, counted as they
// commit, for the live view and for who waits for an end. Fed on the commit thread, read from any.
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "client/local_run.h"
#include "engine/turn_loop.h"
#include "os/sync.h"
#include "store/store.h"

namespace tidemill::main {

class ProgressBoard {
 public:
  // What a recovered store already has; before the engine starts. Errors: the store's.
  Status fill(store::Reader& reader);
  void committed(const engine::CommitBatch& batch);
  // The engine has failed or stopped: wakes who waits.
  void ended();

  client::Progress progress(ExecutionId id);
  client::LocalRun::Wake wait(ExecutionId id, Duration at_most);

 private:
  struct Execution {
    ExecutionRecord::State state = ExecutionRecord::State::running;
    TaskError error;
    ExecutionId root;     // itself, or the one whose task started it
    bool known = false;   // its record was seen; its steps may come before it
    std::map<uint32_t, client::StepProgress> steps;
    uint64_t tasks_finished = 0;
    uint64_t tasks_failed = 0;
    uint64_t children = 0;
    std::vector<client::FailureNote> failures;
  };

  void apply(const Change& change) REQUIRES(mutex_);
  void put_execution(const ExecutionRecord& record) REQUIRES(mutex_);
  void put_step(const StepRecord& record) REQUIRES(mutex_);
  void put_array(const ArrayRecord& record) REQUIRES(mutex_);
  void put_outcomes(const PutOutcomes& put) REQUIRES(mutex_);
  void finish_task(const HistoryRecord& history) REQUIRES(mutex_);
  void put_attempt(const AttemptRecord& attempt) REQUIRES(mutex_);
  void note_failure(Execution& root, client::FailureNote note) REQUIRES(mutex_);
  Execution& root_of(ExecutionId id) REQUIRES(mutex_);
  StepRef step_of(const WorkRef& work) const REQUIRES(mutex_);

  os::Mutex mutex_;
  os::Condition changed_;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::unordered_map<ExecutionId, Execution> executions_ GUARDED_BY(mutex_);
  std::unordered_map<ArrayId, StepRef> arrays_ GUARDED_BY(mutex_);  // live ones
  std::unordered_map<TaskId, StepRef> tasks_ GUARDED_BY(mutex_);    // live ones
};

}  // namespace tidemill::main
