#include "wire/internal/fields.h"

#include <array>
#include <charconv>
#include <utility>

#include "wire/internal/utc_text.h"

namespace tidemill::wire {

namespace {

constexpr std::array<std::string_view, 4> kBackoffs = {"none", "fixed", "linear", "exponential"};

int64_t whole_microseconds(Duration d) { return d.ns / 1'000; }

void write_us(JsonWriter& w, std::string_view key, Duration d) {
  if (d.ns >= 1'000) w.key(key).number(whole_microseconds(d));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Status read_epoch(JsonValue value, LeaseEpoch& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  const char* end = text.data() + text.size();
  const auto [dot, failed] = std::from_chars(text.data(), end, out.incarnation);
  if (failed == std::errc() && dot != end && *dot == '.') {
    const auto [last, wrong] = std::from_chars(dot + 1, end, out.counter);
    if (wrong == std::errc() && last == end) return Ok{};
  }
  return Error{ErrorCode::invalid, "expected an epoch as it was handed out, like \"3.1024\""};
}

}  // namespace

void write_work(JsonWriter& w, const WorkRef& work) {
  if (work.task) {
    w.key("task").id(work.task.raw);
    return;
  }
  w.key("array").id(work.array.raw).key("first").count(work.first);
  if (work.count != 1) w.key("count").count(work.count);
}

void write_epoch(JsonWriter& w, const LeaseEpoch& epoch) {
  w.key("epoch").dotted(epoch.incarnation, epoch.counter);
}

bool read_work_field(std::string_view name, JsonValue value, WorkRef& work, LeaseEpoch& epoch,
                     Status& status) {
  if (name == "task") {
    status = read(value, work.task);
  } else if (name == "epoch") {
    status = read_epoch(value, epoch);
  } else if (name == "array") {
    status = read(value, work.array);
  } else if (name == "first") {
    status = read(value, work.first);
  } else if (name == "count") {
    status = read(value, work.count);
  } else {
    return false;
  }
  return true;
}

Status check_work(const WorkRef& work) {
  const bool one = static_cast<bool>(work.task) != static_cast<bool>(work.array);
  if (!one) return Error{ErrorCode::invalid, "names neither or both of 'task' and 'array'"};
  if (work.task && (work.first != 0 || work.count != 1)) {
    return Error{ErrorCode::invalid, "'first' and 'count' go with 'array' only"};
  }
  if (work.count == 0 || work.count > limits::kArrayCountMax ||
      work.first > limits::kArrayCountMax) {
    return Error{ErrorCode::invalid, "'first' and 'count' are no range of an array"};
  }
  return Ok{};
}

void write_error(JsonWriter& w, const TaskError& error) {
  w.open('{').key("kind").text(error.kind).key("message").text(error.message);
  if (!error.retryable) w.key("retryable").boolean(false);
  w.close('}');
}

Status read_error(JsonValue value, TaskError& out) {
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "kind") return read(v, out.kind);
    if (name == "message") return read(v, out.message);
    if (name == "retryable") return read(v, out.retryable);
    return unknown_field(name, {"kind", "message", "retryable"});
  });
}

void write_result(JsonWriter& w, const ResultValue& result) {
  if (result.blob.place == ResultRef::Place::blob) {
    w.key("blob");
    write_blob(w, result.blob);
  } else if (!result.inline_json.empty()) {
    w.key("result").raw(result.inline_json);
  }
}

void write_blob(JsonWriter& w, const ResultRef& blob) {
  w.open('{').key("sha256").text(hex(blob.blob)).key("size").count(blob.size).close('}');
}

Status read_blob(JsonValue value, ResultRef& out) {
  out.place = ResultRef::Place::blob;
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "sha256") return read_sha(v, out.blob);
    if (name == "size") return read(v, out.size);
    return unknown_field(name, {"sha256", "size"});
  });
}

