#pragma once
// `tidemill worker`: a worker of a server elsewhere. Wiring; called by the CLI through
// client/service.h.
#include "client/service.h"

namespace tidemill::main {

// It keeps trying when the server is not there. Errors: invalid (the address).
Result<std::unique_ptr<client::WorkerProcess>> open_worker(const client::WorkerOptions& options);

}  // namespace tidemill::main
