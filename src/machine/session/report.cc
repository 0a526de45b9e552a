// Reports: how a worker's word about an attempt becomes an outcome, another try or a wait. Only the
// current lease counts (P3); everything is looked up by it before anything is touched.
#include <algorithm>

#include "machine/execution/hooks.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

using End = AttemptRecord::End;

// The new measurement counts for an eighth: old ones fade, single ones do not mislead.
void measure(Duration& mean, const Trace& trace) {
  const Duration took = trace.finished - trace.started;
  if (took.ns <= 0) return;
  mean = mean.ns == 0 ? took : mean + (took - mean) / 8;
  if (mean.ns <= 0) mean = Duration{1};
}

Ending ending_of(const State& s, const Report& report, const Dropped& dropped) {
  Ending ending{.result = report.result,
                .error = report.error,
                .log = report.log,
                .trace = report.trace,
                .report = &report};
  ending.trace.dispatched = dropped.dispatched;
  ending.trace.reported = s.turn.now.wall;
  std::string& text = ending.error.message;
  if (text.size() > limits::kErrorTextMax) text.erase(0, text.size() - limits::kErrorTextMax);
  if (ending.log.size() > limits::kLogMax) {
    ending.log.erase(0, ending.log.size() - limits::kLogMax);
  }
  return ending;
}

// Of a report on several indexes: what one of them gave, and its share of the time.
void take_share(Ending& ending, const Report& report, uint64_t index) {
  const auto count = static_cast<int64_t>(report.work.count);
  const uint64_t at = index - report.work.first;
  TIDEMILL_ASSERT(at < report.work.count);
  if (at < report.results.size()) ending.result = {.inline_json = report.results[at], .blob = {}};
  if (count == 1) return;
  Trace& trace = ending.trace;
  const Duration each = (trace.finished - trace.started) / count;
  trace.started = trace.started + each * static_cast<int64_t>(at);
  trace.finished = trace.started + each;
  trace.cpu = trace.cpu / count;
  trace.bytes_in /= report.work.count;
  trace.bytes_out /= report.work.count;
}

// Why what is said to be done cannot be taken as such; empty when it can.
TaskError flaw_of(const ResultValue& result) {
  if (result.inline_json.size() <= limits::kInlineMax) return {};
  return {.kind = "too_large",
          .message = "a result of " + std::to_string(result.inline_json.size()) +
                     " bytes was sent inline; larger than " + std::to_string(limits::kInlineMax) +
                     " it must be stored as a blob first",
          .retryable = false};
}

End end_of(const TaskError& error) {
  return error.kind == "timeout" ? End::timed_out : End::failed;
}

// A suspended attempt's child: found, started, or the reason why not.
execution::ChildStart start_child(State& s, const WorkRef& work, const StepRef& step,
                                  const Report& report) {
  if (step) return execution::child_wanted(s, work, step, report.child);
  execution::ChildStart none;
  none.refused = {.kind = "suspend",
                  .message = "only work of an execution can wait for a child execution",
                  .retryable = false};
  return none;
}

// ---- tasks ----

void suspend_task(State& s, LiveTask& task, const Report& report, Ending ending) {
  const TaskId id = task.record.id;
  Ending recorded = ending;
  recorded.report = nullptr;
  record_attempt(s, task, End::suspended, std::move(recorded));
  suspend(s, task, report.resume_with, {});
  const execution::ChildStart child =
      start_child(s, WorkRef::of(id), task.record.work.step, report);
  LiveTask* after = find_task(s, id);
  if (after == nullptr) return;
  if (!child.refused.kind.empty()) {
    ending.error = child.refused;
    fail_task(s, *after, End::failed, std::move(ending));
    return;
  }
  after->record.waits_for = child.id;
  touch(s, *after);
  if (child.ended) resume_work(s, WorkRef::of(id), child.ended);
}

ReportAnswer take_task_report(State& s, LiveTask& task, const Report& report) {
  if (report.kind == Report::Kind::started) return ReportAnswer::recorded;
  const bool cancelled = task.record.cancel_requested;
  const Dropped dropped = drop_task(s, task);
  if (report.kind == Report::Kind::returned && !cancelled) {
    record_end(s, dropped.leased);
    offer(s, task);
    return ReportAnswer::recorded;
  }
  Ending ending = ending_of(s, report, dropped);
  if (report.kind == Report::Kind::done) {
    measure(s.queues.kind_means[task.kind], report.trace);
    const TaskError flaw = flaw_of(ending.result);
    if (flaw.kind.empty()) {
      finish_task(s, task, Outcome::done, std::move(ending));
      return ReportAnswer::recorded;
    }
    ending.result = {};
    ending.error = flaw;
  }
  if (cancelled) {
    if (ending.error.kind.empty()) ending.error = {.kind = "cancelled", .message = "cancelled"};
    finish_task(s, task, Outcome::cancelled, std::move(ending));
    return ReportAnswer::recorded;
  }
  record_end(s, dropped.leased);
  if (report.kind == Report::Kind::suspended) {
    suspend_task(s, task, report, std::move(ending));
  } else {
    const End end = end_of(ending.error);
    fail_task(s, task, end, std::move(ending));
  }
  return ReportAnswer::recorded;
}

// ---- indexes ----

void suspend_one(State& s, LiveArray& array, uint64_t index, const Report& report, Ending ending) {
  const ArrayId id = array.record.id;
  const WorkRef work = WorkRef::of(id, index);
  Ending recorded = ending;
  recorded.report = nullptr;
  record_attempt(s, array, index, End::suspended, std::move(recorded));
  suspend_index(s, array, index, report.resume_with, {});
  const execution::ChildStart child = start_child(s, work, array.record.work.step, report);
  LiveArray* after = find_array(s, id);
  if (after == nullptr || after->states.get(index) != Outcome::open) return;
  if (!child.refused.kind.empty()) {
    ending.error = child.refused;
    wake_index(s, *after, index);
    take_back(*after, index);
    fail_index(s, *after, index, End::failed, std::move(ending));
    return;
  }
  override_of(*after, index).record.waits_for = child.id;
  touch(s, *after, index);
  if (child.ended) resume_work(s, work, child.ended);
}

