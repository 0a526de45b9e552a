#pragma once
// Prefetch: reads what a turn's commands need and memory does not hold, under an overlay of the
// turns that are decided but not yet durable, so that a turn never misses the one before (DESIGN
// §5). Used on the engine thread only.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/plan_cache.h"
#include "machine/rows.h"
#include "store/store.h"

namespace tidemill::engine {

class Prefetch : public machine::Rows {
 public:
  Prefetch(std::unique_ptr<store::Reader> reader, PlanCache& plans)
      : reader_(std::move(reader)), plans_(plans) {}

  // Fills this with what `needs` names. Errors: the store's.
  Status read(const machine::Needs& needs);
  // A task that `needs` named was nowhere: it is unknown, or not durable yet.
  bool missed_a_task() const { return missed_a_task_; }
  // Remembers what a decided turn wrote that a later turn may look up.
  void overlay(Turn turn, const std::vector<Change>& changes);
  // What is durable is found in the store again.
  void forget(Turn durable);

  const KeyRecord* key(const std::string& queue, const std::string& key) const override;
  const HistoryRecord* finished_task(TaskId id) const override;
  std::optional<Outcome> outcome(TaskId id) const override;
  const TaskRecord* stored_task(TaskId id) const override;
  const ArrayRecord* finished_array(ArrayId id) const override;
  const ExecutionRecord* finished_execution(ExecutionId id) const override;
  const std::vector<StepRecord>* finished_steps(ExecutionId id) const override;
  playbook::PlanPtr plan(const Sha256& hash) const override;

 private:
  template <class Key, class Record>
  struct Table {
    std::map<Key, Record> read;                        // for this turn
    std::map<Key, std::pair<Turn, Record>> in_flight;  // not yet durable
    const Record* find(const Key& k) const;
    void forget(Turn durable);
  };
  using KeyName = std::pair<std::string, std::string>;

  Status read_outcome(TaskId id, const machine::Needs& needs);
  Status read_task(TaskId id);
  Status read_finished_index(const WorkRef& work);
  Status read_finished_execution(ExecutionId id);

  std::unique_ptr<store::Reader> reader_;
  PlanCache& plans_;
  Table<KeyName, KeyRecord> keys_;
  // Of finished tasks: read for this turn, and of turns that are not yet durable, of which no more
  // is kept (see TurnLoop::decide).
  std::map<TaskId, HistoryRecord> tasks_;
  std::map<TaskId, Outcome> outcomes_;
  std::unordered_map<TaskId, std::pair<Turn, Outcome>> outcomes_in_flight_;
  std::deque<std::pair<Turn, TaskId>> in_flight_by_turn_;
  std::map<TaskId, TaskRecord> stored_;  // live ones, for this turn
  bool missed_a_task_ = false;
  Table<ExecutionId, ExecutionRecord> executions_;
  std::map<ExecutionId, std::vector<StepRecord>> steps_;  // of finished executions, for this turn
  // By execution and step: the newest epoch that is not yet durable.
  std::map<std::pair<ExecutionId, uint32_t>, std::pair<Turn, StepRecord>> steps_in_flight_;
  std::map<ArrayId, ArrayRecord> arrays_;  // for this turn; see TurnLoop::decide
};

}  // namespace tidemill::engine
