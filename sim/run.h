#pragma once
// run(): one simulated world from its options: commands and faults first, then the faults stop and
// everything must come to rest, then the promises are checked. The same options give the same
// result, bit for bit.
#include <cstdint>
#include <optional>
#include <string>

#include "sim/options.h"

namespace tidemill::sim {

struct RunResult {
  std::optional<std::string> broken;  // the promise that did not hold
  uint64_t replay = 0;                // fingerprint of everything decided
  uint64_t outcomes = 0;
  uint64_t steps = 0;
  Duration virtual_time;
};

RunResult run(const Options& options);

}  // namespace tidemill::sim
