#pragma once
// The control verbs as lines of text, for the Unix socket beside a store: one line asked, one line
// answered, so that a person can use it by hand too.
//
//   cancel-execution 17        → ok
//   cancel-task 21 now         → ok at-once=1
//   retry-index 40 7           → ok round=2 barrier-fired=0
//   anything wrong             → error conflict task 21 is not finished; …
//
// Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/lease.h"

namespace tidemill::wire {

struct ControlRequest {
  enum class Verb : uint8_t { cancel_execution, retry_execution, cancel_work, retry_work };
  Verb verb = Verb::cancel_execution;
  ExecutionId execution;
  WorkRef work;
  bool now = false;  // cancel_work: the lease ends at once
};

struct ControlAnswer {
  bool at_once = false;
  uint32_t round = 0;
  bool barrier_fired = false;
};

std::string format(const ControlRequest& request);
// Errors: invalid, naming the word that is wrong.
Result<ControlRequest> parse_control_request(std::string_view line);

std::string format(const Result<ControlAnswer>& answer);
// The error of an `error` line, or invalid when the line is neither.
Result<ControlAnswer> parse_control_answer(std::string_view line);

}  // namespace tidemill::wire
