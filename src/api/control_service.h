#pragma once
// ControlService: a control line becomes a command of the machine, its reply becomes the answering
// line. No rules of the domain. Borrowing the engine; any thread but the engine's own (it waits for
// the turn).
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "wire/control_line.h"

namespace tidemill::api {

class ControlService {
 public:
  explicit ControlService(engine::Engine& engine) : engine_(engine) {}
  std::string handle(const std::string& line);

 private:
  Result<wire::ControlAnswer> carry_out(const wire::ControlRequest& request);

  engine::Engine& engine_;
};

}  // namespace tidemill::api
