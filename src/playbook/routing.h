#pragma once
// What a playbook decides between its steps: whether a step is admitted, what its loop runs over,
// and after its end which values `set` writes and which arcs are taken. The machine evaluates this
// with kRoutingFuel on the values it holds; a worker evaluates the same functions with all values
// and more fuel. Pure; any thread.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "playbook/plan.h"
#include "playbook/step_scope.h"
#include "playbook/template.h"

namespace tidemill::playbook {

// What the evaluation sees besides the step's own output. Only what is read has to be in it.
struct RoutingScope {
  Value workload;  // merged
  Value ctx;       // the whole
  ExecutionId execution;
  // step_view() of finished steps by name; a step that is not here has not run.
  std::vector<std::pair<std::string, Value>> steps;
};

// The references of each decision, those of the step inputs they name included.
std::vector<Reference> admit_references(const Step& step);
std::vector<Reference> loop_references(const Step& step);
std::vector<Reference> transition_references(const Step& step);

// What a root name means in these evaluations, when it is no field of the step's input.
enum class Root : uint8_t { builtin, step, workload };
Root resolve_root(const Plan& plan, std::string_view name);

// spec.policy.admit: the first rule that matches decides; none: admitted.
Evaluated<bool> admitted(const Plan& plan, const Step& step, const RoutingScope& scope, Fuel& fuel);

struct LoopRange {
  Value items;  // a list
  uint32_t max_in_flight = 1;
};
// Errors: not a list; max_in_flight is no positive integer. Of a cursor loop `items` is an empty
// list.
Evaluated<LoopRange> loop_range(const Plan& plan, const Step& step, const RoutingScope& scope,
                                Fuel& fuel);

struct Transition {
  std::vector<CtxWrite> writes;  // of the step's `set`, then of the chosen arcs'
  std::vector<uint32_t> arcs;    // chosen, by index in Step::arcs, in order
};
// The step's `set` runs after `done`, an arc's whenever it is taken. After `failed` only
// an arc whose `when` reads event, output.status or output.error can be taken. An arc is true when
// it is true under one of the events that the end of the step is: of a loop loop.done and
// step.exit, of any other call.done and step.exit, of a failure step.failed.
Evaluated<Transition> transition(const Plan& plan, const Step& step, Ending ending,
                                 const StepOutput& output, const RoutingScope& scope, Fuel& fuel);

}  // namespace tidemill::playbook
