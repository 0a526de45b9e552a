#include <algorithm>

#include "machine/execution/hooks.h"
#include "machine/internal/backlog.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/retry_policy.h"
#include "machine/internal/transitions.h"

namespace tidemill::machine {

namespace {

Timer ready_timer(TaskId id) { return {.kind = Timer::Kind::task_ready, .a = id.raw}; }
Timer deadline_timer(TaskId id) { return {.kind = Timer::Kind::task_deadline, .a = id.raw}; }

uint64_t& count_of(State& s, TaskRecord::State state) {
  return s.tasks.by_state[static_cast<size_t>(state)];
}

void set_state(State& s, LiveTask& task, TaskRecord::State state) {
  TIDEMILL_ASSERT(task_may_go(task.record.state, state));
  --count_of(s, task.record.state);
  ++count_of(s, state);
  task.record.state = state;
}

// Takes the task out of everything that its state put it into.
void leave_state(State& s, LiveTask& task) {
  const TaskRecord& record = task.record;
  switch (record.state) {
    case TaskRecord::State::blocked:
      s.tasks.held_by_barrier.erase(record.id);
      for (const TaskId on : record.after) {
        const auto found = s.tasks.dependants.find(on);
        if (found == s.tasks.dependants.end()) continue;
        std::erase(found->second, record.id);
        if (found->second.empty()) s.tasks.dependants.erase(found);
      }
      break;
    case TaskRecord::State::delayed:
      s.timers.wall.remove(record.run_at, ready_timer(record.id));
      break;
    case TaskRecord::State::ready:
      withdraw(s, task);
      break;
    case TaskRecord::State::suspended:
      break;
  }
}

void emit_finish(State& s, TaskRecord task, Outcome outcome, Ending ending) {
  emit(s, FinishTask{{.task = std::move(task),
                      .outcome = outcome,
                      .result = std::move(ending.result),
                      .error = std::move(ending.error),
                      .log = std::move(ending.log),
                      .trace = ending.trace}});
}

// Where the result of a finished task is found, without its bytes.
ResultRef result_ref(const TaskRecord& task, const ResultValue& result) {
  if (result.blob.place == ResultRef::Place::blob) return result.blob;
  return {.place = ResultRef::Place::task, .task = task.id, .size = result.inline_json.size()};
}

// The outcome comes first on record, what the execution makes of it after.
void tell_execution(State& s, TaskRecord task, Outcome outcome, Ending ending) {
  const bool done = outcome == Outcome::done;
  const ResultRef result = done ? result_ref(task, ending.result) : ResultRef{};
  const TaskError error = ending.error;
  const Report* report = ending.report;
  if (done && report != nullptr) execution::recorded(s, task.work.step, *report);
  emit_finish(s, task, outcome, std::move(ending));
  execution::task_ended(s, task,
                        {.outcome = outcome,
                         .result = result,
                         .error = done ? nullptr : &error,
                         .report = report});
}

}  // namespace

LiveTask* find_task(State& s, TaskId id) {
  const auto found = s.tasks.all.find(id);
  return found == s.tasks.all.end() ? nullptr : &found->second;
}

const LiveTask* find_task(const State& s, TaskId id) {
  const auto found = s.tasks.all.find(id);
  return found == s.tasks.all.end() ? nullptr : &found->second;
}

const HistoryRecord* finished_task(const State& s, TaskId id) {
  if (const HistoryRecord* row = s.turn.rows->finished_task(id)) return row;
  for (const Change& change : s.turn.out->changes) {
    const auto* finish = std::get_if<FinishTask>(&change);
    if (finish != nullptr && finish->history.task.id == id) return &finish->history;
  }
  return nullptr;
}

std::optional<Outcome> finished_outcome(const State& s, TaskId id) {
  if (const std::optional<Outcome> outcome = s.turn.rows->outcome(id)) return outcome;
  const HistoryRecord* row = finished_task(s, id);
  return row == nullptr ? std::nullopt : std::optional(row->outcome);
}

LiveTask& adopt_task(State& s, TaskRecord record) {
  const TaskId id = record.id;
  const auto [found, is_new] = s.tasks.all.try_emplace(id);
  TIDEMILL_ASSERT(is_new);
  LiveTask& task = found->second;
  task.record = std::move(record);
  task.queue = queue_number(s, task.record.work.queue);
  task.kind = kind_number(s, task.record.work.kind);
  if (!task.record.work.step) {
    task.backlog = backlog_number(s, task.queue, task.kind, task.record.work.priority);
  }
  task.ready_turn = s.turn.number;
  task.stale = true;
  s.stale_tasks.push_back(id);
  ++count_of(s, task.record.state);
  if (task.record.deadline != WallTime::never()) {
    s.timers.wall.add(task.record.deadline, deadline_timer(id));
  }
  switch (task.record.state) {
    case TaskRecord::State::blocked:
      for (const TaskId on : task.record.after) s.tasks.dependants[on].push_back(id);
      break;
    case TaskRecord::State::delayed:
      s.timers.wall.add(task.record.run_at, ready_timer(id));
      break;
    case TaskRecord::State::ready:
      offer(s, task);
      break;
    case TaskRecord::State::suspended:
      break;
  }
  return task;
}

void make_ready(State& s, LiveTask& task) {
  TIDEMILL_ASSERT(!task.leased());
  leave_state(s, task);
  set_state(s, task, TaskRecord::State::ready);
  task.record.ready_at = s.turn.now.wall;
  task.record.waits_for = {};
  task.ready_turn = s.turn.number;
  touch(s, task);
  offer(s, task);
}

void delay(State& s, LiveTask& task, WallTime until) {
  TIDEMILL_ASSERT(!task.leased());
  leave_state(s, task);
  set_state(s, task, TaskRecord::State::delayed);
  task.record.run_at = until;
  s.timers.wall.add(until, ready_timer(task.record.id));
  touch(s, task);
}

void suspend(State& s, LiveTask& task, SharedBytes with, ExecutionId waits_for) {
  TIDEMILL_ASSERT(!task.leased());
  leave_state(s, task);
  set_state(s, task, TaskRecord::State::suspended);
  task.record.suspended_with = std::move(with);
  task.record.waits_for = waits_for;
  task.record.child = nullptr;
  touch(s, task);
}

void finish_task(State& s, LiveTask& live, Outcome outcome, Ending ending) {
  TIDEMILL_ASSERT(!live.leased());
  TIDEMILL_ASSERT(outcome != Outcome::open);
  leave_state(s, live);
  ended_in_backlog(s, live);
  --count_of(s, live.record.state);
  if (live.record.deadline != WallTime::never()) {
    s.timers.wall.remove(live.record.deadline, deadline_timer(live.record.id));
  }
  unhash(s, live.share);
  TaskRecord task = std::move(live.record);
  s.tasks.all.erase(task.id);

  ending.trace.spawned = task.spawned_at;
  ending.trace.ready = task.ready_at;
  if (task.waits_for) execution::parent_gone(s, task.waits_for);
  task.suspended_with = nullptr;
  task.waits_for = {};
  count_in_barrier(s, task.work.barrier, outcome, 1);
  if (s.tasks.dependants.contains(task.id)) s.turn.ended.push_back({task.id, outcome});
  if (task.work.step) {
    tell_execution(s, std::move(task), outcome, std::move(ending));
  } else {
    emit_finish(s, std::move(task), outcome, std::move(ending));
  }
}

void record_attempt(State& s, LiveTask& task, AttemptRecord::End end, Ending ending) {
  ending.trace.spawned = task.record.spawned_at;
  ending.trace.ready = task.record.ready_at;
  ++task.record.starts;
  emit(s, PutAttempt{{.work = WorkRef::of(task.record.id),
                      .number = task.record.starts,
                      .end = end,
                      .error = std::move(ending.error),
                      .log = std::move(ending.log),
                      .trace = ending.trace}});
  touch(s, task);
}

void fail_task(State& s, LiveTask& task, AttemptRecord::End end, Ending ending) {
  TIDEMILL_ASSERT(!task.leased());
  TaskRecord& record = task.record;
  const bool crashed = end == AttemptRecord::End::crashed;
  ++(crashed ? record.crashes : record.attempts);
  const bool again =
      may_retry(record.work.retry, record.attempts, record.crashes, end, ending.error);
  if (!again) {
    finish_task(s, task, Outcome::failed, std::move(ending));
    return;
  }
  record.last_error = ending.error;
  record_attempt(s, task, end, std::move(ending));
  const Duration wait =
      crashed ? Duration{}
              : backoff_delay(record.work.retry, record.attempts, s.options.seed, record.id.raw);
  if (wait.ns > 0) {
    delay(s, task, s.turn.now.wall + wait);
  } else {
    make_ready(s, task);
  }
}

}  // namespace tidemill::machine
