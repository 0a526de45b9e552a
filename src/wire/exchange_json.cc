#include "wire/exchange_json.h"

#include <array>
#include <utility>

#include "wire/internal/fields.h"

namespace tidemill::wire {

namespace {

constexpr std::array<std::string_view, 5> kReportKinds = {"done", "failed", "suspended", "returned",
                                                          "started"};

void write_leased(JsonWriter& w, std::string_view key, const std::vector<LeasedWork>& all) {
  if (all.empty()) return;
  w.key(key).open('[');
  for (const LeasedWork& one : all) {
    w.open('{');
    write_work(w, one.work);
    write_epoch(w, one.epoch);
    w.close('}');
  }
  w.close(']');
}

Status read_leased(JsonValue value, std::vector<LeasedWork>& out) {
  return each_item(value, [&](JsonValue item) -> Status {
    LeasedWork& one = out.emplace_back();
    TIDEMILL_CHECK(each_field(item, [&](std::string_view name, JsonValue v) -> Status {
      Status status = Ok{};
      if (read_work_field(name, v, one.work, one.epoch, status)) return status;
      return unknown_field(name, {"task", "array", "first", "count", "epoch"});
    }));
    return check_work(one.work);
  });
}

// ---- reports ----

void write_child(JsonWriter& w, const Report::Child& child) {
  w.key("child").open('{').key("path").text(child.path).key("plan").text(hex(child.plan));
  w.key("key").text(child.key);
  write_shared(w, "input", child.input);
  if (!child.return_step.empty()) w.key("return_step").text(child.return_step);
  if (child.timeout.ns > 0) w.key("timeout_ms").number(child.timeout.whole_milliseconds());
  w.close('}');
}

Status read_child(JsonValue value, Report::Child& out) {
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "path") return read(v, out.path);
    if (name == "plan") return read_sha(v, out.plan);
    if (name == "key") return read(v, out.key);
    if (name == "input") return read_shared(v, out.input);
    if (name == "return_step") return read(v, out.return_step);
    if (name == "timeout_ms") return read_milliseconds(v, out.timeout);
    return unknown_field(name, {"path", "plan", "key", "input", "return_step", "timeout_ms"});
  });
}

void write_report(JsonWriter& w, const Report& r) {
  w.open('{').key("kind").text(kReportKinds[static_cast<size_t>(r.kind)]);
  write_work(w, r.work);
  write_epoch(w, r.epoch);
  write_result(w, r.result);
  if (!r.results.empty()) {
    w.key("results").open('[');
    for (const std::string& result : r.results) w.raw(result);
    w.close(']');
  }
  write_shared(w, "routing", r.routing);
  if (r.routing_too_large) w.key("routing_too_large").boolean(true);
  if (!r.loop_items.empty()) {
    w.key("loop_items").open('[');
    for (const std::string& item : r.loop_items) w.raw(item);
    w.close(']');
  }
  write_shared(w, "ctx_writes", r.ctx_writes);
  if (r.kind == Report::Kind::failed) {
    w.key("error");
    write_error(w, r.error);
  }
  write_shared(w, "resume_with", r.resume_with);
  if (r.kind == Report::Kind::suspended) write_child(w, r.child);
  if (!r.log.empty()) w.key("log").text(r.log);
  w.key("trace");
  write_trace(w, r.trace);
  w.close('}');
}

Status read_kind(JsonValue value, Report::Kind& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  for (size_t i = 0; i < kReportKinds.size(); ++i) {
    if (text != kReportKinds[i]) continue;
    out = static_cast<Report::Kind>(i);
    return Ok{};
  }
  return Error{ErrorCode::invalid, "expected done, failed, suspended, returned or started"};
}

Status read_raw_items(JsonValue value, std::vector<std::string>& out) {
  return each_item(value, [&](JsonValue item) { return read_raw(item, out.emplace_back()); });
}

Status check_results(const Report& report) {
  constexpr const char* kTooLarge = "larger than 64 KiB; store it with POST /v1/blobs and name it";
  if (report.result.inline_json.size() > limits::kInlineMax) {
    return Error{ErrorCode::too_large, std::string("result: ") + kTooLarge};
  }
  if (report.results.empty()) return Ok{};
  if (!report.work.array || report.results.size() != report.work.count) {
    return Error{ErrorCode::invalid, "results: expected one for each index of a range"};
  }
  for (const std::string& result : report.results) {
    if (result.size() <= limits::kInlineMax) continue;
    return Error{ErrorCode::too_large, std::string("results: one is ") + kTooLarge};
  }
  return Ok{};
}

