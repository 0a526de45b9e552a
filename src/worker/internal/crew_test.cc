// The worker's side of the exchange: order, places, slots, recalls, cancels, drain, lost
// connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "worker/internal/crew_test_util.h"

namespace tidemill::worker {
namespace {

using playbook::ToolKind;
using playbook::Value;

constexpr const char* kLoopText =
    "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
    "workload: {items: [1]}\n"
    "workflow:\n  - step: start\n    loop: {in: '{{ items }}', iterator: x,\n"
    "      spec: {mode: parallel, max_in_flight: 100}}\n";

std::string loop_text(const std::string& tool) { return kLoopText + ("    tool: " + tool + "\n"); }

class CrewTest : public ::testing::Test {
 protected:
  // An array of n items 0 … n−1 whose tool is a fake python or http.
  Assignment array(const std::string& kind, size_t n) {
    const std::string extra = kind == "http" ? "url: 'http://h'" : "code: x";
    const auto id = bench.exchange.add_execution(
        loop_text("{kind: " + kind + ", " + extra +
                  (kind == "http" ? "" : ", input: {x: '{{ x }}', i: '{{ loop_index }}'}") + "}"));
    std::vector<std::string> items;
    for (size_t i = 0; i < n; ++i) items.push_back(std::to_string(i));
    Assignment a = bench.exchange.array(id, "start", std::move(items));
    a.needs_slot = kind == "python";
    return a;
  }
  CrewBench bench{2, 4};
};

TEST_F(CrewTest, ItemsRunInOrderAndReportTogether) {
  FakeTool& tool =
      bench.add_tool(ToolKind::python, [](const auto& call) { return ok_result(call.input); });
  bench.exchange.hand_out(array("python", 6));
  bench.start();
  bench.until_reports(6);
  for (size_t i = 0; i < 6; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(bench.result(i), "{\"x\":" + n + ",\"i\":" + n + "}");
    EXPECT_EQ(bench.report(i).work.first, i);
    EXPECT_EQ(bench.report(i).work.count, 1u);
    EXPECT_EQ(tool.seen[i].task_key, "101/start/1/" + n);
  }
  // One to open the session, one with all reports (the items end within one round).
  const auto with_reports =
      std::count_if(bench.exchange.requests.begin(), bench.exchange.requests.end(),
                    [](const auto& r) { return !r.reports.empty(); });
  EXPECT_EQ(with_reports, 1);
}

TEST_F(CrewTest, PlacesAndSlotsAreNeverExceeded) {
  FakeTool& python = bench.add_tool(ToolKind::python);
  FakeTool& http = bench.add_tool(ToolKind::http);
  bench.exchange.hand_out(array("python", 5));
  bench.start();
  bench.settle();
  EXPECT_EQ(python.open.size(), 2u);  // the slots
  bench.exchange.hand_out(array("http", 10));
  bench.settle();
  EXPECT_EQ(http.open.size(), 0u);  // all four places are taken by the first array
  for (int i = 0; i < 5; ++i) {
    python.finish_first(Value(i));
    bench.settle();
  }
  EXPECT_EQ(http.open.size(), 4u);
  for (int i = 0; i < 10; ++i) {
    http.finish_first(Value(i));
    bench.settle();
  }
  EXPECT_EQ(bench.exchange.reports.size(), 15u);
  EXPECT_EQ(python.most_open, 2u);
  EXPECT_EQ(http.most_open, 4u);
}

TEST_F(CrewTest, CapacityIsWhatIsFreeAndOneExchangeStaysOpen) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  bench.start();
  bench.settle();
  ASSERT_EQ(bench.exchange.requests.size(), 1u);
  EXPECT_EQ(bench.exchange.requests[0].number, 1u);
  EXPECT_EQ(bench.exchange.requests[0].kinds.size(), 8u);
  EXPECT_EQ(bench.exchange.requests[0].free_slots, 2u);
  EXPECT_EQ(bench.exchange.requests[0].free_places, 4u);
  bench.exchange.hand_out(array("http", 4));
  bench.settle();
  const ExchangeRequest full = bench.exchange.requests.back();
  EXPECT_EQ(full.number, 2u);
  EXPECT_EQ(full.last_reply, 1u);
  EXPECT_EQ(full.free_places, 0u);
  EXPECT_EQ(full.free_slots, 2u);
  http.finish_first(Value(1));
  bench.settle();
  EXPECT_EQ(bench.exchange.requests[2].reports.size(), 1u);
  EXPECT_EQ(bench.exchange.requests[2].free_places, 1u);
  EXPECT_EQ(bench.exchange.requests.size(), 4u);  // and one is open again
}

TEST_F(CrewTest, ARecallTakesWhatHasNotBegun) {
  FakeTool& python = bench.add_tool(ToolKind::python);
  const Assignment a = array("python", 7);
  bench.exchange.hand_out(a);
  bench.start();
  bench.settle();
  bench.exchange.recall({WorkRef::of(a.work.array, 1, 6), a.epoch});
  bench.settle();
  // 0 and 1 run, 2 and 3 have a place and wait for a slot, 4 to 6 wait for a place.
  std::vector<uint64_t> returned;
  std::vector<uint64_t> begun;
  for (const Report& r : bench.exchange.reports) {
    auto& list = r.kind == Report::Kind::returned ? returned : begun;
    for (uint64_t i = 0; i < r.work.count; ++i) list.push_back(r.work.first + i);
    EXPECT_EQ(r.epoch, a.epoch);
  }
  std::sort(returned.begin(), returned.end());
  EXPECT_EQ(returned, (std::vector<uint64_t>{2, 3, 4, 5, 6}));
  EXPECT_EQ(begun, std::vector<uint64_t>{1});
  EXPECT_EQ(python.open.size(), 2u);
}

TEST_F(CrewTest, ACancelStopsWhatRunsAndWhatWaits) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  const Assignment a = array("http", 6);
  bench.exchange.hand_out(a);
  bench.start();
  bench.settle();
  bench.exchange.cancel({a.work, a.epoch});
  bench.settle();
  EXPECT_EQ(http.cancelled.size(), 4u);
  uint64_t indexes = 0;
  for (const Report& r : bench.exchange.reports) {
    EXPECT_EQ(r.kind, Report::Kind::failed);
    EXPECT_EQ(r.error.kind, "cancelled");
    indexes += r.work.count;
  }
  EXPECT_EQ(indexes, 6u);
}

