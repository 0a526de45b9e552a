#include "ledger/step_timing.h"

namespace tidemill::ledger {

void StepTiming::add(const Trace& trace, WallTime recorded) {
  // What was cancelled before it began, or never reported, has no parts.
  if (trace.dispatched.ns == 0 || trace.reported.ns == 0) return;
  const Duration held = trace.reported - trace.dispatched;
  queue_wait.add(trace.dispatched - trace.ready);
  dispatch.add(held - (trace.sent - trace.started));
  run.add(trace.finished - trace.started);
  report.add(trace.sent - trace.finished);
  commit.add(recorded - trace.reported);
  cpu = cpu + trace.cpu;
  bytes_in += trace.bytes_in;
  bytes_out += trace.bytes_out;
  calls += trace.calls;
}

}  // namespace tidemill::ledger
