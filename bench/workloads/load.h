#pragma once
// The open-loop part of `bench queue`: tasks arrive at a rate, whether or not anything was
// answered. Main thread.
#include "bench/workloads/bench.h"

namespace tidemill::bench {

Status open_loop(const Context& context, const Request& request, Figures& figures);

}  // namespace tidemill::bench
