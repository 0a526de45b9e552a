#include "machine/internal/retry_policy.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"

namespace tidemill::machine {

bool may_retry(const RetryPolicy& policy, uint32_t attempts, uint32_t crashes,
               AttemptRecord::End end, const TaskError& error) {
  if (end == AttemptRecord::End::crashed) return crashes < policy.max_crashes;
  TIDEMILL_ASSERT(attempts > 0);
  if (!error.retryable) return false;
  const auto& fatal = policy.fatal_kinds;
  if (std::find(fatal.begin(), fatal.end(), error.kind) != fatal.end()) return false;
  return attempts < policy.max_attempts;
}

Duration backoff_delay(const RetryPolicy& policy, uint32_t attempts, uint64_t seed,
                       uint64_t identity) {
  TIDEMILL_ASSERT(attempts > 0);
  Duration delay;
  switch (policy.backoff) {
    case Backoff::none:
      return {};
    case Backoff::fixed:
      delay = policy.delay;
      break;
    case Backoff::linear:
      if (__builtin_mul_overflow(policy.delay.ns, static_cast<int64_t>(attempts), &delay.ns)) {
        delay = policy.delay_cap;
      }
      break;
    case Backoff::exponential: {
      const uint32_t doublings = attempts - 1;
      const bool fits = doublings < 62 && policy.delay.ns <= (INT64_MAX >> doublings);
      delay = fits ? Duration{policy.delay.ns << doublings} : policy.delay_cap;
      break;
    }
  }
  delay = std::min(delay, policy.delay_cap);
  if (policy.jitter_percent == 0) return delay;
  const uint64_t draw = mix64(mix64(seed ^ identity) + attempts) % 1'000;
  const int64_t widest = delay.ns / 100 * std::min<int64_t>(policy.jitter_percent, 100);
  return Duration{delay.ns - widest / 1'000 * static_cast<int64_t>(draw)};
}

}  // namespace tidemill::machine
