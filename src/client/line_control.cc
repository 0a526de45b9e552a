#include "client/line_control.h"

namespace tidemill::client {

using Verb = wire::ControlRequest::Verb;

Status LineControl::cancel_execution(ExecutionId id) {
  TIDEMILL_CHECK(carry_out({.verb = Verb::cancel_execution, .execution = id}));
  return Ok{};
}

Status LineControl::retry_execution(ExecutionId id) {
  TIDEMILL_CHECK(carry_out({.verb = Verb::retry_execution, .execution = id}));
  return Ok{};
}

Result<CancelAnswer> LineControl::cancel_work(const WorkRef& work, CancelUrgency urgency) {
  TIDEMILL_TRY(const wire::ControlAnswer answer,
               carry_out({.verb = Verb::cancel_work,
                          .work = work,
                          .now = urgency == CancelUrgency::now}));
  return CancelAnswer{answer.at_once};
}

Result<RetryAnswer> LineControl::retry_work(const WorkRef& work) {
  TIDEMILL_TRY(const wire::ControlAnswer answer,
               carry_out({.verb = Verb::retry_work, .work = work}));
  return RetryAnswer{answer.round, answer.barrier_fired};
}

Result<wire::ControlAnswer> LineControl::carry_out(const wire::ControlRequest& request) {
  TIDEMILL_TRY(const std::string line, ask_(wire::format(request)));
  return wire::parse_control_answer(line);
}

}  // namespace tidemill::client