TEST_F(CrewTest, ALostConnectionIsAskedAgainWithTheSameNumber) {
  bench.add_tool(ToolKind::python, [](const auto& call) { return ok_result(call.input); });
  bench.exchange.errors_to_give = 2;
  bench.exchange.hand_out(array("python", 1));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.exchange.requests[0].number, 1u);
  EXPECT_EQ(bench.exchange.requests[1].number, 1u);
  EXPECT_EQ(bench.exchange.requests[2].number, 1u);
  EXPECT_EQ(bench.exchange.requests[2].kinds.size(), 8u);
}

TEST_F(CrewTest, AForgottenSessionBeginsAgainWithAllThatIsHeld) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  const Assignment a = array("http", 6);
  bench.options.places = 6;  // nothing waits, so reports leave at once
  bench.exchange.hand_out(a);
  bench.start();
  bench.settle();
  bench.exchange.forgets_session = true;
  http.finish_first(Value(1));
  bench.settle();
  const ExchangeRequest again =
      *std::find_if(bench.exchange.requests.begin() + 1, bench.exchange.requests.end(),
                    [](const auto& r) { return r.number == 1; });
  EXPECT_FALSE(again.session);
  ASSERT_EQ(again.reports.size(), 1u);
  EXPECT_EQ(again.reports[0].result.inline_json, "1");
  uint64_t held = 0;
  for (const LeasedWork& w : again.held) held += w.work.count;
  EXPECT_EQ(held, 6u);
  EXPECT_EQ(again.kinds.size(), 8u);
}

TEST_F(CrewTest, AReportThatTheServerCannotReadFailsItsAttemptAndNoOther) {
  bench.add_tool(ToolKind::python, [](const auto& call) { return ok_result(call.input); });
  bench.exchange.cannot_read = "{\"x\":4,\"i\":4}";
  bench.exchange.hand_out(array("python", 6));
  bench.start();
  bench.until_reports(6);
  std::map<uint64_t, Report> by_index;
  for (const Report& report : bench.exchange.reports) by_index[report.work.first] = report;
  ASSERT_EQ(by_index.size(), 6u);
  for (const auto& [index, report] : by_index) {
    EXPECT_EQ(report.kind, index == 4 ? Report::Kind::failed : Report::Kind::done) << index;
  }
  EXPECT_EQ(by_index[4].error.kind, "report");
  EXPECT_FALSE(by_index[4].error.retryable);
  EXPECT_THAT(by_index[4].error.message, testing::HasSubstr("reports: [0]: no JSON"));
}

