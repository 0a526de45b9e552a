#include "worker/internal/routing_attempt.h"

#include <utility>

#include "playbook/json.h"
#include "playbook/routing.h"
#include "worker/internal/policy.h"
#include "worker/internal/shared_text.h"

namespace tidemill::worker {

namespace {

using playbook::Fuel;
using playbook::RoutingScope;
using playbook::StepScope;

RoutingScope routing_scope(const StepContext& context) {
  RoutingScope scope;
  scope.workload = context.execution->workload;
  scope.ctx = context.scope.ctx;
  scope.execution = context.execution->info.id;
  for (const StepScope::Result& result : context.scope.results) {
    scope.steps.emplace_back(result.step, playbook::step_view(result.output));
  }
  return scope;
}

}  // namespace

void RoutingAttempt::run() {
  usage_.begun = true;
  if (assignment().kind == playbook::kExpandKind) {
    expand();
  } else {
    route();
  }
}

void RoutingAttempt::expand() {
  const playbook::Plan& plan = *context().execution->plan;
  const playbook::Step& step = *context().step;
  const RoutingScope scope = routing_scope(context());
  Fuel fuel{playbook::kWorkerFuel};
  const auto admitted = playbook::admitted(plan, step, scope, fuel);
  if (!admitted.ok()) return finish_failed(template_error(admitted.error(), plan.file));
  Report report;
  playbook::Expansion expansion{.admitted = admitted.value()};
  if (expansion.admitted && step.loop) {
    const auto range = playbook::loop_range(plan, step, scope, fuel);
    if (!range.ok()) return finish_failed(template_error(range.error(), plan.file));
    expansion.max_in_flight = range.value().max_in_flight;
    const playbook::List& items = range.value().items.as_list();
    report.loop_items.reserve(items.size());
    for (const playbook::Value& item : items) report.loop_items.push_back(playbook::to_json(item));
  }
  report.routing = shared(playbook::encode_expansion(expansion));
  finish_done("null", std::move(report));
}

void RoutingAttempt::route() {
  const playbook::Plan& plan = *context().execution->plan;
  const playbook::Step& step = *context().step;
  playbook::StepOutput output;
  for (const StepScope::Result& result : context().scope.results) {
    if (result.step == step.name) output = result.output;
  }
  const auto ending = context().scope.ending.value_or(playbook::Ending::done);
  Fuel fuel{playbook::kWorkerFuel};
  const auto transition =
      playbook::transition(plan, step, ending, output, routing_scope(context()), fuel);
  if (!transition.ok()) return finish_failed(template_error(transition.error(), plan.file));
  Report report;
  report.routing = shared(playbook::encode_arcs(transition.value().arcs));
  if (!transition.value().writes.empty()) {
    report.ctx_writes = shared(playbook::encode_ctx_writes(transition.value().writes));
  }
  finish_done("null", std::move(report));
}

// It runs in one go, so there is never anything to stop.
void RoutingAttempt::stop_running(TaskError why) { finish_failed(std::move(why)); }

}  // namespace tidemill::worker
