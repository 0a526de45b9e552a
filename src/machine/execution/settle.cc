// The execution's part of a turn: everything that ended is routed, everything that may start is
// started, until nothing moves any more.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

// Steps that are skipped and loops over nothing end without a worker: a cycle of only such steps
// would never leave this turn.
void break_idle_cycle(State& s, LiveExecution& e) {
  uint32_t at = UINT32_MAX;
  for (const StepSet* entries : {&e.waiting, &e.again_forward, &e.again_back}) {
    at = std::min(at, entries->next(0).value_or(UINT32_MAX));
  }
  if (at == UINT32_MAX) return;
  LiveStep& step = begin_epoch(s, e, at);
  fail_step(
      s, e, step,
      {.kind = "playbook",
       .message = "it was entered again and again with no work done in between: its steps are "
                  "skipped or loop over nothing, and a back edge leads to it",
       .retryable = false});
}

void settle_execution(State& s, LiveExecution& e) {
  size_t budget = e.steps.size() * 2 + 1'000;
  for (;;) {
    while (!e.ended.empty()) {
      const EndedStep ended = e.ended.front();
      e.ended.pop_front();
      route(s, e, ended);
    }
    if (budget-- == 0) break_idle_cycle(s, e);
    if (!start_ready(s, e)) break;
  }
  finish_if_over(s, e);
}

}  // namespace

void settle(State& s) {
  for (;;) {
    machine::settle(s);
    if (s.executions.unsettled.empty()) return;
    const ExecutionId id = s.executions.unsettled.front();
    s.executions.unsettled.pop_front();
    LiveExecution* e = find(s, id);
    if (!e) continue;      // it came to its end
    e->unsettled = false;  // what happens from here on puts it into the queue again
    settle_execution(s, *e);
  }
}

}  // namespace tidemill::machine::execution
