#include "store/sqlite/internal/writer.h"

#include <variant>

#include "model/codec.h"
#include "store/sqlite/internal/checksum.h"
#include "store/sqlite/internal/writer_statements.h"

namespace tidemill::store {

Result<std::unique_ptr<Writer>> Writer::open(Database& db) {
  auto statements = std::make_unique<Statements>();
  TIDEMILL_CHECK(statements->prepare(db));
  return std::unique_ptr<Writer>(new Writer(std::move(statements)));
}

Writer::Writer(std::unique_ptr<Statements> statements) : s_(std::move(statements)) {}

Writer::~Writer() = default;

Status Writer::apply(std::span<const Change> changes, const CommitInfo& info) {
  turn_ = info.turn;
  part_ = 0;
  newest_before_ = newest_task_;
  // First, because what is found by turn may be asked for within it.
  TIDEMILL_CHECK(s_->put_turn.with(turn_.raw, info.at.ns).run());
  for (const Change& change : changes) {
    TIDEMILL_CHECK(std::visit([this](const auto& v) { return one(v); }, change));
  }
  return drop_ended_hand_outs();
}

Status Writer::set_recorded(Turn turn, WallTime at) {
  return s_->set_turn_time.with(at.ns, turn.raw).run();
}

// ---- what recovery found ----

void Writer::found_lane(int64_t lane, std::string queue, std::string kind) {
  lanes_[{std::move(queue), std::move(kind)}] = lane;
}

Status Writer::found_live(const TaskRecord& task, const Place& at) {
  TIDEMILL_TRY(const Place first, first_place(task));
  if (at != first) moved_[task.id] = at;
  newest_task_ = std::max(newest_task_, task.id);
  return Ok{};
}

void Writer::found_last(LeaseBook leases, uint64_t last_hand_out, uint64_t last_finished_row,
                        TaskId newest_task) {
  leases_ = std::move(leases);
  leases_.take_emptied();
  last_hand_out_ = last_hand_out;
  oldest_end_ = 0;  // whatever markers there are
  last_finished_row_ = last_finished_row;
  newest_task_ = std::max(newest_task_, newest_task);
}

// ---- tasks ----

Status Writer::put_live(const TaskRecord& task) {
  TIDEMILL_TRY(const Place place, place_of(task));
  TIDEMILL_TRY(const Place first, first_place(task));
  if (place == first) {
    moved_.erase(task.id);
  } else {
    moved_[task.id] = place;
  }
  newest_task_ = std::max(newest_task_, task.id);
  const std::string_view data = encoded(task);
  return s_->put_live
      .with(place.lane, place.state, place.priority, place.at, task.id.raw,
            task.work.step.execution.raw, task.work.step.step, Blob{data},
            row_sum(data, place.lane, place.state, place.priority, place.at, task.id.raw))
      .run();
}

Status Writer::one(const PutTask& v) {
  TIDEMILL_TRY(const Place place, place_of(v.task));
  TIDEMILL_TRY(const Place old, last_place(v.task));
  if (place != old) TIDEMILL_CHECK(leave(v.task.id, old));
  return put_live(v.task);
}

// Where its row lies, if it has one.
Result<Place> Writer::last_place(const TaskRecord& task) {
  const auto moved = moved_.find(task.id);
  if (moved != moved_.end()) return moved->second;
  return first_place(task);
}

// Deletes the row of a live task. A task of this turn may have none.
Status Writer::leave(TaskId id, const Place& place) {
  const auto drop = [&](const Place& p) {
    return s_->drop_live.with(p.lane, p.state, p.priority, p.at, id.raw).run();
  };
  moved_.erase(id);
  TIDEMILL_CHECK(drop(place));
  if (s_->drop_live.changed() == 1 || id > newest_before_) return Ok{};
  // What its first place is made of has changed since it was put: it must be searched for.
  Statement& find = s_->find_live;
  TIDEMILL_TRY(const bool found, find.with(id.raw).next());
  if (!found) return Ok{};
  const Place there{find.integer(0), find.integer(1), find.integer(2), find.integer(3)};
  find.restart();
  return drop(there);
}

Status Writer::one(const FinishTask& v) {
  TIDEMILL_TRY(const Place place, last_place(v.history.task));
  TIDEMILL_CHECK(leave(v.history.task.id, place));
  leases_.end_task(v.history.task.id);
  return insert_finished(v.history);
}

Status Writer::insert_finished(const HistoryRecord& v) {
  const TaskRecord& task = v.task;
  const Trace& t = v.trace;
  newest_task_ = std::max(newest_task_, task.id);
  TIDEMILL_TRY(const int64_t lane, lane_of(task.work));
  const auto some = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const bool has_error = v.error != TaskError{};
  std::optional<int64_t> waited, ran, retryable;
  if (t.dispatched.ns != 0) waited = (t.dispatched - t.ready).ns;
  if (t.finished.ns != 0) ran = (t.finished - t.started).ns;
  if (has_error) retryable = v.error.retryable ? 1 : 0;
  std::string ref;
  std::optional<Blob> ref_bytes;
  if (v.result.blob != ResultRef{}) {
    encode_to(ref, v.result.blob);
    ref_bytes = Blob{ref};
  }
  buffer_.clear();
  encode_to(buffer_, t);
  const size_t trace_size = buffer_.size();
  encode_to(buffer_, task);
  const std::string_view both = buffer_;
  ++last_finished_row_;
  // Most end with a result and nothing else to tell; what is not bound costs nothing.
  if (v.outcome == Outcome::done && !has_error && v.log.empty() && !ref_bytes) {
    TIDEMILL_CHECK(s_->put_done
                       .with(last_finished_row_, task.id.raw, turn_.raw, lane,
                             static_cast<int64_t>(v.outcome), task.work.step.execution.raw,
                             task.work.step.step, task.starts, task.spawned_at.ns, waited, ran,
                             some(v.result.inline_json), Blob{both.substr(0, trace_size)},
                             Blob{both.substr(trace_size)})
                       .run());
    return s_->put_finished_row.with(task.id.raw, last_finished_row_).run();
  }
  TIDEMILL_CHECK(s_->put_finished
                     .with(last_finished_row_, task.id.raw, turn_.raw, lane,
                           static_cast<int64_t>(v.outcome), task.work.step.execution.raw,
                           task.work.step.step, task.starts, task.spawned_at.ns, waited, ran,
                           some(v.result.inline_json), some(v.error.kind), some(v.error.message),
                           retryable, some(v.log), ref_bytes, Blob{both.substr(0, trace_size)},
                           Blob{both.substr(trace_size)})
                     .run());
  return s_->put_finished_row.with(task.id.raw, last_finished_row_).run();
}

Status Writer::one(const ReopenTask& v) {
  Statement& find = s_->find_finished_row;
  TIDEMILL_TRY(const bool found, find.with(v.task.id.raw).next());
  if (found) {
    const int64_t row = find.integer(0);
    find.restart();
    TIDEMILL_CHECK(s_->drop_finished.with(row).run());
    TIDEMILL_CHECK(s_->drop_finished_row.with(v.task.id.raw).run());
  }
  leases_.end_task(v.task.id);
  TIDEMILL_CHECK(mark_ended({WorkRef::of(v.task.id), {}}));
  return put_live(v.task);
}

Status Writer::one(const PutAttempt& v) {
  const AttemptRecord& a = v.attempt;
  const uint64_t work = a.work.task ? a.work.task.raw : a.work.array.raw;
  if (leases_.end(a.work)) TIDEMILL_CHECK(mark_ended({a.work, {}}));
  std::optional<int64_t> ran, retryable;
  std::optional<std::string_view> kind, message, log;
  if (a.trace.finished.ns != 0) ran = (a.trace.finished - a.trace.started).ns;
  if (a.error != TaskError{}) {
    kind = a.error.kind;
    message = a.error.message;
    retryable = a.error.retryable ? 1 : 0;
  }
  if (!a.log.empty()) log = a.log;
  const std::string_view trace = encoded(a.trace);
  return s_->put_attempt
      .with(work, turn_.raw, part_++, a.work.first, a.work.count, a.work.task ? 0 : 1, a.number,
            static_cast<int64_t>(a.end), a.trace.reported.ns, ran, kind, message, retryable, log,
            Blob{trace})
      .run();
}

// ---- where a live task lies ----

Result<int64_t> Writer::lane_of(const WorkSpec& work) {
  if (last_lane_ != 0 && work.queue == last_lane_names_.first &&
      work.kind == last_lane_names_.second) {
    return last_lane_;
  }
  last_lane_names_ = {work.queue, work.kind};
  auto found = lanes_.find(last_lane_names_);
  if (found == lanes_.end()) {
    const auto lane = static_cast<int64_t>(lanes_.size()) + 1;
    const uint64_t sum = row_sum(work.queue + '\n' + work.kind, lane);
    TIDEMILL_CHECK(s_->put_lane.with(lane, work.queue, work.kind, sum).run());
    found = lanes_.emplace(last_lane_names_, lane).first;
  }
  return last_lane_ = found->second;
}

Result<Place> Writer::first_place(const TaskRecord& task) {
  TIDEMILL_TRY(const int64_t lane, lane_of(task.work));
  return Place{lane, static_cast<int64_t>(TaskRecord::State::ready), task.work.priority,
               task.spawned_at.ns};
}

Result<Place> Writer::place_of(const TaskRecord& task) {
  TIDEMILL_TRY(Place place, first_place(task));
  place.state = static_cast<int64_t>(task.state);
  switch (task.state) {
    case TaskRecord::State::ready:
      place.at = task.ready_at.ns;
      break;
    case TaskRecord::State::delayed:
      place.at = task.run_at.ns;
      break;
    case TaskRecord::State::blocked:
    case TaskRecord::State::suspended:
      place.at = 0;
      break;
  }
  return place;
}

std::string_view Writer::encoded(const auto& record) {
  buffer_.clear();
  encode_to(buffer_, record);
  return buffer_;
}

// ---- queues, barriers, executions, keys, counters ----

Status Writer::one(const PutQueue& v) {
  const std::string_view data = encoded(v.config);
  return s_->put_queue.with(v.config.name, Blob{data}, row_sum(data)).run();
}

Status Writer::one(const PutBarrier& v) {
  const std::string_view data = encoded(v.barrier);
  return s_->put_barrier.with(v.barrier.id.raw, Blob{data}, row_sum(data, v.barrier.id.raw)).run();
}

Status Writer::one(const DropBarrier& v) { return s_->drop_barrier.with(v.barrier.raw).run(); }

// The workload never changes, so it is kept apart and written once.
Status Writer::one(const PutExecution& v) {
  ExecutionRecord e = v.execution;
  if (e.workload) {
    const uint64_t sum = row_sum(*e.workload, e.id.raw);
    TIDEMILL_CHECK(s_->put_workload.with(e.id.raw, *e.workload, sum).run());
    e.workload = nullptr;
  }
  std::optional<std::string> error;
  if (e.error != TaskError{}) error = e.error.kind + ": " + e.error.message;
  const std::string_view data = encoded(e);
  const std::string_view plan(reinterpret_cast<const char*>(e.plan.data()), e.plan.size());
  return s_->put_execution
      .with(e.id.raw, static_cast<int64_t>(e.state), e.name, e.file, Blob{plan}, e.started_at.ns,
            e.finished_at.ns, error, Blob{data}, row_sum(data, e.id.raw))
      .run();
}

Status Writer::one(const PutStep& v) {
  const StepRecord& s = v.step;
  std::optional<std::string> error;
  if (s.error != TaskError{}) error = s.error.kind + ": " + s.error.message;
  const std::string_view data = encoded(s);
  return s_->put_step
      .with(s.ref.execution.raw, s.ref.step, s.ref.epoch, static_cast<int64_t>(s.state), s.total,
            s.done, s.failed, s.entered_at.ns, s.finished_at.ns, error, Blob{data},
            row_sum(data, s.ref.execution.raw, s.ref.step, s.ref.epoch))
      .run();
}

Status Writer::one(const PutKey& v) {
  const std::string_view data = encoded(v.key);
  return s_->put_key.with(v.key.queue, v.key.key, v.key.task.raw, Blob{data}, row_sum(data)).run();
}

Status Writer::one(const PutCounters& v) {
  const uint64_t sum = row_sum("", v.next_id, v.incarnation);
  return s_->put_counters.with(v.next_id, v.incarnation, sum).run();
}

Status Writer::one(const PutToken& v) {
  const std::string_view data = encoded(v.token);
  return s_->put_token.with(v.token.name, Blob{data}, row_sum(data)).run();
}

Status Writer::one(const DropToken& v) { return s_->drop_token.with(v.name).run(); }

// ---- hand-outs ----

Status Writer::one(const HandOut& v) {
  leases_.put(++last_hand_out_, v);
  const std::string_view data = encoded(v);
  return s_->put_hand_out.with(last_hand_out_, Blob{data}, row_sum(data, last_hand_out_)).run();
}

Status Writer::one(const EndLease& v) {
  return leases_.end(v.ended) ? mark_ended(v.ended) : Status(Ok{});
}

// Recovery reads hand-outs and takes off what has an outcome; that a piece ended otherwise is
// written: of every hand-out up to the last one, under this epoch, or under any when it names none.
Status Writer::mark_ended(const LeasedWork& ended) {
  if (last_hand_out_ == 0) return Ok{};
  oldest_end_ = std::min(oldest_end_, last_hand_out_);
  const int64_t part = part_++;
  const std::string_view data = encoded(EndLease{ended});
  const uint64_t sum = row_sum(data, last_hand_out_, turn_.raw, part);
  return s_->put_end.with(last_hand_out_, turn_.raw, part, Blob{data}, sum).run();
}

Status Writer::drop_ended_hand_outs() {
  for (const LeaseBook::Row row : leases_.take_emptied()) {
    TIDEMILL_CHECK(s_->drop_hand_out.with(row).run());
  }
  const uint64_t oldest = leases_.empty() ? last_hand_out_ + 1 : leases_.oldest();
  if (oldest_end_ >= oldest) return Ok{};
  oldest_end_ = leases_.empty() ? UINT64_MAX : oldest;
  return s_->drop_ends.with(oldest).run();
}

}  // namespace tidemill::store
