#pragma once
// What names a piece of work and the right to do it. Values; any thread.
#include <compare>
#include <cstdint>

#include "base/ids.h"

namespace tidemill {

// The fencing epoch of a lease: which life of the server gave it, and which hand-out of that life.
struct LeaseEpoch {
  uint32_t incarnation = 0;
  uint64_t counter = 0;
  constexpr auto operator<=>(const LeaseEpoch&) const = default;
  constexpr explicit operator bool() const { return counter != 0; }
};

// A task, or the range [first, first + count) of an array's indexes. Exactly one of the ids is set.
struct WorkRef {
  TaskId task;
  ArrayId array;
  uint64_t first = 0;
  uint64_t count = 1;
  constexpr auto operator<=>(const WorkRef&) const = default;
  static constexpr WorkRef of(TaskId t) { return {t, {}, 0, 1}; }
  static constexpr WorkRef of(ArrayId a, uint64_t index, uint64_t n = 1) {
    return {{}, a, index, n};
  }
};

// A piece of work and the lease under which somebody holds it.
struct LeasedWork {
  WorkRef work;
  LeaseEpoch epoch;
  constexpr auto operator<=>(const LeasedWork&) const = default;
};

}  // namespace tidemill
