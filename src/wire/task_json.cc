#include "wire/task_json.h"

#include <array>
#include <optional>
#include <utility>

#include "wire/internal/fields.h"
#include "wire/internal/utc_text.h"

namespace tidemill::wire {

namespace {

constexpr std::array<std::string_view, 4> kOutcomes = {"open", "done", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> kTaskStates = {"blocked", "delayed", "ready",
                                                         "suspended"};

// ---- new tasks ----

void write_new_task(JsonWriter& w, const NewTask& t) {
  w.open('{').key("kind").text(t.work.kind);
  if (t.work.queue != "default") w.key("queue").text(t.work.queue);
  if (t.work.input) w.key("input").raw(*t.work.input);
  if (t.work.priority != 0) w.key("priority").number(t.work.priority);
  if (!t.work.needs_slot) w.key("needs_slot").boolean(false);
  if (t.work.retry != RetryPolicy{}) {
    w.key("retry");
    write_retry(w, t.work.retry);
  }
  if (t.work.attempt_timeout.ns > 0)
    w.key("timeout_ms").number(t.work.attempt_timeout.whole_milliseconds());
  if (t.delay.ns > 0) w.key("delay_ms").number(t.delay.whole_milliseconds());
  if (t.run_at.ns > 0) w.key("run_at").text(utc_text(t.run_at));
  if (t.deadline != WallTime::never()) w.key("deadline").text(utc_text(t.deadline));
  if (!t.concurrency_key.empty()) w.key("concurrency_key").text(t.concurrency_key);
  if (!t.idempotency_key.empty()) w.key("idempotency_key").text(t.idempotency_key);
  if (!t.after.empty()) {
    w.key("after").open('[');
    for (const TaskId id : t.after) w.id(id.raw);
    w.close(']');
  }
  if (t.after_any_outcome) w.key("after_any_outcome").boolean(true);
  w.close('}');
}

Status read_time(JsonValue value, WallTime& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  const std::optional<WallTime> time = parse_utc(text);
  if (!time) return Error{ErrorCode::invalid, "expected a time like 2026-01-31T23:59:59Z"};
  out = *time;
  return Ok{};
}

Status read_new_task(JsonValue value, NewTask& out) {
  TIDEMILL_CHECK(each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "kind") return read(v, out.work.kind);
    if (name == "queue") return read(v, out.work.queue);
    if (name == "input") return read_shared_raw(v, out.work.input);
    if (name == "priority") return read(v, out.work.priority);
    if (name == "needs_slot") return read(v, out.work.needs_slot);
    if (name == "retry") return read_retry(v, out.work.retry);
    if (name == "timeout_ms") return read_milliseconds(v, out.work.attempt_timeout);
    if (name == "delay_ms") return read_milliseconds(v, out.delay);
    if (name == "run_at") return read_time(v, out.run_at);
    if (name == "deadline") return read_time(v, out.deadline);
    if (name == "concurrency_key") return read(v, out.concurrency_key);
    if (name == "idempotency_key") return read(v, out.idempotency_key);
    if (name == "after") return read(v, out.after);
    if (name == "after_any_outcome") return read(v, out.after_any_outcome);
    return unknown_field(name, {"kind", "queue", "input", "priority", "needs_slot", "retry",
                                "timeout_ms", "delay_ms", "run_at", "deadline", "concurrency_key",
                                "idempotency_key", "after", "after_any_outcome"});
  }));
  if (out.work.kind.empty()) {
    return Error{ErrorCode::invalid, "kind: is missing; it names the handler that runs the task"};
  }
  return Ok{};
}

// {"NAME": [ … ]} and nothing else.
template <class OnItem>
Status only_list(std::string_view json, std::string_view list, OnItem on_item) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  bool seen = false;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name != list) return unknown_field(name, {list});
    seen = true;
    return each_item(v, on_item);
  }));
  if (!seen) return Error{ErrorCode::invalid, std::string(list) + ": is missing; expected a list"};
  return Ok{};
}

// ---- outcomes ----

Status read_outcome(JsonValue value, Outcome& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  for (size_t i = 0; i < kOutcomes.size(); ++i) {
    if (text != kOutcomes[i]) continue;
    out = static_cast<Outcome>(i);
    return Ok{};
  }
  return Error{ErrorCode::invalid, "expected open, done, failed or cancelled"};
}

Status read_task_outcome(JsonValue value, TaskOutcome& out) {
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "id") return read(v, out.id);
    if (name == "outcome") return read_outcome(v, out.outcome);
    if (name == "unknown") return read(v, out.unknown);
    if (name == "result") return read_raw(v, out.result.inline_json);
    if (name == "blob") return read_blob(v, out.result.blob);
    if (name == "error") return read_error(v, out.error);
    return Ok{};  // of a newer server
  });
}

