#pragma once
// A queue's policies as JSON (docs/protocol.md). Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/policy.h"

namespace tidemill::wire {

std::string to_json(const QueueConfig& config);
// What is not named has its usual value. Errors: invalid, naming the path of what is wrong.
Result<QueueConfig> parse_queue_config(std::string_view json);

}  // namespace tidemill::wire
