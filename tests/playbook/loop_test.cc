// Loops: one array an epoch, results by reference, exactly one loop.done.
#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

std::string with_loop(std::string_view loop, std::string_view then = "next: end") {
  return "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: loops}\n"
         "workload: {items: [10, 20, 30, 40, 50, 60, 70]}\n"
         "workflow:\n"
         "  - {step: start, tool: {kind: noop}, set: {ctx.sum: 0}, next: each}\n"
         "  - step: each\n    loop: " +
         std::string(loop) +
         "\n    tool: {kind: noop}\n    input: {so_far: \"{{ ctx.sum }}\"}\n    " +
         std::string(then) + "\n  - {step: end, tool: {kind: noop}}\n";
}

Answer twice(const Call& call) { return Answer{.data = Value(call.item.as_integer() * 2)}; }

TEST(LoopTest, ResultsComeInIndexOrderWhateverTheOrderOfEnds) {
  in_every_way(
      with_loop(
          "{in: '{{ workload.items }}', iterator: x, spec: {mode: parallel, max_in_flight: 3}}",
          "next: {arcs: [{step: end, when: \"{{ event.name == 'loop.done' and "
          "output.total == 7 and each.done == 7 }}\"}]}"),
      [](World& w) { w.tools["each"] = twice; },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:done end:done");
        const StepRecord each = w.step(id, "each");
        EXPECT_EQ(each.total, 7U);
        EXPECT_EQ(each.done, 7U);
        EXPECT_EQ(each.failed, 0U);
        EXPECT_EQ(text_of(w.result(each.result)), "[20,40,60,80,100,120,140]");
      });
}

TEST(LoopTest, RoutingOnResultsRunsOnAWorkerAndReadsThemAll) {
  in_every_way(
      with_loop(
          "{in: '{{ workload.items }}', iterator: x, spec: {mode: parallel, max_in_flight: 4}}",
          "set: {ctx.total: '{{ output.results | sum }}'}\n    next: {arcs: [{step: end, when: "
          "'{{ each.results[6] == 140 }}'}]}"),
      [](World& w) { w.tools["each"] = twice; },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:done end:done");
        EXPECT_EQ(w.ctx(id), R"({"sum":0,"total":560})");
        EXPECT_GE(w.count_calls("route:each"), 1U);
      });
}

TEST(LoopTest, AnEmptyLoopIsDoneAtOnceAndIsAListNoMore) {
  in_every_way(with_loop("{in: '{{ [] }}', iterator: x}",
                         "next: {arcs: [{step: end, when: \"{{ output.results == [] and "
                         "output.total == 0 }}\"}]}"),
               nullptr, [](World& w, ExecutionId id) {
                 EXPECT_EQ(w.summary(id), "start:done each:done end:done");
                 EXPECT_EQ(w.count_calls("each#1[0]"), 0U);
               });
}

TEST(LoopTest, ALoopOverSomethingElseIsAnErrorThatNamesIt) {
  in_every_way(with_loop("{in: '{{ workload }}', iterator: x}"), nullptr,
               [](World& w, ExecutionId id) {
                 EXPECT_EQ(w.execution(id).state, State::failed);
                 const std::string text = w.execution(id).error.message;
                 EXPECT_NE(text.find("loop.in of step 'each'"), std::string::npos) << text;
                 EXPECT_NE(text.find("expected a list"), std::string::npos) << text;
               });
}

TEST(LoopTest, SequentialIterationsSeeTheWritesOfTheOnesBefore) {
  in_every_way(
      with_loop("{in: '{{ workload.items }}', iterator: x, spec: {mode: sequential}}"),
      [](World& w) {
        w.tools["each"] = [](const Call& call) {
          const int64_t sum = call.ctx.get("sum").as_integer();
          EXPECT_EQ(sum, static_cast<int64_t>(call.index * (call.index + 1) / 2 * 10));
          return Answer{.ctx = {{{"sum"}, Value(sum + call.item.as_integer())}}};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:done end:done");
        EXPECT_EQ(w.ctx(id), R"({"sum":280})");
      });
}

Tool failing_at(std::vector<uint64_t> indexes) {
  return [indexes](const Call& call) {
    Answer answer{.data = Value(static_cast<int64_t>(call.index))};
    for (const uint64_t i : indexes) {
      if (call.index == i)
        answer.error = TaskError{.kind = "python", .message = "no " + std::to_string(i)};
    }
    return answer;
  };
}

TEST(LoopTest, AFailedIterationFailsTheLoop) {
  in_every_way(
      with_loop("{in: '{{ workload.items }}', iterator: x, spec: {mode: sequential}}"),
      [](World& w) { w.tools["each"] = failing_at({2}); },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:failed");
        EXPECT_EQ(w.execution(id).state, State::failed);
        EXPECT_EQ(w.execution(id).error.kind, "python");
        EXPECT_EQ(w.execution(id).error.message,
                  "step 'each': 1 of 7 iterations failed; the first, index 2: no 2");
        EXPECT_EQ(w.step(id, "each").done, 2U) << "what was not started is not started";
        EXPECT_EQ(w.count_calls("each#1[3]"), 0U);
      });
}

TEST(LoopTest, OnFailureContinueAndMaxFailed) {
  const std::string loop =
      "{in: '{{ workload.items }}', iterator: x, spec: {mode: parallel, "
      "max_in_flight: 7, on_failure: HOW}}";
  const auto with = [&](std::string_view how) {
    std::string out = loop;
    out.replace(out.find("HOW"), 3, how);
    return with_loop(out);
  };
  const auto prepare = [](World& w) { w.tools["each"] = failing_at({1, 5}); };
  in_every_way(with("continue"), prepare, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done each:done end:done");
    EXPECT_EQ(w.step(id, "each").failed, 2U);
    EXPECT_EQ(text_of(w.result(w.step(id, "each").result)), "[0,null,2,3,4,null,6]");
  });
  in_every_way(with("{max_failed: 2}"), prepare, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done each:done end:done");
  });
  in_every_way(with("{max_failed: 1}"), prepare, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done each:failed");
  });
}

TEST(LoopTest, ClaimersOfACursorLoopCountTheirRows) {
  in_every_way(
      with_loop(
          "{cursor: {kind: sqlite, auth: db, claim: 'SELECT 1'}, iterator: row, spec: "
          "{mode: cursor, max_in_flight: 3}}",
          "next: {arcs: [{step: end, when: '{{ output.total == 9 and output.done == 9 }}'}]}"),
      [](World& w) {
        w.tools["each"] = [](const Call&) {
          return Answer{.rows = playbook::CursorCounts{.total = 3, .done = 3}};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:done end:done");
        EXPECT_EQ(w.step(id, "each").total, 9U);
      });
}

TEST(LoopTest, ALongListIsExpandedOnAWorker) {
  in_every_way(
      with_loop("{in: '{{ start.rows }}', iterator: x, spec: {mode: parallel, max_in_flight: 500, "
                "on_failure: continue}}"),
      [](World& w) {
        w.faults.places = 1'000;
        w.faults.one_by_one = false;
        w.tools["start"] = [](const Call&) {
          playbook::List rows;
          for (int i = 0; i < 300; ++i) rows.emplace_back(std::string(300, 'a'));
          playbook::Map map;
          map.set("rows", Value(std::move(rows)));
          return Answer{.data = Value(std::move(map))};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done each:done end:done");
        EXPECT_EQ(w.step(id, "each").total, 300U);
        EXPECT_GE(w.count_calls("expand:each"), 1U);
      });
}

}  // namespace
}  // namespace tidemill::playbook_test
