#pragma once
// What the machine's core tells execution/, and asks of it. The core calls these for work whose
// StepRef is set; execution/ answers by calling internal/work.h and internal/emit.h. A record
// passed here has already left its table, so a hook may spawn, cancel and change anything. Engine
// thread only.
#include <memory>

#include "machine/internal/state.h"

namespace tidemill::machine::execution {

// How a task or an array came to its end.
struct TaskEnd {
  Outcome outcome = Outcome::done;
  ResultRef result;                  // done: where it lies
  const TaskError* error = nullptr;  // failed or cancelled: why
  // The worker's report when there was one (done, or its last failure): routing values, loop items.
  const Report* report = nullptr;
};
void task_ended(State& s, const TaskRecord& task, const TaskEnd& end);

struct ArrayEnd {
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  const TaskError* first_error = nullptr;  // never null; empty when nothing failed
  uint64_t first_failed = 0;               // whose error it is
};
void array_ended(State& s, const ArrayRecord& array, const ArrayEnd& end);

// A `done` report that is being recorded, in recording order: its ctx writes, a claimer's counts.
// Called before task_ended or, for an index, before array_ended.
void recorded(State& s, const StepRef& step, const Report& report);

// A barrier that fires a step has fired (exactly once; it has left its table).
void barrier_fired(State& s, const BarrierRecord& barrier);

// A worker suspended `parent` (live, already `suspended` on record) to wait for a child execution.
// Finds the one of that key or starts it. When that child has ended already, the result says how
// and the core lets the parent go on.
struct ChildStart {
  ExecutionId id;
  std::shared_ptr<const ChildResult> ended;
  TaskError refused;  // kind set: the child cannot be started, and the attempt fails with this
};
ChildStart child_wanted(State& s, const WorkRef& parent, const StepRef& step,
                        const Report::Child& child);
// Whoever waited for the child is gone (cancelled, timed out): it is cancelled.
void parent_gone(State& s, ExecutionId child);

// Whether work of this step can still count there: false when the step has gone on without it, so
// that a person's retry of it says so.
bool counts_in_step(const State& s, const StepRef& step);
// A person retries a task or an array of this step while counts_in_step() is true.
void work_reopened(State& s, const StepRef& step);

void timer_due(State& s, ExecutionId id, uint64_t what);

// ---- the turn ----
// Routes what has ended: steps are completed, their arcs taken and the next ones started. The core
// calls it once all reports of an exchange are recorded and before work is handed out, and after
// every other command; it follows up with machine::settle() itself, so nothing is left when it
// returns.
void settle(State& s);
void needs(const State& s, const Command& command, Needs& out);
void flush(State& s);  // PutExecution and PutStep of what changed; keeps s.hash_sum up

// ---- recovery ----
void restore(State& s, ExecutionRecord record);
void restore(State& s, StepRecord record);
void restored(State& s, const Rows& rows);  // after everything else is rebuilt

// ---- for Machine ----
uint64_t count(const State& s);        // live executions
uint64_t replay_hash(const State& s);  // of what state_hash does not cover; 0 when nothing
void check(const State& s);

}  // namespace tidemill::machine::execution
