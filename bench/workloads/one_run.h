#pragma once
// one_run(): a playbook text run once on a fresh store in this process, timed from its start to its
// recorded end. Main thread.
#include <string>

#include "bench/workloads/bench.h"

namespace tidemill::bench {

struct OneRun {
  Duration wall;
  Duration cpu;             // of this process
  uint64_t tasks = 0;       // finished
  uint64_t store_bytes = 0;  // of its file, closed
  uint64_t memory_growth = 0;  // resident bytes at the end less those before the start
};

struct RunShape {
  std::string text;
  std::string workload = "{}";
  uint32_t slots = 2;
  uint32_t places = 0;
};

// Errors: the run's; invalid when the execution did not end `done`.
Result<OneRun> one_run(const Context& context, const Request& request, const RunShape& shape);

}  // namespace tidemill::bench
