// The machine without playbooks: work that belongs to no execution needs nothing from here.
#include "machine/execution/hooks.h"

#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const StartExecution&) {
  refuse(s, tag, Refused::Why::invalid, "this build runs no playbooks");
}
void decide(State& s, Tag tag, const CancelExecution&) {
  refuse(s, tag, Refused::Why::not_found, "this build runs no playbooks");
}
void decide(State& s, Tag tag, const RetryExecution&) {
  refuse(s, tag, Refused::Why::not_found, "this build runs no playbooks");
}

namespace execution {

void task_ended(State&, const TaskRecord&, const TaskEnd&) {}
void array_ended(State&, const ArrayRecord&, const ArrayEnd&) {}
void recorded(State&, const StepRef&, const Report&) {}
void settle(State& s) { machine::settle(s); }
void barrier_fired(State&, const BarrierRecord&) {}
ChildStart child_wanted(State&, const WorkRef&, const StepRef&, const Report::Child&) {
  ChildStart none;
  none.refused = {.kind = "playbook", .message = "this build runs no playbooks"};
  return none;
}
void parent_gone(State&, ExecutionId) {}
bool counts_in_step(const State&, const StepRef&) { return false; }
void work_reopened(State&, const StepRef&) {}
void timer_due(State&, ExecutionId, uint64_t) {}
void needs(const State&, const Command&, Needs&) {}
void flush(State&) {}
void restore(State&, ExecutionRecord) {}
void restore(State&, StepRecord) {}
void restored(State&, const Rows&) {}
uint64_t count(const State&) { return 0; }
uint64_t replay_hash(const State&) { return 0; }
void check(const State&) {}

}  // namespace execution
}  // namespace tidemill::machine
