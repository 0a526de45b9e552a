#include "machine/internal/validate.h"

#include "model/limits.h"

namespace tidemill::machine {

namespace {

using Why = Refused::Why;

Flaw bad(const std::string& at, const char* field, const std::string& text) {
  return {Why::invalid, at + field + ": " + text};
}

Flaw too_large(const std::string& at, const char* field, uint64_t is, uint64_t most,
               const char* unit) {
  return {Why::too_large, at + field + ": " + std::to_string(is) + " " + unit +
                              ", at most " + std::to_string(most) + " are allowed"};
}

Flaw name_flaw(const std::string& at, const char* field, const std::string& name) {
  if (name.empty()) return bad(at, field, "is empty; give it a name");
  if (name.size() > limits::kNameMax) {
    return too_large(at, field, name.size(), limits::kNameMax, "bytes");
  }
  return {};
}

Flaw key_flaw(const std::string& at, const char* field, const std::string& key) {
  if (key.size() <= limits::kNameMax) return {};
  return too_large(at, field, key.size(), limits::kNameMax, "bytes");
}

Flaw flaw_of(const RetryPolicy& retry, const std::string& at) {
  const auto counts = [&](const char* field, uint32_t n) -> Flaw {
    if (n == 0) return bad(at, field, "is 0; the first try counts, so at least 1");
    if (n <= limits::kMaxAttemptsBound) return {};
    return too_large(at, field, n, limits::kMaxAttemptsBound, "tries");
  };
  if (Flaw flaw = counts("retry.max_attempts", retry.max_attempts)) return flaw;
  if (Flaw flaw = counts("retry.max_crashes", retry.max_crashes)) return flaw;
  if (retry.delay.ns < 0) return bad(at, "retry.delay", "is negative; use 0 or more");
  if (retry.delay_cap.ns < 0) return bad(at, "retry.delay_cap", "is negative; use 0 or more");
  if (retry.jitter_percent > 100) {
    return bad(at, "retry.jitter_percent",
               "is " + std::to_string(retry.jitter_percent) + "; use 0 to 100");
  }
  return {};
}

Flaw flaw_of(const WorkSpec& work, const std::string& at) {
  if (Flaw flaw = name_flaw(at, "queue", work.queue)) return flaw;
  if (Flaw flaw = name_flaw(at, "kind", work.kind)) return flaw;
  if (work.input && work.input->size() > limits::kInputMax) {
    return too_large(at, "input", work.input->size(), limits::kInputMax, "bytes");
  }
  if (work.attempt_timeout.ns < 0) {
    return bad(at, "attempt_timeout", "is negative; use 0 for none");
  }
  return flaw_of(work.retry, at);
}

}  // namespace

Flaw flaw_of(const QueueConfig& config) {
  const std::string at = "queue.";
  if (Flaw flaw = name_flaw(at, "name", config.name)) return flaw;
  if (config.attempt_timeout.ns < 0) {
    return bad(at, "attempt_timeout", "is negative; use 0 for none");
  }
  if (config.ageing.ns < 0) return bad(at, "ageing", "is negative; use 0 for strict priority");
  return flaw_of(config.retry, at);
}

Flaw flaw_of(const TokenRecord& token) {
  const std::string at = "token.";
  if (Flaw flaw = name_flaw(at, "name", token.name)) return flaw;
  for (const char c : token.name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (!plain) return bad(at, "name", "may have letters, digits, '-', '_' and '.' only");
  }
  if (token.expires_at <= token.created_at) {
    return bad(at, "expires_at", "has passed; give a time to come, or none");
  }
  if (token.queues.empty()) return {};
  if (token.kind != TokenKind::worker) {
    return bad(at, "queues", "bind a worker's token only; leave them out, or use kind worker");
  }
  if (token.queues.size() > limits::kTokenQueuesMax) {
    return too_large(at, "queues", token.queues.size(), limits::kTokenQueuesMax, "queues");
  }
  for (size_t i = 0; i < token.queues.size(); ++i) {
    const std::string field = "queues[" + std::to_string(i) + "]";
    if (Flaw flaw = name_flaw(at, field.c_str(), token.queues[i])) return flaw;
  }
  return {};
}

Flaw flaw_of(const TaskSpec& spec, const std::string& at) {
  if (Flaw flaw = flaw_of(spec.work, at)) return flaw;
  if (Flaw flaw = key_flaw(at, "concurrency_key", spec.concurrency_key)) return flaw;
  if (Flaw flaw = key_flaw(at, "idempotency_key", spec.idempotency_key)) return flaw;
  if (spec.after.size() > limits::kAfterMax) {
    return too_large(at, "after", spec.after.size(), limits::kAfterMax, "tasks");
  }
  if (spec.deadline <= spec.run_at) {
    return bad(at, "deadline", "is not later than run_at; the task could never run");
  }
  return {};
}

Flaw flaw_of(const ArraySpec& spec) {
  const std::string at = "array.";
  if (Flaw flaw = flaw_of(spec.work, at)) return flaw;
  if (spec.count > limits::kArrayCountMax) {
    return too_large(at, "count", spec.count, limits::kArrayCountMax, "indexes");
  }
  if (!spec.items.empty() && spec.items.size() != spec.count) {
    return bad(at, "items",
               std::to_string(spec.items.size()) + " items for a count of " +
                   std::to_string(spec.count) + "; give one for each index, or none");
  }
  for (size_t i = 0; i < spec.items.size(); ++i) {
    if (spec.items[i].size() <= limits::kInputMax) continue;
    const std::string field = "items[" + std::to_string(i) + "]";
    return too_large(at, field.c_str(), spec.items[i].size(), limits::kInputMax, "bytes");
  }
  return {};
}

}  // namespace tidemill::machine
