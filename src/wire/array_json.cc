#include "wire/array_json.h"

#include <utility>

#include "wire/internal/fields.h"
#include "wire/task_json.h"

namespace tidemill::wire {

namespace {

Status read_array_items(JsonValue value, std::vector<std::string>& out) {
  return each_item(value, [&](JsonValue item) -> Status {
    if (out.size() == limits::kBatchMax) {
      return Error{ErrorCode::too_large,
                   "at most " + std::to_string(limits::kBatchMax) +
                       " items in one array; `count` has room for more, and what a handler needs "
                       "can often be made of the index"};
    }
    return read_raw(item, out.emplace_back());
  });
}

Status read_array_outcome(JsonValue value, Outcome& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  for (const Outcome o : {Outcome::open, Outcome::done, Outcome::failed, Outcome::cancelled}) {
    if (text != outcome_text(o)) continue;
    out = o;
    return Ok{};
  }
  return Error{ErrorCode::invalid, "expected open, done, failed or cancelled"};
}

Status read_index(JsonValue value, IndexTold& out) {
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "index") return read(v, out.index);
    if (name == "outcome") return read_array_outcome(v, out.outcome);
    if (name == "result") return read_raw(v, out.result.inline_json);
    if (name == "blob") return read_blob(v, out.result.blob);
    if (name == "error") return read_error(v, out.error);
    return Ok{};  // of a newer server
  });
}

}  // namespace

std::string to_json(const NewArray& array) {
  std::string out;
  JsonWriter w(out);
  const WorkSpec& work = array.work;
  w.open('{').key("kind").text(work.kind);
  if (work.queue != "default") w.key("queue").text(work.queue);
  if (work.input) w.key("input").raw(*work.input);
  if (work.priority != 0) w.key("priority").number(work.priority);
  if (!work.needs_slot) w.key("needs_slot").boolean(false);
  if (work.retry != RetryPolicy{}) {
    w.key("retry");
    write_retry(w, work.retry);
  }
  if (work.attempt_timeout.ns > 0)
    w.key("timeout_ms").number(work.attempt_timeout.whole_milliseconds());
  if (array.max_in_flight > 0) w.key("max_in_flight").count(array.max_in_flight);
  if (array.max_failed != UINT64_MAX) w.key("max_failed").count(array.max_failed);
  if (array.items.empty()) {
    w.key("count").count(array.count);
  } else {
    w.key("items").open('[');
    for (const std::string& item : array.items) w.raw(item);
    w.close(']');
  }
  w.close('}');
  return out;
}

Result<NewArray> parse_new_array(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  NewArray out;
  bool counted = false;
  bool listed = false;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "kind") return read(v, out.work.kind);
    if (name == "queue") return read(v, out.work.queue);
    if (name == "input") return read_shared_raw(v, out.work.input);
    if (name == "priority") return read(v, out.work.priority);
    if (name == "needs_slot") return read(v, out.work.needs_slot);
    if (name == "retry") return read_retry(v, out.work.retry);
    if (name == "timeout_ms") return read_milliseconds(v, out.work.attempt_timeout);
    if (name == "max_in_flight") return read(v, out.max_in_flight);
    if (name == "max_failed") return read(v, out.max_failed);
    counted = counted || name == "count";
    if (name == "count") return read(v, out.count);
    listed = listed || name == "items";
    if (name == "items") return read_array_items(v, out.items);
    return unknown_field(name, {"kind", "queue", "input", "priority", "needs_slot", "retry",
                                "timeout_ms", "max_in_flight", "max_failed", "count", "items"});
  }));
  if (out.work.kind.empty()) {
    return Error{ErrorCode::invalid, "kind: is missing; it names the handler that runs the array"};
  }
  if (counted == listed) {
    return Error{ErrorCode::invalid,
                 "expected one of `count` and `items`: how many indexes it has"};
  }
  if (listed) out.count = out.items.size();
  return out;
}

std::string to_json(ArrayId id) {
  std::string out;
  JsonWriter(out).open('{').key("id").id(id.raw).close('}');
  return out;
}

Result<ArrayId> parse_array_id(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ArrayId id;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    return name == "id" ? read(v, id) : Status(Ok{});
  }));
  return id;
}

std::string to_json(const ArrayRow& row) {
  const ArrayRecord& a = row.array;
  std::string out;
  JsonWriter w(out);
  w.open('{').key("id").id(a.id.raw).key("queue").text(a.work.queue).key("kind").text(a.work.kind);
  w.key("priority").number(a.work.priority).key("count").count(a.count);
  w.key("done").count(row.done).key("failed").count(row.failed);
  w.key("cancelled").count(row.cancelled).key("finished").boolean(row.finished);
  if (a.cancel_requested) w.key("cancel_requested").boolean(true);
  if (a.work.input) w.key("input").raw(*a.work.input);
  write_time(w, "spawned_at", a.spawned_at);
  write_time(w, "finished_at", row.finished_at);
  w.close('}');
  return out;
}

Result<ArrayState> parse_array_state(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ArrayState out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "id") return read(v, out.id);
    if (name == "count") return read(v, out.count);
    if (name == "done") return read(v, out.done);
    if (name == "failed") return read(v, out.failed);
    if (name == "cancelled") return read(v, out.cancelled);
    if (name == "finished") return read(v, out.finished);
    return Ok{};  // what is for people
  }));
  return out;
}

std::string to_json(const std::vector<IndexRow>& rows) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("results").open('[');
  for (const IndexRow& row : rows) {
    const IndexOutcome& o = row.outcome;
    w.open('{').key("index").count(o.index).key("outcome").text(outcome_text(o.outcome));
    if (o.attempt != 1) w.key("attempt").count(o.attempt);
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

Result<std::vector<IndexTold>> parse_index_results(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  std::vector<IndexTold> out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name != "results") return Ok{};
    return each_item(v, [&](JsonValue item) { return read_index(item, out.emplace_back()); });
  }));
  return out;
}

}  // namespace tidemill::wire
