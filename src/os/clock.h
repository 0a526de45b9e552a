#pragma once
// The real clocks, cores and entropy: the only place that asks the machine for them. Any thread.
#include <cstdint>
#include <string>

#include "base/time.h"

namespace tidemill::os {

SteadyTime steady_now();
WallTime wall_now();
inline Now now() { return {steady_now(), wall_now()}; }
Duration thread_cpu();
Duration process_cpu();
uint64_t resident_bytes();
uint64_t entropy64();
uint32_t core_count();
std::string host_name();
int64_t process_id();

}  // namespace tidemill::os