Status read_report(JsonValue value, Report& out) {
  TIDEMILL_CHECK(each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    Status status = Ok{};
    if (read_work_field(name, v, out.work, out.epoch, status)) return status;
    if (name == "kind") return read_kind(v, out.kind);
    if (name == "result") return read_raw(v, out.result.inline_json);
    if (name == "results") return read_raw_items(v, out.results);
    if (name == "blob") return read_blob(v, out.result.blob);
    if (name == "routing") return read_shared(v, out.routing);
    if (name == "routing_too_large") return read(v, out.routing_too_large);
    if (name == "loop_items") return read_raw_items(v, out.loop_items);
    if (name == "ctx_writes") return read_shared(v, out.ctx_writes);
    if (name == "error") return read_error(v, out.error);
    if (name == "resume_with") return read_shared(v, out.resume_with);
    if (name == "child") return read_child(v, out.child);
    if (name == "log") return read(v, out.log);
    if (name == "trace") return read_trace(v, out.trace);
    return unknown_field(name, {"kind", "task", "array", "first", "count", "epoch", "result",
                                "results", "blob", "routing", "routing_too_large", "loop_items",
                                "ctx_writes", "error", "resume_with", "child", "log", "trace"});
  }));
  TIDEMILL_CHECK(check_work(out.work));
  return check_results(out);
}

// ---- assignments ----

void write_assignment(JsonWriter& w, const Assignment& a) {
  w.open('{');
  write_work(w, a.work);
  write_epoch(w, a.epoch);
  w.key("queue").text(a.queue).key("kind").text(a.kind);
  if (a.attempt != 1) w.key("attempt").count(a.attempt);
  if (a.input) w.key("input").raw(*a.input);
  if (!a.items.empty()) {
    w.key("items").open('[');
    for (const std::string& item : a.items) w.raw(item);
    w.close(']');
  }
  if (a.array_count > 0) w.key("array_count").count(a.array_count);
  if (a.step) {
    w.key("execution").id(a.step.execution.raw).key("step").count(a.step.step);
    w.key("step_epoch").count(a.step.epoch);
  }
  write_shared(w, "resumed_with", a.resumed_with);
  if (a.child) {
    w.key("child").open('{').key("failed").boolean(a.child->failed);
    if (a.child->result.place != ResultRef::Place::none) {
      const ResultRef& ref = a.child->result;
      w.key("place").count(static_cast<uint64_t>(ref.place)).key("task").id(ref.task.raw);
      w.key("array").id(ref.array.raw).key("blob");
      write_blob(w, ref);
    }
    w.key("error");
    write_error(w, a.child->error);
    w.close('}');
  }
  if (a.attempt_timeout.ns > 0) w.key("timeout_ms").number(a.attempt_timeout.whole_milliseconds());
  if (!a.needs_slot) w.key("needs_slot").boolean(false);
  w.close('}');
}

Status read_child_result(JsonValue value, std::shared_ptr<const ChildResult>& out) {
  ChildResult child;
  uint64_t place = 0;
  TIDEMILL_CHECK(each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "failed") return read(v, child.failed);
    if (name == "place") return read(v, place);
    if (name == "task") return read(v, child.result.task);
    if (name == "array") return read(v, child.result.array);
    if (name == "blob") return read_blob(v, child.result);
    if (name == "error") return read_error(v, child.error);
    return unknown_field(name, {"failed", "place", "task", "array", "blob", "error"});
  }));
  if (place > static_cast<uint64_t>(ResultRef::Place::blob)) {
    return Error{ErrorCode::invalid, "place: expected a number from 0 to 3"};
  }
  child.result.place = static_cast<ResultRef::Place>(place);
  out = std::make_shared<const ChildResult>(std::move(child));
  return Ok{};
}

Status read_assignment(JsonValue value, Assignment& out) {
  TIDEMILL_CHECK(each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    Status status = Ok{};
    if (read_work_field(name, v, out.work, out.epoch, status)) return status;
    if (name == "queue") return read(v, out.queue);
    if (name == "kind") return read(v, out.kind);
    if (name == "attempt") return read(v, out.attempt);
    if (name == "input") return read_shared_raw(v, out.input);
    if (name == "items") return read_raw_items(v, out.items);
    if (name == "array_count") return read(v, out.array_count);
    if (name == "execution") return read(v, out.step.execution);
    if (name == "step") return read(v, out.step.step);
    if (name == "step_epoch") return read(v, out.step.epoch);
    if (name == "resumed_with") return read_shared(v, out.resumed_with);
    if (name == "child") return read_child_result(v, out.child);
    if (name == "timeout_ms") return read_milliseconds(v, out.attempt_timeout);
    if (name == "needs_slot") return read(v, out.needs_slot);
    return Ok{};  // of a newer server
  }));
  return check_work(out.work);
}

}  // namespace

