// BuryTask: a person gives a task up. It lies in the dead letter with the reason given, as if it
// had used up its attempts; a worker that runs it is told to stop.
#include "machine/internal/backlog.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const BuryTask& command) {
  LiveTask* task = fetch_task(s, command.task);
  if (task == nullptr) {
    refuse(s, tag, Refused::Why::not_found,
           "task " + std::to_string(command.task.raw) +
               " does not exist, or it has ended and needs no burying");
    return;
  }
  if (task->leased()) {
    tell_cancel(s, task->holder, {WorkRef::of(command.task), task->epoch});
    drop_task(s, *task);
  }
  Ending ending;
  ending.error = {.kind = "buried",
                  .message = command.reason.empty() ? "buried on request" : command.reason,
                  .retryable = false};
  ending.trace.reported = s.turn.now.wall;
  finish_task(s, *task, Outcome::failed, std::move(ending));
  answer(s, tag, Done{});
}

}  // namespace tidemill::machine
