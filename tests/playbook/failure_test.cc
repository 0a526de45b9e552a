// Failure, catching, stopping, cancel.
#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

std::string failing_head() {
  return "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: fails}\nworkflow:\n";
}

Answer broken(const Call&) {
  return Answer{.error = TaskError{.kind = "http", .message = "503 from the API"},
                .http_status = 503};
}

TEST(FailureTest, AnUncaughtFailureLetsTheRestFinishAndFailsTheExecution) {
  const std::string text = failing_head() + R"(
  - {step: start, tool: {kind: noop},
       next: {spec: {mode: inclusive}, arcs: [{step: bad}, {step: good}]}}
  - {step: bad, tool: {kind: noop}, next: after}
  - {step: good, tool: {kind: noop}, set: {ctx.kept: 1}, next: later}
  - {step: later, tool: {kind: noop}}
  - {step: after, tool: {kind: noop}}
)";
  in_every_way(
      text, [](World& w) { w.tools["bad"] = broken; },
      [](World& w, ExecutionId id) {
        const ExecutionRecord record = w.execution(id);
        EXPECT_EQ(record.state, State::failed);
        EXPECT_EQ(record.error.message, "step 'bad': 503 from the API");
        EXPECT_EQ(record.error.kind, "http");
        EXPECT_EQ(w.step(id, "good").state, StepRecord::State::done);
        EXPECT_EQ(w.step(id, "after").ref.epoch, 0U);
        EXPECT_EQ(w.ctx(id), R"({"kept":1})");
      });
}

TEST(FailureTest, AnArcCatchesAndSeesTheError) {
  in_every_way(
      failing_head() + R"(
  - step: start
    tool: {kind: noop}
    next:
      arcs:
        - {step: unconditional}
        - {step: not_this, when: "{{ event.name == 'step.failed' and output.http.status == 404 }}"}
        - step: mend
          when: "{{ event.name == 'step.failed' and output.http.status == 503
               and output.error.kind == 'http' }}"
          set: {ctx.why: "{{ output.error.message }}"}
  - {step: unconditional, tool: {kind: noop}}
  - {step: not_this, tool: {kind: noop}}
  - {step: mend, tool: {kind: noop}}
)",
      [](World& w) { w.tools["start"] = broken; },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.execution(id).state, State::done);
        EXPECT_EQ(w.summary(id), "start:failed mend:done");
        EXPECT_TRUE(w.step(id, "start").caught);
        EXPECT_EQ(w.ctx(id), R"({"why":"503 from the API"})");
      });
}

TEST(FailureTest, CancelReachesWhatRunsAndWhatWaits) {
  for (const Way& way : every_way()) {
    SCOPED_TRACE(way.name);
    World w(way.seed, way.faults);
    const auto plan = w.add_playbook(failing_head() + R"(
  - {step: start, tool: {kind: noop},
       next: {spec: {mode: inclusive}, arcs: [{step: one}, {step: many}, {step: quick}]}}
  - {step: one, tool: {kind: noop}, next: join}
  - step: many
    loop: {in: "{{ [1,2,3,4] }}", iterator: x, spec: {mode: parallel, max_in_flight: 2}}
    tool: {kind: noop}
    next: join
  - {step: quick, tool: {kind: noop}, next: join}
  - {step: join, tool: {kind: noop}}
)");
    ASSERT_NE(plan, nullptr);
    w.never_end = {"one", "many"};
    const ExecutionId id = w.start(plan);
    w.run_some(30);
    ASSERT_EQ(w.execution(id).state, State::running);
    EXPECT_EQ(w.refused(machine::CancelExecution{id}), "");
    ASSERT_TRUE(w.run(300)) << w.summary(id);
    EXPECT_EQ(w.execution(id).state, State::cancelled);
    EXPECT_EQ(w.step(id, "one").state, StepRecord::State::cancelled);
    EXPECT_EQ(w.step(id, "many").state, StepRecord::State::cancelled);
    EXPECT_EQ(w.machine->counts().leased, 0U) << "nothing is leaked";
    EXPECT_NE(w.refused(machine::CancelExecution{id}).find("is not running"), std::string::npos);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemill::playbook_test
