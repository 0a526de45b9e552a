#pragma once
// Parts that several messages have in common, as JSON and back: work and leases, retry policies,
// errors, traces, results. Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/exchange.h"
#include "wire/internal/json_reader.h"
#include "wire/internal/json_writer.h"

namespace tidemill::wire {

// "task":"7" or "array":"9","first":0,"count":16, and "epoch":"3.1024", into an open object.
void write_work(JsonWriter& w, const WorkRef& work);
void write_epoch(JsonWriter& w, const LeaseEpoch& epoch);
// True when `name` is one of theirs; `status` is then what came of it.
bool read_work_field(std::string_view name, JsonValue value, WorkRef& work, LeaseEpoch& epoch,
                     Status& status);
// Exactly one of task and array is named, and a range is not empty.
Status check_work(const WorkRef& work);

void write_error(JsonWriter& w, const TaskError& error);
Status read_error(JsonValue value, TaskError& out);

// "result": JSON, or "blob": {"sha256", "size"}; nothing for no result. Into an open object.
void write_result(JsonWriter& w, const ResultValue& result);
void write_blob(JsonWriter& w, const ResultRef& blob);
Status read_blob(JsonValue value, ResultRef& out);

// The worker's part of a trace: durations in microseconds, counts.
void write_trace(JsonWriter& w, const Trace& trace);
Status read_trace(JsonValue value, Trace& out);

void write_retry(JsonWriter& w, const RetryPolicy& retry);
Status read_retry(JsonValue value, RetryPolicy& out);

// A time that is set; nothing otherwise.
void write_time(JsonWriter& w, std::string_view key, WallTime time);

void write_shared(JsonWriter& w, std::string_view key, const SharedBytes& bytes);  // as a text
Status read_shared(JsonValue value, SharedBytes& out);
Status read_shared_raw(JsonValue value, SharedBytes& out);

Status read_sha(JsonValue value, Sha256& out);

}  // namespace tidemill::wire