TEST_F(CrewTest, WorkUnderALostLeaseIsStopped) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  const Assignment a = array("http", 2);
  bench.exchange.hand_out(a);
  bench.start();
  bench.settle();
  bench.exchange.lost.push_back({WorkRef::of(a.work.array, 0), a.epoch});
  bench.exchange.recall({WorkRef::of(a.work.array, 0), a.epoch});
  bench.settle();
  EXPECT_EQ(http.cancelled.size(), 1u);
  EXPECT_EQ(http.open.size(), 1u);
  EXPECT_EQ(bench.exchange.reports.size(), 1u);  // only the answer to the recall
}

TEST_F(CrewTest, ADrainReturnsWhatWaitsAndLetsTheRestFinish) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  bench.exchange.hand_out(array("http", 6));
  Crew& crew = bench.start();
  bench.settle();
  bool drained = false;
  crew.drain([&] { drained = true; });
  bench.settle();
  EXPECT_FALSE(drained);
  EXPECT_TRUE(bench.exchange.requests.back().draining);
  EXPECT_EQ(bench.exchange.requests.back().free_places, 0u);
  ASSERT_EQ(bench.exchange.reports.size(), 1u);
  EXPECT_EQ(bench.report(0).kind, Report::Kind::returned);
  EXPECT_EQ(bench.report(0).work.count, 2u);
  while (!http.open.empty()) http.finish_first(Value(1));
  bench.settle();
  EXPECT_TRUE(drained);
  EXPECT_EQ(bench.exchange.reports.size(), 5u);
}

TEST_F(CrewTest, AnAttemptPastItsTimeIsStopped) {
  FakeTool& http = bench.add_tool(ToolKind::http);
  Assignment a = array("http", 1);
  a.attempt_timeout = milliseconds(5);
  bench.exchange.hand_out(std::move(a));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.report(0).error.kind, "timeout");
  EXPECT_EQ(bench.report(0).error.message, "the attempt was not done after 0.005 s");
  EXPECT_EQ(http.cancelled.size(), 1u);
}

TEST_F(CrewTest, AnUnknownKindIsRefused) {
  Assignment a = array("http", 1);
  a.kind = "imaging";
  bench.exchange.hand_out(std::move(a));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.report(0).error.message, "this worker cannot run work of kind 'imaging'");
}

TEST_F(CrewTest, AToolThatIsNotThereIsAnError) {
  bench.exchange.hand_out(array("http", 1));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.report(0).error.message, "test.yaml:9:11: this worker has no tool of kind http");
}

// ---- other kinds of work ----

TEST_F(CrewTest, AnExpansionGivesTheItems) {
  const auto id = bench.exchange.add_execution(loop_text("{kind: noop}"), R"({"items": [1, "b"]})");
  Assignment a = bench.exchange.task(id, "start");
  a.kind = playbook::kExpandKind;
  bench.exchange.hand_out(std::move(a));
  bench.start();
  bench.until_reports(1);
  const Report& r = bench.report(0);
  EXPECT_EQ(r.kind, Report::Kind::done) << r.error.message;
  EXPECT_EQ(r.loop_items, (std::vector<std::string>{"1", "\"b\""}));
  EXPECT_EQ(playbook::decode_expansion(*r.routing)->max_in_flight, 100u);
}

TEST_F(CrewTest, ARoutingTaskGivesArcsAndWrites) {
  const auto id = bench.exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workflow:\n  - step: start\n    tool: {kind: noop}\n"
      "    set: {ctx.n: '{{ output.data.n }}'}\n"
      "    next: {arcs: [{step: a, when: '{{ output.data.n > 5 }}'},\n"
      "                  {step: b, set: {ctx.m: 2}}]}\n"
      "  - step: a\n  - step: b\n");
  playbook::StepScope scope;
  scope.step = "start";
  scope.ctx = Value(playbook::Map());
  scope.ending = playbook::Ending::done;
  scope.results.push_back({.step = "start", .output = {}, .ref = {}});
  scope.results[0].output.data = playbook::parse_json(R"({"n": 3})").value();
  Assignment a = bench.exchange.task(id, "start");
  a.kind = playbook::kRouteKind;
  a.input = std::make_shared<const std::string>(playbook::encode_scope(scope));
  bench.exchange.hand_out(std::move(a));
  bench.start();
  bench.until_reports(1);
  const Report& r = bench.report(0);
  EXPECT_EQ(r.kind, Report::Kind::done) << r.error.message;
  EXPECT_EQ(playbook::decode_arcs(*r.routing).value(), std::vector<uint32_t>{1});
  EXPECT_EQ(*r.ctx_writes, R"([[["n"],3],[["m"],2]])");
}

