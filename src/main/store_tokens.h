#pragma once
// Tokens of a store: through the control socket of the process that has it open, or, when there is
// none, with an engine of our own. Wiring; main thread.
#include <memory>
#include <string>

#include "base/result.h"
#include "client/tokens.h"

namespace tidemill::main {

// 256 bits of chance behind "tm_", by which a secret that has got into a log can be found.
std::string new_secret();

Result<std::unique_ptr<client::Tokens>> open_store_tokens(const std::string& store);

}  // namespace tidemill::main