void write_trace(JsonWriter& w, const Trace& trace) {
  w.open('{');
  write_us(w, "inputs_ready_us", trace.inputs_ready);
  write_us(w, "started_us", trace.started);
  write_us(w, "finished_us", trace.finished);
  write_us(w, "sent_us", trace.sent);
  write_us(w, "cpu_us", trace.cpu);
  if (trace.bytes_in > 0) w.key("bytes_in").count(trace.bytes_in);
  if (trace.bytes_out > 0) w.key("bytes_out").count(trace.bytes_out);
  if (trace.calls > 0) w.key("calls").count(trace.calls);
  w.close('}');
}

Status read_trace(JsonValue value, Trace& out) {
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "inputs_ready_us") return read_microseconds(v, out.inputs_ready);
    if (name == "started_us") return read_microseconds(v, out.started);
    if (name == "finished_us") return read_microseconds(v, out.finished);
    if (name == "sent_us") return read_microseconds(v, out.sent);
    if (name == "cpu_us") return read_microseconds(v, out.cpu);
    if (name == "bytes_in") return read(v, out.bytes_in);
    if (name == "bytes_out") return read(v, out.bytes_out);
    if (name == "calls") return read(v, out.calls);
    return unknown_field(name, {"inputs_ready_us", "started_us", "finished_us", "sent_us", "cpu_us",
                                "bytes_in", "bytes_out", "calls"});
  });
}

void write_retry(JsonWriter& w, const RetryPolicy& retry) {
  w.open('{').key("max_attempts").count(retry.max_attempts);
  w.key("max_crashes").count(retry.max_crashes);
  w.key("backoff").text(kBackoffs[static_cast<size_t>(retry.backoff)]);
  w.key("delay_ms").number(retry.delay.whole_milliseconds());
  w.key("delay_cap_ms").number(retry.delay_cap.whole_milliseconds());
  w.key("jitter_percent").count(retry.jitter_percent);
  w.key("fatal_kinds").open('[');
  for (const std::string& kind : retry.fatal_kinds) w.text(kind);
  w.close(']').close('}');
}

Status read_retry(JsonValue value, RetryPolicy& out) {
  const auto backoff = [&](JsonValue v) -> Status {
    std::string text;
    TIDEMILL_CHECK(read(v, text));
    for (size_t i = 0; i < kBackoffs.size(); ++i) {
      if (text != kBackoffs[i]) continue;
      out.backoff = static_cast<Backoff>(i);
      return Ok{};
    }
    return Error{ErrorCode::invalid, "expected none, fixed, linear or exponential"};
  };
  return each_field(value, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "max_attempts") return read(v, out.max_attempts);
    if (name == "max_crashes") return read(v, out.max_crashes);
    if (name == "backoff") return backoff(v);
    if (name == "delay_ms") return read_milliseconds(v, out.delay);
    if (name == "delay_cap_ms") return read_milliseconds(v, out.delay_cap);
    if (name == "jitter_percent") return read(v, out.jitter_percent);
    if (name == "fatal_kinds") return read(v, out.fatal_kinds);
    return unknown_field(name, {"max_attempts", "max_crashes", "backoff", "delay_ms",
                                "delay_cap_ms", "jitter_percent", "fatal_kinds"});
  });
}

void write_time(JsonWriter& w, std::string_view key, WallTime time) {
  if (time.ns > 0 && time != WallTime::never()) w.key(key).text(utc_text(time));
}

void write_shared(JsonWriter& w, std::string_view key, const SharedBytes& bytes) {
  if (bytes) w.key(key).text(*bytes);
}

Status read_shared(JsonValue value, SharedBytes& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  out = std::make_shared<const std::string>(std::move(text));
  return Ok{};
}

Status read_shared_raw(JsonValue value, SharedBytes& out) {
  std::string text;
  TIDEMILL_CHECK(read_raw(value, text));
  out = std::make_shared<const std::string>(std::move(text));
  return Ok{};
}

Status read_sha(JsonValue value, Sha256& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  bool good = text.size() == 2 * out.size();
  for (size_t i = 0; good && i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  if (!good) return Error{ErrorCode::invalid, "expected a SHA-256: 64 digits 0-9a-f"};
  return Ok{};
}

}  // namespace tidemill::wire
