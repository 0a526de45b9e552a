#include "sdk/internal/translate.h"

#include <utility>

#include "os/environment.h"
#include "sdk/internal/json_access.h"

namespace tidemill::sdk {

namespace {

constexpr const char* kUsualUrl = "http://127.0.0.1:7117";

ErrorCode code_of(tidemill::ErrorCode code) {
  switch (code) {
    case tidemill::ErrorCode::invalid:
      return ErrorCode::invalid;
    case tidemill::ErrorCode::too_large:
      return ErrorCode::too_large;
    case tidemill::ErrorCode::not_found:
      return ErrorCode::not_found;
    case tidemill::ErrorCode::unavailable:
      return ErrorCode::unavailable;
    case tidemill::ErrorCode::conflict:
      return ErrorCode::conflict;
    case tidemill::ErrorCode::timeout:
      return ErrorCode::timeout;
    case tidemill::ErrorCode::disk_full:
      return ErrorCode::disk_full;
    case tidemill::ErrorCode::denied:
      return ErrorCode::denied;
    case tidemill::ErrorCode::corrupt:
      return ErrorCode::corrupt;
    case tidemill::ErrorCode::io:
      break;
  }
  return ErrorCode::io;
}

Duration duration_of(std::chrono::milliseconds time) { return milliseconds(time.count()); }

RetryPolicy policy_of(const Retry& retry) {
  RetryPolicy out;
  out.max_attempts = retry.max_attempts;
  out.max_crashes = retry.max_crashes;
  out.backoff = static_cast<tidemill::Backoff>(retry.backoff);  // the same words in the same order
  out.delay = duration_of(retry.delay);
  out.delay_cap = duration_of(retry.delay_cap);
  out.jitter_percent = retry.jitter_percent;
  out.fatal_kinds = retry.fatal_kinds;
  return out;
}

SharedBytes text_of(const Json& json) { return std::make_shared<const std::string>(json.str()); }

State state_of(tidemill::Outcome outcome) {
  switch (outcome) {
    case tidemill::Outcome::done:
      return State::done;
    case tidemill::Outcome::failed:
      return State::failed;
    case tidemill::Outcome::cancelled:
      return State::cancelled;
    case tidemill::Outcome::open:
      break;
  }
  return State::open;
}

Json result_of(const ResultValue& value) {
  return value.inline_json.empty() ? Json() : JsonAccess::trusted(value.inline_json);
}

}  // namespace

Error outer(tidemill::Error error) { return {code_of(error.code), std::move(error.what)}; }

Address address_of(const Server& server) {
  Address out{server.url, server.token};
  if (out.url.empty()) out.url = os::environment("TIDEMILL_SERVER").value_or(kUsualUrl);
  if (out.token.empty()) out.token = os::environment("TIDEMILL_TOKEN").value_or("");
  return out;
}

tidemill::Result<net::HttpClientOptions> client_options(const Server& server) {
  const Address address = address_of(server);
  const auto file = [](const char* name) { return os::environment(name).value_or(""); };
  return net::client_options(
      address.url, address.token,
      {file("TIDEMILL_TLS_CA"), file("TIDEMILL_TLS_CERT"), file("TIDEMILL_TLS_KEY")});
}

wire::NewTask inner(const Task& task) {
  wire::NewTask out;
  out.work.queue = task.queue;
  out.work.kind = task.kind;
  out.work.input = text_of(task.input);
  out.work.priority = task.priority;
  out.work.needs_slot = task.needs_slot;
  out.work.retry = policy_of(task.retry);
  out.work.attempt_timeout = duration_of(task.timeout);
  out.delay = duration_of(task.delay);
  out.concurrency_key = task.concurrency_key;
  out.idempotency_key = task.idempotency_key;
  out.after.reserve(task.after.size());
  for (const TaskId id : task.after) out.after.push_back({id.value});
  out.after_any_outcome = task.after_any_outcome;
  return out;
}

wire::NewArray inner(const Array& array) {
  wire::NewArray out;
  out.work.queue = array.queue;
  out.work.kind = array.kind;
  out.work.input = text_of(array.input);
  out.work.priority = array.priority;
  out.work.retry = policy_of(array.retry);
  out.work.attempt_timeout = duration_of(array.timeout);
  out.count = array.items.empty() ? array.count : array.items.size();
  out.items.reserve(array.items.size());
  for (const Json& item : array.items) out.items.push_back(item.str());
  out.max_in_flight = array.max_in_flight;
  out.max_failed = array.max_failed;
  return out;
}

QueueConfig inner(const QueueOptions& options) {
  QueueConfig out;
  out.concurrency = options.concurrency;
  out.key_concurrency = options.key_concurrency;
  out.attempt_timeout = duration_of(options.timeout);
  out.ageing = duration_of(options.ageing);
  out.order = options.fair ? Order::fair : Order::fifo;
  out.durability = options.durable ? Durability::durable : Durability::relaxed;
  out.paused = options.paused;
  return out;
}

Outcome outer(const wire::TaskOutcome& told) {
  return {{told.id.raw},
          state_of(told.outcome),
          result_of(told.result),
          told.error.kind,
          told.error.message};
}

IndexOutcome outer(const wire::IndexTold& told) {
  return {told.index, state_of(told.outcome), result_of(told.result), told.error.kind,
          told.error.message};
}

ArrayState outer(const wire::ArrayState& told) {
  return {told.count, told.done, told.failed, told.cancelled, told.finished};
}

}  // namespace tidemill::sdk