class CursorTest : public CrewTest {
 protected:
  Assignment claimer(const std::string& spec) {
    const auto id = bench.exchange.add_execution(
        "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
        "workflow:\n  - step: start\n    loop: {cursor: {kind: sqlite, auth: db,\n"
        "      claim: 'update q set c = 1 returning *'}, iterator: row, spec: {mode: cursor" +
        spec +
        "}}\n    tool: {kind: python, code: x, input: {row: '{{ row }}', i: '{{ loop_index "
        "}}'}}\n");
    Assignment a = bench.exchange.array(id, "start", {});
    a.work = WorkRef::of(ArrayId{9}, 0, 1);
    a.kind = playbook::kCursorKind;
    bench.tools.add_connection("db", "file.db");
    return a;
  }
  // A queue of rows, handed out `n` at a time.
  void claims(std::vector<int64_t> rows, size_t n) {
    bench.add_tool(ToolKind::sqlite, [rows, n](const auto& call) mutable {
      EXPECT_EQ(call.auth.as_string(), "file.db");
      playbook::List list;
      while (!rows.empty() && list.size() < n) {
        list.push_back(Value(rows.front()));
        rows.erase(rows.begin());
      }
      playbook::Map map;
      map.set("rows", Value(std::move(list)));
      return ok_result(Value(std::move(map)));
    });
  }
};

TEST_F(CursorTest, AClaimerWorksUntilAClaimGivesNothing) {
  claims({10, 11, 12, 13, 14}, 2);
  FakeTool& tool =
      bench.add_tool(ToolKind::python, [](const auto& call) { return ok_result(call.input); });
  bench.exchange.hand_out(claimer(""));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.result(0), R"({"total":5,"done":5,"failed":0})");
  EXPECT_EQ(playbook::decode_cursor_counts(*bench.report(0).routing)->done, 5u);
  ASSERT_EQ(tool.seen.size(), 5u);
  EXPECT_EQ(playbook::to_json(tool.seen[4].input), R"({"row":14,"i":4})");
}

TEST_F(CursorTest, FramesTakeSeveralRows) {
  claims({1, 2, 3, 4, 5}, 5);
  FakeTool& tool =
      bench.add_tool(ToolKind::python, [](const auto& call) { return ok_result(call.input); });
  bench.exchange.hand_out(claimer(", frame: {max_rows: 3, process: frame}"));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.result(0), R"({"total":5,"done":5,"failed":0})");
  ASSERT_EQ(tool.seen.size(), 2u);
  EXPECT_EQ(playbook::to_json(tool.seen[1].input.get("row")), "[4,5]");
}

TEST_F(CursorTest, AFailedRowEndsItUnlessTheLoopGoesOn) {
  const auto fails_on_two = [](const auto& call) {
    return call.input.get("row").as_integer() == 2 ? failed_result("python", "two")
                                                   : ok_result(call.input);
  };
  claims({1, 2, 3}, 3);
  bench.add_tool(ToolKind::python, fails_on_two);
  bench.exchange.hand_out(claimer(""));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.report(0).kind, Report::Kind::failed);
  EXPECT_EQ(bench.report(0).error.message, "test.yaml:8:11: two");
  EXPECT_EQ(playbook::decode_cursor_counts(*bench.report(0).routing)->failed, 1u);
}

TEST_F(CursorTest, AFailedRowIsCountedWhenTheLoopGoesOn) {
  claims({1, 2, 3}, 3);
  bench.add_tool(ToolKind::python, [](const auto& call) {
    return call.input.get("row").as_integer() == 2 ? failed_result("python")
                                                   : ok_result(call.input);
  });
  bench.exchange.hand_out(claimer(", on_failure: continue"));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.result(0), R"({"total":3,"done":2,"failed":1})");
}

TEST_F(CursorTest, ADrainReturnsAClaimerBetweenItsClaims) {
  claims({1, 2, 3}, 1);
  FakeTool& tool = bench.add_tool(ToolKind::python);
  bench.exchange.hand_out(claimer(""));
  Crew& crew = bench.start();
  bench.settle();
  bool drained = false;
  crew.drain([&] { drained = true; });
  tool.finish_first(Value(1));
  bench.settle();
  EXPECT_TRUE(drained);
  EXPECT_EQ(bench.report(0).kind, Report::Kind::returned);
  EXPECT_EQ(tool.seen.size(), 1u);
}

}  // namespace
}  // namespace tidemill::worker
