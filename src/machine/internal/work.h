#pragma once
// What rules may do with work, whoever asks: a person's command, a timer, or execution/. Nothing
// here answers a command. Engine thread only.
#include <memory>

#include "machine/command.h"
#include "machine/internal/state.h"

namespace tidemill::machine {

// ---- making work ----
// The spec has been checked (a command's) or is right by construction (a playbook's).
TaskId spawn_task(State& s, TaskSpec spec);
// The same, blocked until the barrier that names it fires.
TaskId spawn_held_task(State& s, TaskSpec spec);
ArrayId spawn_array(State& s, ArraySpec spec);
// A barrier that fires a task or a step once `expected` items that join it are terminal; with none
// expected it fires at the end of this command.
BarrierId open_barrier(State& s, uint64_t expected, TaskId fires_task, StepRef fires_step);

// ---- ending work ----
enum class CancelResult : uint8_t { not_live, at_once, asked };
// Cancels a live task, an index, a range or a whole array ({array, 0, count}).
CancelResult cancel_work(State& s, const WorkRef& work, CancelWork::Urgency urgency, TaskError cause);

// A suspended task or index goes on: its child execution has ended. False when it waits no more.
bool resume_work(State& s, const WorkRef& work, std::shared_ptr<const ChildResult> child);

// ---- timers of execution/ (wall time) ----
// `what` comes back in execution::timer_due().
void set_execution_timer(State& s, ExecutionId id, uint64_t what, WallTime at);
void clear_execution_timer(State& s, ExecutionId id, uint64_t what, WallTime at);

// Why a task is cancelled whose dependency did not end well.
TaskError dependency_error(TaskId dependency, Outcome outcome);

// Work that was refused, cancelled or has ended since the last look has consequences (dependants,
// barriers, arrays that are through): follows them up until there are none. Called after every
// command and every report.
void settle(State& s);

}  // namespace tidemill::machine
