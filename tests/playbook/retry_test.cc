// A person's retry of a failed execution, and what late work may not do.
#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

constexpr std::string_view kText = R"(
apiVersion: tidemill/v1
kind: Playbook
metadata: {name: retried}
workflow:
  - {step: start, tool: {kind: noop}, set: {ctx.a: 1},
       next: {spec: {mode: inclusive}, arcs: [{step: bad}, {step: good}]}}
  - {step: bad, tool: {kind: noop}, next: join}
  - {step: good, tool: {kind: noop}, next: more}
  - {step: more, tool: {kind: noop}, next: join}
  - {step: join, tool: {kind: noop}, input: {x: "{{ bad.n + good.n }}"}}
)";

TEST(RetryTest, AFailedExecutionGoesOnAndWhatIsDoneStays) {
  for (const Way& way : every_way()) {
    SCOPED_TRACE(way.name);
    World w(way.seed, way.faults);
    const auto plan = w.add_playbook(kText);
    ASSERT_NE(plan, nullptr);
    w.tools["good"] = [](const Call&) { return Answer{.data = json(R"({"n": 1})")}; };
    w.tools["bad"] = [](const Call& call) {
      Answer answer{.data = json(R"({"n": 2})")};
      if (call.epoch == 1) answer.error = TaskError{.kind = "x", .message = "first time"};
      return answer;
    };
    const ExecutionId id = w.start(plan);
    ASSERT_TRUE(w.run());
    ASSERT_EQ(w.execution(id).state, State::failed);
    EXPECT_EQ(w.count_calls("join#1"), 0U);
    EXPECT_EQ(w.refused(machine::RetryExecution{id}), "");
    ASSERT_TRUE(w.run());
    EXPECT_EQ(w.execution(id).state, State::done);
    EXPECT_EQ(w.summary(id), "start:done bad:done*2 good:done more:done join:done");
    EXPECT_EQ(w.execution(id).error, TaskError{});
    EXPECT_EQ(w.ctx(id), R"({"a":1})");
    if (testing::Test::HasFailure()) return;
  }
}

TEST(RetryTest, OnlyAFailedExecutionOfItsOwnIsRetried) {
  World w;
  const auto plan = w.add_playbook(kText);
  const ExecutionId id = w.start(plan);
  EXPECT_NE(w.refused(machine::RetryExecution{id}).find("still running"), std::string::npos);
  for (const char* s : {"good", "bad"}) {
    w.tools[s] = [](const Call&) { return Answer{.data = json(R"({"n": 2})")}; };
  }
  ASSERT_TRUE(w.run());
  EXPECT_NE(w.refused(machine::RetryExecution{id}).find("is done"), std::string::npos);
  EXPECT_NE(w.refused(machine::RetryExecution{ExecutionId{999}}).find("there is no"),
            std::string::npos);
}

// The cost of one event must not grow with the run: the bytes a turn writes late in a long run are
// those it wrote early.
TEST(RetryTest, StateCostDoesNotGrowWithTheRun) {
  World w;
  const auto plan = w.add_playbook(R"(
apiVersion: tidemill/v1
kind: Playbook
metadata: {name: long}
workflow:
  - {step: start, tool: {kind: noop}, set: {ctx.n: 0}, next: work}
  - step: work
    tool: {kind: noop}
    set: {ctx.n: "{{ ctx.n + 1 }}"}
    next: {arcs: [{step: work, when: "{{ ctx.n < 500 }}"}]}
)");
  ASSERT_NE(plan, nullptr);
  const ExecutionId id = w.start(plan);
  ASSERT_TRUE(w.run_some(40) || true);
  const uint64_t early = w.store->stats().changes;
  w.run_some(100);
  const uint64_t middle = w.store->stats().changes;
  w.run_some(600);
  const uint64_t before = w.store->stats().changes;
  w.run_some(100);
  const uint64_t late = w.store->stats().changes;
  EXPECT_LE(late - before, (middle - early) + 4);
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.summary(id), "start:done work:done*500");
}

}  // namespace
}  // namespace tidemill::playbook_test
