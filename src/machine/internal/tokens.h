#pragma once
// Tokens as the machine holds them live, by name. Whether a request may pass is asked of the
// committed ones, outside the machine; here is what may be added, and whose sessions a revoked one
// ends. Engine thread only.
#include <cstdint>
#include <map>
#include <string>

#include "model/token.h"

namespace tidemill::machine {

struct LiveToken {
  TokenRecord record;
  uint64_t share = 0;  // of state_hash
};

using TokenTable = std::map<std::string, LiveToken>;

}  // namespace tidemill::machine
