#pragma once
// LineControl: the control verbs over anything that answers a line with a line: the Unix socket
// beside a store, or the service in this process. One thread at a time.
#include <functional>
#include <string>
#include <utility>

#include "client/control.h"
#include "wire/control_line.h"

namespace tidemill::client {

class LineControl : public Control {
 public:
  using Ask = std::function<Result<std::string>(const std::string& line)>;
  explicit LineControl(Ask ask) : ask_(std::move(ask)) {}

  Status cancel_execution(ExecutionId id) override;
  Status retry_execution(ExecutionId id) override;
  Result<CancelAnswer> cancel_work(const WorkRef& work, CancelUrgency urgency) override;
  Result<RetryAnswer> retry_work(const WorkRef& work) override;

 private:
  Result<wire::ControlAnswer> carry_out(const wire::ControlRequest& request);
  Ask ask_;
};

}  // namespace tidemill::client