void take_index_report(State& s, LiveArray& array, uint64_t index, const Report& report) {
  const IndexOverride* own = peek_override(array, index);
  const bool cancelled = array.record.cancel_requested || (own != nullptr && own->cancel_requested);
  const Dropped dropped = drop_index(s, array, index);
  const LeasedWork part{WorkRef::of(array.record.id, index), dropped.leased.epoch};
  if (report.kind == Report::Kind::returned && !cancelled) {
    record_end(s, part);
    put_back(s, array, {index, 1});
    return;
  }
  Ending ending = ending_of(s, report, dropped);
  take_share(ending, report, index);
  if (report.kind == Report::Kind::done) {
    measure(array.mean, ending.trace);
    const TaskError flaw = flaw_of(ending.result);
    if (flaw.kind.empty()) {
      finish_index(s, array, index, Outcome::done, std::move(ending));
      return;
    }
    ending.result = {};
    ending.error = flaw;
  }
  if (cancelled) {
    if (ending.error.kind.empty()) ending.error = {.kind = "cancelled", .message = "cancelled"};
    finish_index(s, array, index, Outcome::cancelled, std::move(ending));
    return;
  }
  record_end(s, part);
  if (report.kind == Report::Kind::suspended) {
    suspend_one(s, array, index, report, std::move(ending));
  } else {
    const End end = end_of(ending.error);
    fail_index(s, array, index, end, std::move(ending));
  }
}

// Every index of the report that is held under its epoch; a range may be answered piecewise.
ReportAnswer take_range_report(State& s, LiveArray& array, const WorkRef& leased,
                               const Report& report) {
  const WorkRef& work = report.work;
  const ArrayId id = array.record.id;
  if (work.count > leased.count || work.first < leased.first) return ReportAnswer::lease_lost;
  const uint64_t end = std::min(work.first + work.count, leased.first + leased.count);
  bool any = false;
  for (uint64_t index = work.first; index < end; ++index) {
    LiveArray* live = find_array(s, id);
    if (live == nullptr) break;
    const Holding* held = holding_of(*live, index);
    if (held == nullptr || held->epoch != report.epoch) continue;
    any = true;
    if (report.kind != Report::Kind::started) take_index_report(s, *live, index, report);
  }
  if (LiveArray* live = find_array(s, id)) {
    reoffer(s, *live);
    if (live->record.cancel_requested && live->leased == 0) s.turn.full_arrays.push_back(id);
  }
  return any ? ReportAnswer::recorded : ReportAnswer::lease_lost;
}

bool was_recorded(const Session& session, const Report& report) {
  const LeasedWork leased{report.work, report.epoch};
  return std::any_of(session.recorded.begin(), session.recorded.end(),
                     [&](const Recorded& r) { return r.work == leased; });
}

void settle_recall(Session& session, const Report& report) {
  std::erase_if(session.recalls, [&](const Notice& n) { return n.work.epoch == report.epoch; });
  const auto lease = session.leases.find(report.epoch);
  if (lease == session.leases.end()) return;
  lease->second.recalled = false;
  lease->second.started = report.kind == Report::Kind::started;
}

}  // namespace

ReportAnswer take_report(State& s, Session& session, const Report& report) {
  const auto lease = session.leases.find(report.epoch);
  const bool leased = lease != session.leases.end();
  // Part of a range may have been recorded while the rest of it is still leased; a task has no
  // parts.
  if (!(leased && report.work.task) && was_recorded(session, report)) return ReportAnswer::recorded;
  if (!leased) return ReportAnswer::lease_lost;
  settle_recall(session, report);
  const LeasedWork whole = lease->second.leased;
  ReportAnswer said = ReportAnswer::lease_lost;
  if (report.work.task) {
    LiveTask* task = find_task(s, report.work.task);
    if (task != nullptr && task->epoch == report.epoch) {
      said = take_task_report(s, *task, report);
    }
  } else if (LiveArray* array = find_array(s, report.work.array)) {
    said = take_range_report(s, *array, whole.work, report);
  }
  if (said == ReportAnswer::recorded && !session.in_process &&
      report.kind != Report::Kind::started) {
    session.recorded.push_back({{report.work, report.epoch}, session.last_number});
  }
  return said;
}

void return_task(State& s, LiveTask& task) {
  const Dropped dropped = drop_task(s, task);
  record_end(s, dropped.leased);
  if (task.record.cancel_requested) {
    finish_task(s, task, Outcome::cancelled,
                {.error = {.kind = "cancelled", .message = "cancelled before it began"}});
    return;
  }
  offer(s, task);
}

void return_index(State& s, LiveArray& array, uint64_t index) {
  const Dropped dropped = drop_index(s, array, index);
  record_end(s, {WorkRef::of(array.record.id, index), dropped.leased.epoch});
  const IndexOverride* own = peek_override(array, index);
  if (own != nullptr && own->cancel_requested && !array.record.cancel_requested) {
    finish_index(s, array, index, Outcome::cancelled,
                 {.error = {.kind = "cancelled", .message = "cancelled before it began"}});
    reoffer(s, array);  // its place in the loop is free
    return;
  }
  put_back(s, array, {index, 1});
  reoffer(s, array);
  if (array.record.cancel_requested && array.leased == 0) {
    s.turn.full_arrays.push_back(array.record.id);
  }
}

}  // namespace tidemill::machine
