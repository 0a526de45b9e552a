#include "playbook/routing.h"

#include <gtest/gtest.h>

#include "playbook/compile.h"
#include "playbook/internal/parsed.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

PlanPtr plan_of_steps(std::string_view steps) {
  const std::string text =
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workload: {limit: 3, name: outer, list: [1, 2]}\nworkflow:\n" +
      std::string(steps);
  Compiled compiled = compile(text, "t.yaml");
  for (const Diagnostic& d : compiled.diagnostics) {
    if (d.severity == Diagnostic::Severity::error) ADD_FAILURE() << format(d, "t.yaml", text);
  }
  return compiled.plan;
}

RoutingScope scope_of(std::string_view ctx = "{}") {
  RoutingScope scope;
  scope.workload = json(R"({"limit": 3, "name": "outer", "list": [1, 2]})");
  scope.ctx = json(ctx);
  scope.execution = ExecutionId{77};
  return scope;
}

StepOutput data(std::string_view text) {
  StepOutput output;
  output.data = json(text);
  return output;
}

StepOutput failure() {
  StepOutput output;
  output.status = StepOutput::Status::error;
  output.error = error_value({.kind = "http", .message = "503"});
  output.http_status = 503;
  return output;
}

std::vector<uint32_t> arcs(const PlanPtr& plan, Ending ending, const StepOutput& output) {
  Fuel fuel{kRoutingFuel};
  const auto out = transition(*plan, plan->step(plan->start), ending, output, scope_of(), fuel);
  EXPECT_TRUE(out.ok()) << out.error().text;
  return out.ok() ? out.value().arcs : std::vector<uint32_t>{};
}

constexpr std::string_view kEvents = R"(
  - step: start
    tool: {kind: noop}
    next:
      spec: {mode: inclusive}
      arcs:
        - {step: a, when: "{{ event.name == 'call.done' }}"}
        - {step: a, when: "{{ event.name == 'step.exit' }}"}
        - {step: a, when: "{{ event.name == 'step.failed' }}"}
        - {step: a, when: "{{ output.status == 'error' }}"}
        - {step: a}
        - {step: a, when: "{{ workload.limit == 3 }}"}
  - {step: a, tool: {kind: noop}}
)";

TEST(RoutingTest, AnArcIsTrueUnderAnyEventOfTheEnd) {
  const auto plan = plan_of_steps(kEvents);
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(arcs(plan, Ending::done, data("{}")), (std::vector<uint32_t>{0, 1, 4, 5}));
  EXPECT_EQ(arcs(plan, Ending::skipped, StepOutput{}), (std::vector<uint32_t>{0, 1, 4, 5}));
}

TEST(RoutingTest, OnlyAnArcThatLooksAtTheFailureCatchesIt) {
  const auto plan = plan_of_steps(kEvents);
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(arcs(plan, Ending::failed, failure()), (std::vector<uint32_t>{2, 3}));
}

TEST(RoutingTest, NamesAreFoundNearestFirst) {
  const auto plan = plan_of_steps(R"(
  - step: start
    input: {name: "{{ limit + 1 }}"}
    tool: {kind: noop}
    set: {ctx.a: "{{ name }}", ctx.b: "{{ workload.name }}", ctx.c: "{{ ctx.a + start.n }}"}
    next: {arcs: [{step: a, when: "{{ execution_id == '77' }}", set: {ctx.c: "{{ ctx.c + 1 }}"}}]}
  - {step: a, tool: {kind: noop}}
)");
  ASSERT_NE(plan, nullptr);
  Fuel fuel{kRoutingFuel};
  const auto out = transition(*plan, plan->step(plan->start), Ending::done, data(R"({"n": 10})"),
                              scope_of(), fuel);
  ASSERT_TRUE(out.ok()) << out.error().text;
  EXPECT_EQ(encode_ctx_writes(out.value().writes),
            R"([[["a"],4],[["b"],"outer"],[["c"],14],[["c"],15]])");
  EXPECT_EQ(out.value().arcs, std::vector<uint32_t>{0});
}

TEST(RoutingTest, ErrorsNameTheStepAndTheArcAndFuelRunsOut) {
  const auto plan = plan_of_steps(R"(
  - step: start
    tool: {kind: noop}
    next: {arcs: [{step: a, when: "{{ start.rows.x + 1 > 0 }}"}]}
  - {step: a, tool: {kind: noop}}
)");
  ASSERT_NE(plan, nullptr);
  const Step& step = plan->step(plan->start);
  Fuel fuel{kRoutingFuel};
  const auto bad = transition(*plan, step, Ending::done, data("{}"), scope_of(), fuel);
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().text.find("arc 1 to 'a' of step 'start'"), std::string::npos)
      << bad.error().text;
  EXPECT_FALSE(bad.error().needs_fuel);
  Fuel empty{1};
  const auto dry =
      transition(*plan, step, Ending::done, data(R"({"rows":{"x":1}})"), scope_of(), empty);
  ASSERT_FALSE(dry.ok());
  EXPECT_TRUE(dry.error().needs_fuel);
}

TEST(RoutingTest, AdmitAndLoopRange) {
  const auto plan = plan_of_steps(R"(
  - step: start
    spec:
      policy:
        admit:
          rules: [{when: "{{ ctx.go }}", then: {allow: true}}, {else: {then: {allow: false}}}]
    loop:
      in: "{{ list }}"
      iterator: x
      spec: {mode: parallel, max_in_flight: "{{ workload.limit }}"}
    tool: {kind: noop}
    set: {ctx.go: 1}
)");
  ASSERT_NE(plan, nullptr);
  const Step& step = plan->step(plan->start);
  Fuel fuel{kRoutingFuel};
  EXPECT_TRUE(admitted(*plan, step, scope_of(R"({"go": 1})"), fuel).value());
  EXPECT_FALSE(admitted(*plan, step, scope_of(), fuel).value());
  const auto range = loop_range(*plan, step, scope_of(), fuel);
  ASSERT_TRUE(range.ok()) << range.error().text;
  EXPECT_EQ(to_json(range.value().items), "[1,2]");
  EXPECT_EQ(range.value().max_in_flight, 3U);
  RoutingScope wrong = scope_of();
  wrong.workload = json(R"({"list": "no", "limit": 0})");
  EXPECT_NE(loop_range(*plan, step, wrong, fuel).error().text.find("expected a list, got string"),
            std::string::npos);
  wrong.workload = json(R"({"list": [], "limit": 0})");
  EXPECT_NE(loop_range(*plan, step, wrong, fuel).error().text.find("positive integer"),
            std::string::npos);
}

}  // namespace
}  // namespace tidemill::playbook
