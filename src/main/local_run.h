#pragma once
// open_local_run(): a store, its blobs, an engine, a worker and the control socket, put together in
// this process. Wiring only: what each part does is in its own room. Called on the main thread.
#include <memory>

#include "client/local_run.h"

namespace tidemill::main {

// Errors: the store's (conflict when another process owns it, with its pid), invalid.
Result<std::unique_ptr<client::LocalRun>> open_local_run(const client::LocalRunOptions& options);

// A store opened for reading; its owner may be at work meanwhile.
Result<std::unique_ptr<client::Records>> open_store_records(const std::string& store);

// The process that owns the store, over its socket; `talk` is told when it is slow to answer.
Result<std::unique_ptr<client::Control>> connect_control(const std::string& store,
                                                         client::LocalServices::Talk talk);
// The store opened here for as long as the control lives; nothing runs.
Result<std::unique_ptr<client::Control>> open_store_control(const std::string& store);

client::LocalServices local_services();

}  // namespace tidemill::main
