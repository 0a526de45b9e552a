#pragma once
// Whether a failed attempt is followed by another, and when. Pure functions of the policy; any
// thread.
#include <cstdint>

#include "model/outcome.h"
#include "model/policy.h"
#include "model/records.h"

namespace tidemill::machine {

// `attempts` and `crashes` count the one that has just ended.
bool may_retry(const RetryPolicy& policy, uint32_t attempts, uint32_t crashes,
               AttemptRecord::End end, const TaskError& error);

// The wait before the attempt after `attempts` failures. The jitter shortens it by up to its share
// and is drawn from (seed, identity, attempts), so that the same commands give the same times.
Duration backoff_delay(const RetryPolicy& policy, uint32_t attempts, uint64_t seed,
                       uint64_t identity);

}  // namespace tidemill::machine
