#pragma once
// StepTiming: where the time of a step's attempts went, from their traces (docs/architecture.md).
// The five parts of an attempt add up to the time from ready to recorded:
//
//   ready ─queue wait─▶ dispatched ─dispatch─▶ started ─run─▶ finished ─report─▶ taken ─commit─▶ recorded
//
// `dispatch` holds both ways between server and worker, which no clock can tell apart. Pure; one
// owner.
#include <cstdint>

#include "base/histogram.h"
#include "model/outcome.h"

namespace tidemill::ledger {

struct StepTiming {
  Histogram queue_wait;
  Histogram dispatch;
  Histogram run;
  Histogram report;
  Histogram commit;
  Duration cpu;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t calls = 0;

  // Work that never began, or never said how it ended, does not count.
  void add(const Trace& trace, WallTime recorded);
  uint64_t attempts() const { return run.count(); }
};

}  // namespace tidemill::ledger
