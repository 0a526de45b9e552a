#include "engine/prefetch.h"

#include <optional>
#include <variant>

namespace tidemill::engine {

template <class Key, class Record>
const Record* Prefetch::Table<Key, Record>::find(const Key& k) const {
  if (const auto f = in_flight.find(k); f != in_flight.end()) return &f->second.second;
  const auto r = read.find(k);
  return r == read.end() ? nullptr : &r->second;
}

template <class Key, class Record>
void Prefetch::Table<Key, Record>::forget(Turn durable) {
  std::erase_if(in_flight, [&](const auto& entry) { return entry.second.first <= durable; });
}

Status Prefetch::read(const machine::Needs& needs) {
  keys_.read.clear();
  tasks_.clear();
  outcomes_.clear();
  stored_.clear();
  missed_a_task_ = false;
  arrays_.clear();
  executions_.read.clear();
  steps_.clear();
  plans_.trim();
  for (const auto& name : needs.keys) {
    if (keys_.in_flight.contains(name)) continue;
    TIDEMILL_TRY(std::optional<KeyRecord> record, reader_->key(name.first, name.second));
    if (record) keys_.read.emplace(name, std::move(*record));
  }
  for (const TaskId id : needs.outcomes) TIDEMILL_CHECK(read_outcome(id, needs));
  for (const TaskId id : needs.finished_tasks) TIDEMILL_CHECK(read_task(id));
  for (const TaskId id : needs.stored_tasks) TIDEMILL_CHECK(read_task(id));
  for (const WorkRef& work : needs.finished_indexes) TIDEMILL_CHECK(read_finished_index(work));
  for (const ExecutionId id : needs.finished_executions)
    TIDEMILL_CHECK(read_finished_execution(id));
  for (const Sha256& hash : needs.plans) TIDEMILL_CHECK(plans_.get(hash, *reader_));
  return Ok{};
}

Status Prefetch::read_outcome(TaskId id, const machine::Needs& needs) {
  if (outcomes_in_flight_.contains(id)) return Ok{};
  TIDEMILL_TRY(const std::optional<Outcome> outcome, reader_->task_outcome(id));
  if (outcome) {
    outcomes_.emplace(id, *outcome);
    return Ok{};
  }
  return needs.some_stored ? read_task(id) : Status(Ok{});
}

Status Prefetch::read_task(TaskId id) {
  TIDEMILL_TRY(std::optional<TaskRow> row, reader_->task(id));
  if (!row) {
    missed_a_task_ = true;
  } else if (row->outcome == Outcome::open) {
    stored_.emplace(id, std::move(row->task));
  } else {
    tasks_.emplace(id, HistoryRecord{.task = std::move(row->task),
                                     .outcome = row->outcome,
                                     .result = std::move(row->result),
                                     .error = std::move(row->error),
                                     .log = std::move(row->log),
                                     .trace = row->trace});
  }
  return Ok{};
}

Status Prefetch::read_finished_index(const WorkRef& work) {
  TIDEMILL_TRY(std::optional<ArrayRow> row, reader_->array(work.array));
  if (row && row->finished) arrays_.emplace(work.array, std::move(row->array));
  return Ok{};
}

Status Prefetch::read_finished_execution(ExecutionId id) {
  TIDEMILL_TRY(std::optional<ExecutionRecord> record, reader_->execution(id));
  if (record) executions_.read.emplace(id, std::move(*record));
  const ExecutionRecord* newest = executions_.find(id);
  if (!newest) return Ok{};
  TIDEMILL_CHECK(plans_.get(newest->plan, *reader_));
  TIDEMILL_TRY(std::vector<StepRecord> all, reader_->steps(id));
  std::map<uint32_t, StepRecord> by_step;
  const auto take = [&](const StepRecord& step) {
    const auto [at, is_new] = by_step.try_emplace(step.ref.step, step);
    if (!is_new && at->second.ref.epoch <= step.ref.epoch) at->second = step;
  };
  for (const StepRecord& step : all) take(step);
  for (auto i = steps_in_flight_.lower_bound({id, 0});
       i != steps_in_flight_.end() && i->first.first == id; ++i) {
    take(i->second.second);
  }
  for (auto& [index, step] : by_step) steps_[id].push_back(std::move(step));
  return Ok{};
}

void Prefetch::overlay(Turn turn, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (const auto* put = std::get_if<PutKey>(&change)) {
      keys_.in_flight.insert_or_assign(KeyName{put->key.queue, put->key.key},
                                       std::pair{turn, put->key});
    } else if (const auto* finish = std::get_if<FinishTask>(&change)) {
      const TaskId id = finish->history.task.id;
      outcomes_in_flight_.insert_or_assign(id, std::pair{turn, finish->history.outcome});
      in_flight_by_turn_.emplace_back(turn, id);
    } else if (const auto* reopen = std::get_if<ReopenTask>(&change)) {
      outcomes_in_flight_.erase(reopen->task.id);
    } else if (const auto* execution = std::get_if<PutExecution>(&change)) {
      executions_.in_flight.insert_or_assign(execution->execution.id,
                                             std::pair{turn, execution->execution});
    } else if (const auto* step = std::get_if<PutStep>(&change)) {
      steps_in_flight_.insert_or_assign({step->step.ref.execution, step->step.ref.step},
                                        std::pair{turn, step->step});
    }
  }
}

void Prefetch::forget(Turn durable) {
  keys_.forget(durable);
  while (!in_flight_by_turn_.empty() && in_flight_by_turn_.front().first <= durable) {
    const auto found = outcomes_in_flight_.find(in_flight_by_turn_.front().second);
    const bool over = found != outcomes_in_flight_.end() && found->second.first <= durable;
    if (over) outcomes_in_flight_.erase(found);
    in_flight_by_turn_.pop_front();
  }
  executions_.forget(durable);
  std::erase_if(steps_in_flight_, [&](const auto& entry) { return entry.second.first <= durable; });
}

const KeyRecord* Prefetch::key(const std::string& queue, const std::string& key) const {
  return keys_.find({queue, key});
}

const HistoryRecord* Prefetch::finished_task(TaskId id) const {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::optional<Outcome> Prefetch::outcome(TaskId id) const {
  if (const auto f = outcomes_in_flight_.find(id); f != outcomes_in_flight_.end()) {
    return f->second.second;
  }
  if (const auto f = outcomes_.find(id); f != outcomes_.end()) return f->second;
  return machine::Rows::outcome(id);
}

const TaskRecord* Prefetch::stored_task(TaskId id) const {
  const auto found = stored_.find(id);
  return found == stored_.end() ? nullptr : &found->second;
}

const ArrayRecord* Prefetch::finished_array(ArrayId id) const {
  const auto found = arrays_.find(id);
  return found == arrays_.end() ? nullptr : &found->second;
}

const ExecutionRecord* Prefetch::finished_execution(ExecutionId id) const {
  const ExecutionRecord* found = executions_.find(id);
  const bool live = !found || found->state == ExecutionRecord::State::running ||
                    found->state == ExecutionRecord::State::stopping;
  return live ? nullptr : found;
}

const std::vector<StepRecord>* Prefetch::finished_steps(ExecutionId id) const {
  const auto found = steps_.find(id);
  return found == steps_.end() ? nullptr : &found->second;
}

playbook::PlanPtr Prefetch::plan(const Sha256& hash) const { return plans_.cached(hash); }

}  // namespace tidemill::engine
