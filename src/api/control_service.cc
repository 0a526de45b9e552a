#include "api/control_service.h"

#include <utility>
#include <variant>

#include "api/internal/route.h"
#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::api {

namespace {

using Verb = wire::ControlRequest::Verb;

machine::CommandBody command_of(const wire::ControlRequest& request) {
  switch (request.verb) {
    case Verb::cancel_execution:
      return machine::CancelExecution{request.execution};
    case Verb::retry_execution:
      return machine::RetryExecution{request.execution};
    case Verb::cancel_work:
      return machine::CancelWork{request.work, request.now ? machine::CancelWork::Urgency::now
                                                           : machine::CancelWork::Urgency::ask};
    case Verb::retry_work:
      break;
  }
  return machine::RetryWork{request.work};
}

// To who types a command it is the command that is wrong, not the state of things.
Error control_error(const machine::Refused& refused) {
  Error error = error_of(refused);
  if (refused.why == machine::Refused::Why::wrong_state) error.code = ErrorCode::invalid;
  return error;
}

}  // namespace

std::string ControlService::handle(const std::string& line) {
  Result<wire::ControlRequest> request = wire::parse_control_request(line);
  if (!request.ok()) return format(Result<wire::ControlAnswer>(std::move(request).error()));
  return format(carry_out(*request));
}

Result<wire::ControlAnswer> ControlService::carry_out(const wire::ControlRequest& request) {
  TIDEMILL_TRY(const machine::ReplyBody reply, engine_.ask(command_of(request)));
  if (const auto* refused = std::get_if<machine::Refused>(&reply)) {
    return control_error(*refused);
  }
  wire::ControlAnswer answer;
  if (const auto* cancelled = std::get_if<machine::Cancelled>(&reply)) {
    answer.at_once = cancelled->at_once;
  } else if (const auto* retried = std::get_if<machine::Retried>(&reply)) {
    answer.round = retried->round;
    answer.barrier_fired = retried->barrier_had_fired;
  }
  return answer;
}

}  // namespace tidemill::api
