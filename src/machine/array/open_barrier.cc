// OpenBarrier: a fan-in. The task it fires is spawned now and blocked until all that the barrier
// counts is terminal; with nothing to count it fires at once.
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/validate.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

Flaw flaw_in(const OpenBarrier& command) {
  if (Flaw flaw = flaw_of(command.fires, "fires.")) return flaw;
  if (!command.fires.after.empty() || !command.fires.idempotency_key.empty()) {
    return {Refused::Why::invalid,
            "fires: a task that a barrier fires takes neither `after` nor an idempotency key"};
  }
  if (command.fires.work.barrier) {
    return {Refused::Why::invalid, "fires.barrier: leave it empty; spawn what the next barrier "
                                   "counts from the task itself"};
  }
  if (command.expected > limits::kArrayCountMax) {
    return {Refused::Why::too_large, "expected: " + std::to_string(command.expected) +
                                         " items, at most " +
                                         std::to_string(limits::kArrayCountMax) + " are allowed"};
  }
  return {};
}

}  // namespace

void decide(State& s, Tag tag, const OpenBarrier& command) {
  if (const Flaw flaw = flaw_in(command)) {
    refuse(s, tag, flaw.why, flaw.text);
    return;
  }
  const TaskId fires = spawn_held_task(s, command.fires);
  const BarrierId id = open_barrier(s, command.expected, fires, {});
  answer(s, tag, BarrierOpened{id, fires});
}

}  // namespace tidemill::machine
