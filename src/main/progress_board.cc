#include "main/progress_board.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "os/clock.h"

namespace tidemill::main {

namespace {

constexpr size_t kFailuresMax = 100;

bool terminal(ExecutionRecord::State state) {
  return state == ExecutionRecord::State::done || state == ExecutionRecord::State::failed ||
         state == ExecutionRecord::State::cancelled;
}

}  // namespace

Status ProgressBoard::fill(store::Reader& reader) {
  os::Lock lock(mutex_);
  ExecutionId after;
  for (;;) {
    TIDEMILL_TRY(const std::vector<ExecutionRecord> page, reader.executions(after, 1000));
    if (page.empty()) break;
    for (const ExecutionRecord& record : page) {
      put_execution(record);
      if (terminal(record.state)) continue;
      TIDEMILL_TRY(const std::vector<StepRecord> steps, reader.steps(record.id));
      for (const StepRecord& step : steps) {
        put_step(step);
        if (!step.array) continue;
        TIDEMILL_TRY(const std::optional<ArrayRow> row, reader.array(step.array));
        if (!row) continue;
        put_array(row->array);
        client::StepProgress& p = executions_[record.id].steps[step.ref.step];
        p.done = row->done;
        p.failed = row->failed;
      }
    }
    after = page.back().id;
  }
  return Ok{};
}

void ProgressBoard::committed(const engine::CommitBatch& batch) {
  os::Lock lock(mutex_);
  for (const Change& change : batch.changes) apply(change);
  changed_.notify_all();
}

void ProgressBoard::ended() {
  os::Lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

client::Progress ProgressBoard::progress(ExecutionId id) {
  os::Lock lock(mutex_);
  const auto found = executions_.find(id);
  if (found == executions_.end()) return {};
  Execution& e = found->second;
  client::Progress out;
  out.state = e.state;
  out.error = e.error;
  for (const auto& [index, step] : e.steps) out.steps.push_back(step);
  out.tasks_finished = e.tasks_finished;
  out.tasks_failed = e.tasks_failed;
  out.children = e.children;
  out.failures = std::exchange(e.failures, {});
  return out;
}

client::LocalRun::Wake ProgressBoard::wait(ExecutionId id, Duration at_most) {
  using Wake = client::LocalRun::Wake;
  const SteadyTime until = os::steady_now() + at_most;
  os::Lock lock(mutex_);
  for (;;) {
    const auto found = executions_.find(id);
    if (found != executions_.end() && terminal(found->second.state)) return Wake::finished;
    if (ended_) return Wake::failed;
    const Duration left = until - os::steady_now();
    if (left.ns <= 0) return Wake::timeout;
    changed_.wait_for(mutex_, left);
  }
}

void ProgressBoard::apply(const Change& change) {
  if (const auto* execution = std::get_if<PutExecution>(&change)) {
    put_execution(execution->execution);
  } else if (const auto* step = std::get_if<PutStep>(&change)) {
    put_step(step->step);
  } else if (const auto* array = std::get_if<PutArray>(&change)) {
    put_array(array->array);
  } else if (const auto* outcomes = std::get_if<PutOutcomes>(&change)) {
    put_outcomes(*outcomes);
  } else if (const auto* finished_array = std::get_if<FinishArray>(&change)) {
    arrays_.erase(finished_array->array);
  } else if (const auto* task = std::get_if<PutTask>(&change)) {
    if (task->task.work.step) tasks_[task->task.id] = task->task.work.step;
  } else if (const auto* finished_task = std::get_if<FinishTask>(&change)) {
    finish_task(finished_task->history);
  } else if (const auto* attempt = std::get_if<PutAttempt>(&change)) {
    put_attempt(attempt->attempt);
  }
}

// A child's parent is known by the step its parent's work belongs to.
void ProgressBoard::put_execution(const ExecutionRecord& record) {
  Execution& e = executions_[record.id];
  e.state = record.state;
  e.error = record.error;
  if (!std::exchange(e.known, true)) {
    const ExecutionId parent = step_of(record.parent).execution;
    e.root = parent ? root_of(parent).root : record.id;
    if (parent) root_of(parent).children += 1;
  }
  // A child that has ended only counts in its root from here on.
  if (terminal(record.state) && executions_[record.id].root != record.id) {
    executions_[record.id].steps.clear();
  }
}

void ProgressBoard::put_step(const StepRecord& record) {
  client::StepProgress& p = executions_[record.ref.execution].steps[record.ref.step];
  if (record.ref.epoch < p.epoch) return;
  if (record.ref.epoch > p.epoch) p = {};
  p.step = record.ref.step;
  p.epoch = record.ref.epoch;
  p.state = record.state;
  if (record.total != 0) {
    p.total = record.total;
    p.done = std::max(p.done, record.done);
    p.failed = std::max(p.failed, record.failed);
  }
}

void ProgressBoard::put_array(const ArrayRecord& record) {
  if (!record.work.step) return;
  arrays_[record.id] = record.work.step;
  executions_[record.work.step.execution].steps[record.work.step.step].total = record.count;
}

void ProgressBoard::put_outcomes(const PutOutcomes& put) {
  const auto found = arrays_.find(put.array);
  if (found == arrays_.end()) return;
  const StepRef step = found->second;
  client::StepProgress& p = executions_[step.execution].steps[step.step];
  Execution& root = root_of(step.execution);
  for (const IndexOutcome& outcome : put.outcomes) {
    root.tasks_finished += 1;
    if (outcome.outcome == Outcome::done) p.done += 1;
    if (outcome.outcome != Outcome::failed) continue;
    p.failed += 1;
    root.tasks_failed += 1;
    note_failure(root, {.step = step,
                        .work = WorkRef::of(put.array, outcome.index),
                        .attempt = outcome.attempt,
                        .final = true,
                        .error = outcome.error});
  }
}

void ProgressBoard::finish_task(const HistoryRecord& history) {
  tasks_.erase(history.task.id);
  const StepRef step = history.task.work.step;
  if (!step) return;
  Execution& root = root_of(step.execution);
  root.tasks_finished += 1;
  if (history.outcome != Outcome::failed) return;
  root.tasks_failed += 1;
  note_failure(root, {.step = step,
                      .work = WorkRef::of(history.task.id),
                      .attempt = history.task.starts,
                      .final = true,
                      .error = history.error});
}

void ProgressBoard::put_attempt(const AttemptRecord& attempt) {
  using End = AttemptRecord::End;
  if (attempt.end == End::suspended || attempt.end == End::returned) return;
  const StepRef step = step_of(attempt.work);
  if (!step) return;
  note_failure(root_of(step.execution), {.step = step,
                                         .work = attempt.work,
                                         .attempt = attempt.number,
                                         .final = false,
                                         .error = attempt.error});
}

void ProgressBoard::note_failure(Execution& root, client::FailureNote note) {
  if (root.failures.size() < kFailuresMax) root.failures.push_back(std::move(note));
}

ProgressBoard::Execution& ProgressBoard::root_of(ExecutionId id) {
  Execution& e = executions_[id];
  if (!e.root || e.root == id) {
    e.root = id;
    return e;
  }
  return executions_[e.root];
}

StepRef ProgressBoard::step_of(const WorkRef& work) const {
  if (work.array) {
    const auto found = arrays_.find(work.array);
    return found == arrays_.end() ? StepRef{} : found->second;
  }
  const auto found = tasks_.find(work.task);
  return found == tasks_.end() ? StepRef{} : found->second;
}

}  // namespace tidemill::main
