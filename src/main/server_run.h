#pragma once
// `tidemill server`: the engine behind one port. Wiring; called by the CLI through
// client/service.h.
#include "client/service.h"

namespace tidemill::main {

// Errors: the store's (its owner's pid and host when another process has it), the port's.
Result<std::unique_ptr<client::Server>> open_server(const client::ServerOptions& options);

}  // namespace tidemill::main