void write_row(JsonWriter& w, const TaskRow& row) {
  const TaskRecord& t = row.task;
  w.open('{').key("id").id(t.id.raw).key("queue").text(t.work.queue).key("kind").text(t.work.kind);
  w.key("outcome").text(outcome_text(row.outcome));
  if (row.outcome == Outcome::open) w.key("state").text(kTaskStates[static_cast<size_t>(t.state)]);
  if (t.cancel_requested) w.key("cancel_requested").boolean(true);
  w.key("priority").number(t.work.priority).key("round").count(t.round);
  w.key("failures").count(t.attempts).key("crashes").count(t.crashes);
  if (t.work.input) w.key("input").raw(*t.work.input);
  write_result(w, row.result);
  const TaskError& error = row.outcome == Outcome::open ? t.last_error : row.error;
  if (!error.kind.empty()) {
    w.key("error");
    write_error(w, error);
  }
  if (!row.log.empty()) w.key("log").text(row.log);
  write_time(w, "spawned_at", t.spawned_at);
  write_time(w, "run_at", t.run_at);
  write_time(w, "deadline", t.deadline);
  write_time(w, "dispatched_at", row.trace.dispatched);
  write_time(w, "recorded_at", row.recorded);
  if (!t.concurrency_key.empty()) w.key("concurrency_key").text(t.concurrency_key);
  if (!t.idempotency_key.empty()) w.key("idempotency_key").text(t.idempotency_key);
  if (t.work.step)
    w.key("execution").id(t.work.step.execution.raw).key("step").count(t.work.step.step);
  if (row.outcome != Outcome::open) {
    w.key("trace");
    write_trace(w, row.trace);
  }
  w.close('}');
}

}  // namespace

std::string_view outcome_text(Outcome outcome) { return kOutcomes[static_cast<size_t>(outcome)]; }

std::string to_json(const std::vector<NewTask>& tasks) {
  std::string out;
  out.reserve(32 + 192 * tasks.size());
  JsonWriter w(out);
  w.open('{').key("tasks").open('[');
  for (const NewTask& task : tasks) write_new_task(w, task);
  w.close(']').close('}');
  return out;
}

Result<std::vector<NewTask>> parse_new_tasks(std::string_view json) {
  std::vector<NewTask> out;
  TIDEMILL_CHECK(only_list(json, "tasks", [&](JsonValue item) -> Status {
    if (out.size() == limits::kBatchMax) {
      return Error{ErrorCode::too_large, "at most " + std::to_string(limits::kBatchMax) +
                                             " tasks in one batch; send them in several"};
    }
    return read_new_task(item, out.emplace_back());
  }));
  return out;
}

std::string to_json(const std::vector<SpawnedTask>& tasks) {
  std::string out;
  out.reserve(32 + 40 * tasks.size());
  JsonWriter w(out);
  w.open('{').key("tasks").open('[');
  for (const SpawnedTask& task : tasks) {
    w.open('{').key("id").id(task.id.raw);
    if (task.existing) w.key("existing").boolean(true);
    w.close('}');
  }
  w.close(']').close('}');
  return out;
}

Result<std::vector<SpawnedTask>> parse_spawned_tasks(std::string_view json) {
  std::vector<SpawnedTask> out;
  TIDEMILL_CHECK(only_list(json, "tasks", [&](JsonValue item) {
    SpawnedTask& task = out.emplace_back();
    return each_field(item, [&](std::string_view name, JsonValue v) -> Status {
      if (name == "id") return read(v, task.id);
      if (name == "existing") return read(v, task.existing);
      return Ok{};  // of a newer server
    });
  }));
  return out;
}

std::string to_json(const WaitRequest& request) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("ids").open('[');
  for (const TaskId id : request.ids) w.id(id.raw);
  w.close(']').key("for").text(request.wait_for == WaitRequest::For::all ? "all" : "any");
  w.key("timeout_ms").number(request.at_most.whole_milliseconds()).close('}');
  return out;
}

Result<WaitRequest> parse_wait_request(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  WaitRequest out;
  std::string wait_for = "all";
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "ids") return read(v, out.ids);
    if (name == "for") return read(v, wait_for);
    if (name == "timeout_ms") return read_milliseconds(v, out.at_most);
    return unknown_field(name, {"ids", "for", "timeout_ms"});
  }));
  if (wait_for != "all" && wait_for != "any") {
    return Error{ErrorCode::invalid, "for: expected all or any"};
  }
  if (out.ids.empty()) return Error{ErrorCode::invalid, "ids: is missing or empty"};
  if (out.ids.size() > limits::kBatchMax) {
    return Error{ErrorCode::too_large, "ids: at most " + std::to_string(limits::kBatchMax)};
  }
  out.wait_for = wait_for == "any" ? WaitRequest::For::any : WaitRequest::For::all;
  return out;
}

std::string to_json(const std::vector<TaskOutcome>& outcomes) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("outcomes").open('[');
  for (const TaskOutcome& o : outcomes) {
    w.open('{').key("id").id(o.id.raw).key("outcome").text(outcome_text(o.outcome));
    if (o.unknown) w.key("unknown").boolean(true);
    write_result(w, o.result);
    if (!o.error.kind.empty()) {
      w.key("error");
      write_error(w, o.error);
    }
    w.close('}');
  }
  w.close(']').close('}');
  return out;
}

Result<std::vector<TaskOutcome>> parse_task_outcomes(std::string_view json) {
  std::vector<TaskOutcome> out;
  TIDEMILL_CHECK(only_list(json, "outcomes", [&](JsonValue item) {
    return read_task_outcome(item, out.emplace_back());
  }));
  return out;
}

std::string to_json(const TaskRow& row) {
  std::string out;
  JsonWriter w(out);
  write_row(w, row);
  return out;
}

std::string to_json(const std::vector<TaskRow>& rows) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("tasks").open('[');
  for (const TaskRow& row : rows) write_row(w, row);
  w.close(']').close('}');
  return out;
}

}  // namespace tidemill::wire
