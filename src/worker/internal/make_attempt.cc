#include <utility>

#include "playbook/step_scope.h"
#include "worker/internal/attempt.h"
#include "worker/internal/cursor_attempt.h"
#include "worker/internal/routing_attempt.h"
#include "worker/internal/step_attempt.h"
#include "worker/internal/tool_attempt.h"

namespace tidemill::worker {

std::unique_ptr<Attempt> make_attempt(AttemptServices services, WorkItem item,
                                      Attempt::OnReport on_report) {
  const std::string& kind = item.assignment->kind;
  if (kind == playbook::kStepKind) {
    return std::make_unique<StepAttempt>(services, std::move(item), std::move(on_report));
  }
  if (kind == playbook::kCursorKind) {
    return std::make_unique<CursorAttempt>(services, std::move(item), std::move(on_report));
  }
  if (kind == playbook::kExpandKind || kind == playbook::kRouteKind) {
    return std::make_unique<RoutingAttempt>(services, std::move(item), std::move(on_report));
  }
  if (ToolAttempt::tool_of(kind)) {
    return std::make_unique<ToolAttempt>(services, std::move(item), std::move(on_report));
  }
  return nullptr;
}

}  // namespace tidemill::worker
