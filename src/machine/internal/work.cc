#include "machine/internal/work.h"

#include <algorithm>

#include "base/hash.h"
#include "machine/execution/hooks.h"
#include "machine/internal/backlog.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

namespace {

// A policy left at its defaults takes the queue's.
void inherit(const State& s, WorkSpec& work) {
  const auto found = s.queues.by_name.find(work.queue);
  if (found == s.queues.by_name.end()) return;
  const QueueConfig& config = queue_of(s, found->second).config;
  if (work.retry == RetryPolicy{}) work.retry = config.retry;
  if (work.attempt_timeout.ns == 0) work.attempt_timeout = config.attempt_timeout;
}

void emit_items(State& s, LiveArray& array, std::vector<std::string>&& items) {
  for (uint64_t first = 0; first < items.size(); first += limits::kItemChunk) {
    const uint64_t end = std::min<uint64_t>(items.size(), first + limits::kItemChunk);
    std::vector<std::string> chunk(std::make_move_iterator(items.begin() + static_cast<int64_t>(first)),
                                   std::make_move_iterator(items.begin() + static_cast<int64_t>(end)));
    array.items.push_back(
        {.array = array.record.id,
         .first = first,
         .items = std::make_shared<const std::vector<std::string>>(std::move(chunk))});
    emit(s, PutItems{array.items.back()});
  }
}

TaskRecord record_of(State& s, TaskSpec spec) {
  inherit(s, spec.work);
  const WallTime now = s.turn.now.wall;
  TaskRecord record{.id = TaskId{take_id(s)}, .work = std::move(spec.work)};
  record.after_any_outcome = spec.after_any_outcome;
  record.spawned_at = now;
  record.run_at = std::max(spec.run_at, now);
  record.ready_at = now;
  record.deadline = spec.deadline;
  record.concurrency_key = std::move(spec.concurrency_key);
  record.idempotency_key = std::move(spec.idempotency_key);
  if (!record.idempotency_key.empty() && record.work.input) {
    record.input_hash = hash64(*record.work.input);
  }
  record.after = std::move(spec.after);
  record.state = !record.after.empty()   ? TaskRecord::State::blocked
                 : record.run_at > now ? TaskRecord::State::delayed
                                         : TaskRecord::State::ready;
  return record;
}

TaskId spawn(State& s, TaskRecord record) {
  join_barrier(s, record.work.barrier, 1);
  if (leave_in_store(s, record)) {
    const TaskId id = record.id;
    emit(s, PutTask{std::move(record)});
    return id;
  }
  emit(s, PutTask{record});
  return adopt_task(s, std::move(record)).record.id;
}

}  // namespace

TaskId spawn_task(State& s, TaskSpec spec) { return spawn(s, record_of(s, std::move(spec))); }

TaskId spawn_held_task(State& s, TaskSpec spec) {
  TaskRecord record = record_of(s, std::move(spec));
  record.state = TaskRecord::State::blocked;
  s.tasks.held_by_barrier.insert(record.id);
  return spawn(s, std::move(record));
}

ArrayId spawn_array(State& s, ArraySpec spec) {
  inherit(s, spec.work);
  TIDEMILL_ASSERT(spec.items.empty() || spec.items.size() == spec.count);
  ArrayRecord record{.id = ArrayId{take_id(s)}, .work = std::move(spec.work)};
  record.count = spec.count;
  record.has_items = !spec.items.empty();
  record.max_in_flight = spec.max_in_flight;
  record.max_failed = spec.max_failed;
  record.spawned_at = s.turn.now.wall;
  record.ready_at = s.turn.now.wall;
  join_barrier(s, record.work.barrier, record.count);
  emit(s, PutArray{record});
  LiveArray& array = adopt_array(s, std::move(record));
  emit_items(s, array, std::move(spec.items));
  reoffer(s, array);
  if (array.record.count == 0) s.turn.full_arrays.push_back(array.record.id);
  return array.record.id;
}

bool resume_work(State& s, const WorkRef& work, std::shared_ptr<const ChildResult> child) {
  TIDEMILL_ASSERT(child != nullptr);
  if (work.task) {
    LiveTask* task = find_task(s, work.task);
    if (task == nullptr || task->record.state != TaskRecord::State::suspended) return false;
    task->record.child = std::move(child);
    task->record.waits_for = {};
    make_ready(s, *task);
    return true;
  }
  LiveArray* array = find_array(s, work.array);
  if (array == nullptr) return false;
  const IndexOverride* own = peek_override(*array, work.first);
  if (own == nullptr || !own->suspended) return false;
  override_of(*array, work.first).record.child = std::move(child);
  wake_index(s, *array, work.first);
  return true;
}

void set_execution_timer(State& s, ExecutionId id, uint64_t what, WallTime at) {
  s.timers.wall.add(at, {.kind = Timer::Kind::execution, .a = id.raw, .b = what});
}

void clear_execution_timer(State& s, ExecutionId id, uint64_t what, WallTime at) {
  s.timers.wall.remove(at, {.kind = Timer::Kind::execution, .a = id.raw, .b = what});
}

}  // namespace tidemill::machine
