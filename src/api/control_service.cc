#include "api/control_service.h"

#include <utility>
#include <variant>

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

ErrorCode code_of(machine::Refused::Why why) {
  switch (why) {
    case machine::Refused::Why::invalid:
    case machine::Refused::Why::wrong_state:  // what was asked does not fit; the store is fine
      return ErrorCode::invalid;
    case machine::Refused::Why::too_large:
      return ErrorCode::too_large;
    case machine::Refused::Why::not_found:
      return ErrorCode::not_found;
    case machine::Refused::Why::key_conflict:
      return ErrorCode::conflict;
    case machine::Refused::Why::overloaded:
      break;
  }
  return ErrorCode::unavailable;
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
    return Error{code_of(refused->why), refused->text};
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