// ---- the two messages ----

std::string to_json(const ExchangeRequest& r) {
  std::string out;
  out.reserve(256 + 192 * r.reports.size());
  JsonWriter w(out);
  w.open('{');
  if (r.session) w.key("session").id(r.session.raw);
  w.key("number").count(r.number);
  if (r.last_reply > 0) w.key("last_reply").count(r.last_reply);
  w.key("free_slots").count(r.free_slots).key("free_places").count(r.free_places);
  if (r.spare_places > 0) w.key("spare_places").count(r.spare_places);
  if (!r.kinds.empty()) {
    w.key("kinds").open('[');
    for (const std::string& kind : r.kinds) w.text(kind);
    w.close(']');
  }
  if (!r.wait) w.key("wait").boolean(false);
  if (r.draining) w.key("draining").boolean(true);
  write_leased(w, "held", r.held);
  if (!r.reports.empty()) {
    w.key("reports").open('[');
    for (const Report& report : r.reports) write_report(w, report);
    w.close(']');
  }
  w.close('}');
  return out;
}

Result<ExchangeRequest> parse_exchange_request(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ExchangeRequest out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "session") return read(v, out.session);
    if (name == "number") return read(v, out.number);
    if (name == "last_reply") return read(v, out.last_reply);
    if (name == "free_slots") return read(v, out.free_slots);
    if (name == "free_places") return read(v, out.free_places);
    if (name == "spare_places") return read(v, out.spare_places);
    if (name == "kinds") return read(v, out.kinds);
    if (name == "wait") return read(v, out.wait);
    if (name == "draining") return read(v, out.draining);
    if (name == "held") return read_leased(v, out.held);
    if (name == "reports") {
      return each_item(
          v, [&](JsonValue item) { return read_report(item, out.reports.emplace_back()); });
    }
    return unknown_field(name, {"session", "number", "last_reply", "free_slots", "free_places",
                                "spare_places", "kinds", "wait", "draining", "held", "reports"});
  }));
  const bool bounded = out.free_slots <= limits::kSlotsBound &&
                       out.free_places <= limits::kPlacesBound &&
                       out.spare_places <= limits::kPlacesBound;
  if (!bounded) {
    return Error{ErrorCode::too_large, "a worker has at most " +
                                           std::to_string(limits::kSlotsBound) + " slots and " +
                                           std::to_string(limits::kPlacesBound) + " places"};
  }
  return out;
}

std::string to_json(const ExchangeReply& r) {
  std::string out;
  out.reserve(256 + 256 * r.assignments.size());
  JsonWriter w(out);
  w.open('{').key("session").id(r.session.raw).key("number").count(r.number);
  w.key("incarnation").count(r.incarnation);
  if (r.session_unknown) w.key("session_unknown").boolean(true);
  if (!r.answers.empty()) {
    w.key("answers").open('[');
    for (const ReportAnswer answer : r.answers) {
      w.text(answer == ReportAnswer::recorded ? "recorded" : "lease_lost");
    }
    w.close(']');
  }
  if (!r.assignments.empty()) {
    w.key("assignments").open('[');
    for (const Assignment& a : r.assignments) write_assignment(w, a);
    w.close(']');
  }
  write_leased(w, "recalls", r.recalls);
  write_leased(w, "cancels", r.cancels);
  w.key("lease_ms").number(r.lease.whole_milliseconds()).close('}');
  return out;
}

Result<ExchangeReply> parse_exchange_reply(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ExchangeReply out;
  const auto read_answers = [&](JsonValue v) {
    return each_item(v, [&](JsonValue item) -> Status {
      std::string answer;
      TIDEMILL_CHECK(read(item, answer));
      out.answers.push_back(answer == "recorded" ? ReportAnswer::recorded
                                                 : ReportAnswer::lease_lost);
      return Ok{};
    });
  };
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "session") return read(v, out.session);
    if (name == "number") return read(v, out.number);
    if (name == "incarnation") return read(v, out.incarnation);
    if (name == "session_unknown") return read(v, out.session_unknown);
    if (name == "answers") return read_answers(v);
    if (name == "assignments") {
      return each_item(
          v, [&](JsonValue item) { return read_assignment(item, out.assignments.emplace_back()); });
    }
    if (name == "recalls") return read_leased(v, out.recalls);
    if (name == "cancels") return read_leased(v, out.cancels);
    if (name == "lease_ms") return read_milliseconds(v, out.lease);
    return Ok{};  // of a newer server
  }));
  return out;
}

}  // namespace tidemill::wire
