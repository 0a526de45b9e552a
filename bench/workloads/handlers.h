#pragma once
// The worker of the workloads that need handlers of their own: `tidemill bench handlers --server
// URL
// --slots N`, a process with the C++ SDK. Started by Service::start_handlers(); not for people.
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace tidemill::bench {

// Kinds it has: `spin` (input: rounds of arithmetic), `wait` (input: microseconds), `stamp`
// (result: the steady clock, in nanoseconds, when it began), `nothing`, and `fan` (input: how many;
// spawns so many `nothing` and one more after all of them, whose id is the result).
int run_handlers(const std::vector<std::string>& arguments);

// Arithmetic that takes the same time whenever it has a core for itself.
uint64_t spin(uint64_t rounds);
// How many rounds take a microsecond of a core here: the most of several tries, as others disturb.
double rounds_of_a_microsecond();

}  // namespace tidemill::bench
