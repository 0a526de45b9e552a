#pragma once
// Control: the verbs with which a person steers a running engine: in this process, over the Unix
// socket beside a store, or (later) over HTTP. One thread at a time; each call waits until what it
// did is durable. Errors: not_found, conflict (wrong state; the text says which), unavailable.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/lease.h"

namespace tidemill::client {

enum class CancelUrgency : uint8_t { ask, now };

struct CancelAnswer {
  bool at_once = false;  // false: a worker was asked to stop it
};
struct RetryAnswer {
  uint32_t round = 0;
  bool barrier_had_fired = false;
};

class Control {
 public:
  virtual ~Control() = default;
  virtual Status cancel_execution(ExecutionId id) = 0;
  virtual Status retry_execution(ExecutionId id) = 0;
  virtual Result<CancelAnswer> cancel_work(const WorkRef& work, CancelUrgency urgency) = 0;
  virtual Result<RetryAnswer> retry_work(const WorkRef& work) = 0;
};

}  // namespace tidemill::client
