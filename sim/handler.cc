#include "sim/handler.h"

#include <utility>

#include "playbook/json.h"
#include "playbook/routing.h"
#include "playbook/step_scope.h"

namespace tidemill::sim {

namespace {

constexpr const char* kLoopAndJoin = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: loop_and_join, path: sim/loop_and_join}
workload: {items: [1, 2, 3, 4, 5, 6, 7]}
workflow:
  - step: start
    next: {spec: {mode: inclusive}, arcs: [{step: left}, {step: right}, {step: each}]}
  - step: left
    tool: {kind: noop}
    next: join
  - step: right
    tool: {kind: noop}
    next: join
  - step: each
    loop:
      in: '{{ workload.items }}'
      iterator: item
      spec: {mode: parallel, max_in_flight: 3, on_failure: continue}
    tool: {kind: noop}
    next: join
  - step: join
    tool: {kind: noop}
    next: end
  - step: end
)";

// `again` goes back to `claim` while ctx.round is small: three epochs of a loop.
constexpr const char* kBackEdge = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: back_edge, path: sim/back_edge}
workload: {items: [1, 2, 3]}
workflow:
  - step: start
    set: {ctx.round: 0}
    next: claim
  - step: claim
    tool: {kind: noop}
    set: {ctx.round: '{{ ctx.round + 1 }}'}
    next: work
  - step: work
    loop:
      in: '{{ workload.items }}'
      iterator: item
      spec: {mode: parallel, max_in_flight: 2, on_failure: continue}
    tool: {kind: noop}
    next:
      spec: {mode: exclusive}
      arcs:
        - {step: claim, when: '{{ ctx.round < 3 }}'}
        - {step: end}
  - step: end
)";

constexpr const char* kCaught = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: caught, path: sim/caught}
workload: {}
workflow:
  - step: start
    next: {spec: {mode: inclusive}, arcs: [{step: risky}, {step: sure}]}
  - step: risky
    tool: {kind: noop}
    next:
      spec: {mode: exclusive}
      arcs:
        - {step: mend, when: "{{ event.name == 'step.failed' }}"}
        - {step: join}
  - step: mend
    tool: {kind: noop}
    next: join
  - step: sure
    tool: {kind: noop}
    next: join
  - step: join
    tool: {kind: noop}
)";

// The routing values of a result, as a worker's pipeline computes them.
SharedBytes routing_of(const Assignment& work, const std::vector<playbook::PlanPtr>& plans,
                       const playbook::Value& data) {
  const auto scope = playbook::decode_scope(*work.input);
  TIDEMILL_ASSERT(scope.ok());
  for (const playbook::PlanPtr& plan : plans) {
    if (plan->hash != scope->plan) continue;
    auto text = playbook::encode_routing(plan->steps[work.step.step], data, std::nullopt);
    TIDEMILL_ASSERT(text.has_value());
    return std::make_shared<const std::string>(std::move(*text));
  }
  return nullptr;
}

void fail(Report& report) {
  report.kind = Report::Kind::failed;
  report.error = {"sim", "made to fail", true};
}

}  // namespace

std::vector<std::string> playbook_texts() { return {kLoopAndJoin, kBackEdge, kCaught}; }

Handler make_handler(const Options& options, Random& random,
                     std::vector<playbook::PlanPtr> plans) {
  return [&options, &random, plans = std::move(plans)](const Assignment& work, uint64_t index,
                                                       Report& report) {
    // None of these playbooks needs a worker to expand or to route.
    TIDEMILL_ASSERT(work.kind != playbook::kExpandKind && work.kind != playbook::kRouteKind);
    if (random.chance(options.fail)) return fail(report);
    report.kind = Report::Kind::done;
    const playbook::Value data(static_cast<int64_t>(index));
    report.result.inline_json = playbook::to_json(data);
    if (work.kind == playbook::kStepKind && work.work.task) {
      report.routing = routing_of(work, plans, data);
    }
  };
}

}  // namespace tidemill::sim
