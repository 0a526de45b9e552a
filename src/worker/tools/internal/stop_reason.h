#pragma once
// Why a call was told to end before it had: set by the runner, seen by whatever carries the call
// out. A value; any thread.
#include <cstdint>

#include "model/outcome.h"

namespace tidemill::worker {

enum class StopReason : uint8_t { none, cancelled, timeout };

inline TaskError stopped_error(StopReason reason) {
  if (reason == StopReason::timeout) return {"timeout", "the statement took too long", true};
  return {"cancelled", "the call was cancelled", false};
}

}  // namespace tidemill::worker
