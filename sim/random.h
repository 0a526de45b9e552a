#pragma once
// Random: the one source of chance of a simulated world, splitmix64 from its seed. Everything that
// may go one way or another asks here, so a seed replays exactly. One owner.
#include <cstdint>

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"

namespace tidemill::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  uint64_t below(uint64_t n) {
    TIDEMILL_ASSERT(n > 0);
    return next() % n;
  }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  // True `percent` times in a hundred.
  bool chance(uint32_t percent) { return below(100) < percent; }
  Duration duration(Duration low, Duration high) {
    return {low.ns + static_cast<int64_t>(below(static_cast<uint64_t>(high.ns - low.ns) + 1))};
  }

 private:
  uint64_t state_;
};

}  // namespace tidemill::sim
