// Child executions: started once for (parent execution, key), however often the parent's attempt is
// run again; the parent's task waits without a slot and without a place.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"

namespace tidemill::machine::execution {

namespace {

// The only timer an execution has: the deadline of a child.
constexpr uint64_t kDeadline = 0;

ChildStart refuse_child(std::string text) {
  ChildStart out;
  out.refused = {.kind = "playbook", .message = std::move(text), .retryable = false};
  return out;
}

void give_deadline(State& s, LiveExecution& e, Duration timeout) {
  if (timeout.ns <= 0) return;
  e.record.deadline = s.turn.now.wall + timeout;
  set_execution_timer(s, e.record.id, kDeadline, e.record.deadline);
}

// Whether as many executions as may be already wait for this one: playbooks that call each other by
// computed paths would go on for ever.
bool nests_too_deep(State& s, const LiveExecution& e) {
  int depth = 1;
  for (const LiveExecution* at = &e; at != nullptr && depth <= limits::kChildDepthMax; ++depth)
    at = at->parent ? find(s, at->parent) : nullptr;
  return depth > limits::kChildDepthMax;
}

}  // namespace

ChildStart child_wanted(State& s, const WorkRef& parent, const StepRef& step,
                        const Report::Child& child) {
  ChildStart out;
  const std::pair<ExecutionId, std::string> key{step.execution, child.key};
  if (const auto known = s.executions.children.find(key); known != s.executions.children.end()) {
    LiveExecution* e = find(s, known->second);
    TIDEMILL_ASSERT(e != nullptr);
    TIDEMILL_ASSERT(e->record.parent == parent);  // the key names the task, its epoch and its index
    out.id = known->second;
    return out;
  }
  LiveExecution* of = find(s, step.execution);
  if (!of) return refuse_child("the execution it belongs to is over");
  if (nests_too_deep(s, *of)) {
    return refuse_child("playbooks are nested " + std::to_string(limits::kChildDepthMax) +
                        " deep here, the most there may be; does '" + child.path +
                        "' call itself?");
  }
  const playbook::PlanPtr plan = s.turn.rows->plan(child.plan);
  if (!plan) return refuse_child("the playbook '" + child.path + "' is not in the store");
  if (!child.return_step.empty() && !plan->find_step(child.return_step)) {
    return refuse_child("the playbook '" + child.path + "' has no step '" + child.return_step +
                        "', which return_step names");
  }
  NewExecution wanted{
      .name = plan->metadata.name, .file = child.path, .plan = plan, .workload = child.input};
  if (const auto refused = merge_workload(wanted)) return refuse_child(refused->text);
  LiveExecution& e = begin(s, wanted);
  e.record.parent = parent;
  e.record.child_key = child.key;
  e.record.return_step = child.return_step;
  e.parent = step.execution;
  give_deadline(s, e, child.timeout);
  of->children.insert(e.record.id);
  s.executions.children.emplace(key, e.record.id);
  out.id = e.record.id;
  return out;
}

void parent_gone(State& s, ExecutionId child) {
  LiveExecution* e = find(s, child);
  if (!e) return;
  cancel(s, *e,
         {.kind = "cancelled", .message = "what waited for it was cancelled", .retryable = false});
}

void timer_due(State& s, ExecutionId id, uint64_t what) {
  LiveExecution* e = find(s, id);
  if (!e || what != kDeadline) return;
  const Duration allowed = e->record.deadline - e->record.started_at;
  cancel(s, *e,
         {.kind = "timeout",
          .message = "it was not over after " +
                     std::to_string(allowed.whole_milliseconds()) +
                     " ms, the timeout its parent gave it",
          .retryable = true});
}

}  // namespace tidemill::machine::execution
