#include "wire/execution_json.h"

#include <array>

#include "wire/internal/fields.h"

namespace tidemill::wire {

namespace {

constexpr std::array<std::string_view, 5> kExecutionStates = {"running", "stopping", "done",
                                                              "failed", "cancelled"};
constexpr std::array<std::string_view, 8> kStepStates = {
    "waiting", "expanding", "running", "routing", "done", "failed", "skipped", "cancelled"};

void write_execution(JsonWriter& w, const ExecutionRecord& e) {
  w.open('{').key("id").id(e.id.raw).key("state").text(state_text(e.state));
  w.key("name").text(e.name).key("file").text(e.file).key("playbook").text(hex(e.plan));
  if (e.workload) w.key("workload").raw(*e.workload);
  if (e.parent.task || e.parent.array) {
    w.key("parent").open('{');
    write_work(w, e.parent);
    w.close('}');
  }
  if (e.cancel_requested) w.key("cancel_requested").boolean(true);
  if (!e.error.kind.empty()) {
    w.key("error");
    write_error(w, e.error);
  }
  write_time(w, "started_at", e.started_at);
  write_time(w, "finished_at", e.finished_at);
  w.close('}');
}

void write_step(JsonWriter& w, const StepRecord& s) {
  w.open('{').key("step").count(s.ref.step).key("epoch").count(s.ref.epoch);
  w.key("state").text(kStepStates[static_cast<size_t>(s.state)]);
  if (s.task) w.key("task").id(s.task.raw);
  if (s.array) w.key("array").id(s.array.raw);
  if (s.total > 0) {
    w.key("total").count(s.total).key("done").count(s.done).key("failed").count(s.failed);
  }
  if (!s.error.kind.empty()) {
    w.key("error");
    write_error(w, s.error);
  }
  write_time(w, "entered_at", s.entered_at);
  write_time(w, "finished_at", s.finished_at);
  w.close('}');
}

}  // namespace

std::string_view state_text(ExecutionRecord::State state) {
  return kExecutionStates[static_cast<size_t>(state)];
}

std::string to_json(const NewExecution& execution) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("playbook").text(execution.playbook).key("file").text(execution.file);
  w.key("name").text(execution.name).key("workload").raw(execution.workload).close('}');
  return out;
}

Result<NewExecution> parse_new_execution(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  NewExecution out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "playbook") return read(v, out.playbook);
    if (name == "file") return read(v, out.file);
    if (name == "name") return read(v, out.name);
    if (name == "workload") return read_raw(v, out.workload);
    return unknown_field(name, {"playbook", "file", "name", "workload"});
  }));
  if (out.playbook.empty()) {
    return Error{ErrorCode::invalid, "playbook: is missing; expected the text of a playbook"};
  }
  if (!out.workload.starts_with('{')) {
    return Error{ErrorCode::invalid, "workload: expected an object"};
  }
  if (out.file.empty()) out.file = "playbook.yaml";
  if (out.name.empty()) out.name = out.file;
  return out;
}

std::string to_json(const ExecutionRecord& execution) {
  std::string out;
  JsonWriter w(out);
  write_execution(w, execution);
  return out;
}

std::string to_json(const std::vector<ExecutionRecord>& executions) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("executions").open('[');
  for (const ExecutionRecord& e : executions) write_execution(w, e);
  w.close(']').close('}');
  return out;
}

std::string to_json(const std::vector<StepRecord>& steps) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("steps").open('[');
  for (const StepRecord& s : steps) write_step(w, s);
  w.close(']').close('}');
  return out;
}

Result<ExecutionInfo> parse_execution_info(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ExecutionInfo out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "id") return read(v, out.id);
    if (name == "playbook") return read_sha(v, out.plan);
    if (name == "workload") return read_shared_raw(v, out.workload);
    if (name == "file") return read(v, out.file);
    return Ok{};  // for people
  }));
  return out;
}

}  // namespace tidemill::wire
