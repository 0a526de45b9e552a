// Barriers: a step with several live upstream steps starts once, when each of them is over.
#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

std::string head() {
  return "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: joins}\nworkflow:\n";
}

size_t position(const World& w, std::string_view call) {
  return static_cast<size_t>(std::find(w.calls.begin(), w.calls.end(), call) - w.calls.begin());
}

TEST(JoinTest, AJoinStartsOnceAfterAllItsBranches) {
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop},
       next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}, {step: c}]}}
  - {step: a, tool: {kind: noop}, next: join}
  - {step: b, tool: {kind: noop}, next: b2}
  - {step: b2, tool: {kind: noop}, next: join}
  - {step: c, tool: {kind: noop}, next: join}
  - {step: join, tool: {kind: noop}, input: {x: "{{ a.n + b2.n + c.n }}"}}
)",
      [](World& w) {
        for (const char* s : {"a", "b2", "c"}) {
          w.tools[s] = [](const Call&) { return Answer{.data = json(R"({"n": 1})")}; };
        }
        w.tools["join"] = [](const Call& call) {
          EXPECT_EQ(call.steps.size(), 3U);
          return Answer{};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done a:done b:done b2:done c:done join:done");
        EXPECT_EQ(w.step(id, "join").ref.epoch, 1U);
        for (const char* s : {"a#1", "b2#1", "c#1"}) {
          EXPECT_LT(position(w, s), position(w, "join#1")) << s;
        }
      });
}

TEST(JoinTest, SkippedFailedAndUnreachedBranchesDoNotWedgeIt) {
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop},
       next: {spec: {mode: inclusive}, arcs: [{step: skipped}, {step: caught}, {step: elsewhere}]}}
  - step: skipped
    spec: {policy: {admit: {rules: [{when: "{{ true }}", then: {allow: false}}]}}}
    tool: {kind: noop}
    next: join
  - step: caught
    tool: {kind: noop}
    next: {arcs: [{step: join, when: "{{ event.name == 'step.failed' }}"}]}
  - {step: elsewhere, tool: {kind: noop},
       next: {arcs: [{step: join, when: "{{ false }}"}, {step: aside}]}}
  - {step: aside, tool: {kind: noop}}
  - {step: never, tool: {kind: noop}, next: join}
  - {step: join, tool: {kind: noop}, next: {arcs: [{step: never, when: "{{ false }}"}]}}
)",
      [](World& w) {
        w.tools["caught"] = [](const Call&) {
          return Answer{.error = TaskError{.kind = "http", .message = "503"}};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.execution(id).state, State::done);
        EXPECT_EQ(w.summary(id),
                  "start:done skipped:skipped caught:failed elsewhere:done aside:done join:done");
        EXPECT_TRUE(w.step(id, "caught").caught);
        EXPECT_EQ(w.count_calls("join#1"), 1U);
      });
}

TEST(JoinTest, ABackEdgeWaitsForWhatStillLivesOfItsEpoch) {
  // Both branches ask for another round; the rounds never overlap and each begins once.
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop}, next: round}
  - {step: round, tool: {kind: noop}, next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}}
  - {step: a, tool: {kind: noop}, next: {arcs: [{step: round, when: "{{ a.again }}"}]}}
  - {step: b, tool: {kind: noop}, next: {arcs: [{step: round, when: "{{ b.again }}"}]}}
)",
      [](World& w) {
        const auto again = [](const Call& call) {
          playbook::Map map;
          map.set("again", Value(call.epoch < 3));
          return Answer{.data = Value(std::move(map))};
        };
        w.tools["a"] = again;
        w.tools["b"] = again;
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done round:done*3 a:done*3 b:done*3");
        std::string order;
        for (const std::string& call : w.calls) {
          if (call.starts_with("round")) order += call.back();
        }
        for (const char* s : {"a#1", "b#1"}) EXPECT_LT(position(w, s), position(w, "round#2"));
        for (const char* s : {"a#2", "b#2"}) EXPECT_LT(position(w, s), position(w, "round#3"));
      });
}

TEST(JoinTest, AJoinInsideACycleStartsOnceARound) {
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop}, next: fork}
  - {step: fork, tool: {kind: noop}, next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}}
  - {step: a, tool: {kind: noop}, next: join}
  - {step: b, tool: {kind: noop}, next: join}
  - step: join
    tool: {kind: noop}
    next: {arcs: [{step: fork, when: "{{ join.again }}"}, {step: end}]}
  - {step: end, tool: {kind: noop}}
)",
      [](World& w) {
        w.tools["join"] = [](const Call& call) {
          playbook::Map map;
          map.set("again", Value(call.epoch < 4));
          return Answer{.data = Value(std::move(map))};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done fork:done*4 a:done*4 b:done*4 join:done*4 end:done");
      });
}

TEST(JoinTest, AJoinWaitsForABranchThatGoesRoundALoop) {
  // One branch takes four rounds, the other is at the join long before: between two rounds nothing
  // of the slow one runs, but its loop is entered anew and may still lead to the join.
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop}, next: [claim, other]}
  - step: claim
    tool: {kind: noop}
    next: {arcs: [{step: body, when: "{{ claim.more }}"}, {step: join}]}
  - {step: body, tool: {kind: noop}, next: claim}
  - {step: other, tool: {kind: noop}, next: join}
  - {step: join, tool: {kind: noop}}
)",
      [](World& w) {
        w.tools["claim"] = [](const Call& call) {
          playbook::Map map;
          map.set("more", Value(call.epoch < 4));
          return Answer{.data = Value(std::move(map))};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done claim:done*4 body:done*3 other:done join:done");
        EXPECT_LT(position(w, "claim#4"), position(w, "join#1"));
      });
}

TEST(JoinTest, ACycleEnteredInTwoPlacesDoesNotWedge) {
  in_every_way(
      head() + R"(
  - {step: start, tool: {kind: noop}, next: {spec: {mode: inclusive}, arcs: [{step: x}, {step: y}]}}
  - {step: x, tool: {kind: noop}, next: {arcs: [{step: y, when: "{{ x.go }}"}]}}
  - {step: y, tool: {kind: noop}, next: {arcs: [{step: x, when: "{{ y.go }}"}]}}
)",
      [](World& w) {
        const auto go = [](const Call& call) {
          playbook::Map map;
          map.set("go", Value(call.epoch < 3));
          return Answer{.data = Value(std::move(map))};
        };
        w.tools["x"] = go;
        w.tools["y"] = go;
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.execution(id).state, State::done);
        EXPECT_EQ(w.summary(id), "start:done x:done*3 y:done*2");
      });
}

}  // namespace
}  // namespace tidemill::playbook_test
