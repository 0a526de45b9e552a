// What a step's tools do one after another: names, inputs, policies, results.
#include <gtest/gtest.h>

#include "worker/internal/crew_test_util.h"

namespace tidemill::worker {
namespace {

using playbook::ToolKind;
using playbook::Value;

Value json(std::string_view text) { return playbook::parse_json(text).value(); }

// One step `start` with these lines below it (indented by two), run by fake python tools.
class Pipelines : public ::testing::Test {
 protected:
  FakeTool* tool = nullptr;
  void use(FakeTool::Answer answer) { tool = &bench.add_tool(ToolKind::python, std::move(answer)); }
  static std::string document(std::string_view step) {
    return "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
           "workload: {base: 10, names: [a, b]}\n"
           "workflow:\n  - step: start\n" +
           std::string(step);
  }
  // The report of the step's task.
  const Report& run(std::string_view step, std::string workload = R"({"base": 10, "names": ["a"]})",
                    std::string ctx = "{}") {
    const auto id = bench.exchange.add_execution(document(step), std::move(workload));
    Assignment a = bench.exchange.task(id, "start");
    a.input = bench.exchange.scope("start", std::move(ctx));
    return hand_out(std::move(a));
  }
  const Report& hand_out(Assignment a) {
    bench.exchange.hand_out(std::move(a));
    if (!started_) bench.start();
    started_ = true;
    bench.until_reports(++reports_);
    return bench.report(reports_ - 1);
  }
  std::string names() const {
    std::string all;
    for (const auto& s : tool->seen) all += (all.empty() ? "" : " ") + s.name;
    return all;
  }

  CrewBench bench;

 private:
  bool started_ = false;
  size_t reports_ = 0;
};

TEST_F(Pipelines, ASingleToolGivesItsData) {
  use([](const auto& call) { return ok_result(call.input); });
  const Report& r = run("    tool: {kind: python, code: x, input: {n: '{{ base + 1 }}'}}\n");
  EXPECT_EQ(r.result.inline_json, R"({"n":11})");
  EXPECT_EQ(tool->seen[0].config.get("code").as_string(), "x");
  EXPECT_EQ(tool->seen[0].task_key, "101/start/1/0");
  EXPECT_EQ(r.trace.calls, 1u);
}

TEST_F(Pipelines, NamesAreFoundNearestFirst) {
  use([](const auto& call) { return ok_result(call.input); });
  const Report& r =
      run("    set: {ctx.k: 1}\n    input: {base: '{{ workload.base * 2 }}'}\n"
          "    tool: {kind: python, code: x, input: {base: '{{ base + 1 }}', c: '{{ ctx.k }}',\n"
          "           id: '{{ execution_id }}', step: '{{ step.name }}'}}\n",
          R"({"base": 10})", R"({"k": [1]})");
  EXPECT_EQ(r.result.inline_json, R"({"base":21,"c":[1],"id":"101","step":"start"})")
      << r.error.message;
}

TEST_F(Pipelines, LaterToolsSeeEarlierOnes) {
  use([](const auto& call) {
    return ok_result(call.name == "a" ? json(R"({"rows": [5, 6]})") : call.input);
  });
  const Report& r =
      run("    tool:\n"
          "      - {name: a, kind: python, code: x}\n"
          "      - {name: b, kind: python, code: y, input: {one: '{{ a.rows[1] }}',\n"
          "         two: '{{ output.data.rows[0] }}', three: '{{ a.data.rows | length }}'}}\n");
  EXPECT_EQ(r.result.inline_json,
            R"({"one":6,"two":5,"three":2,"a":{"rows":[5,6]},"b":{"one":6,"two":5,"three":2}})");
}

TEST_F(Pipelines, AnErrorWithoutPolicyFailsTheStep) {
  use([](const auto&) { return failed_result("python", "boom"); });
  const Report& r =
      run("    tool:\n      - {name: a, kind: python, code: x}\n"
          "      - {name: b, kind: python, code: y}\n");
  EXPECT_EQ(r.kind, Report::Kind::failed);
  EXPECT_EQ(r.error, (TaskError{"python", "test.yaml:8:9: boom", true}));
  EXPECT_EQ(names(), "a");
}

TEST_F(Pipelines, ThePlaceIsThatOfTheToolThatFailed) {
  use([](const auto& call) {
    return call.name == "b" ? failed_result("python", "boom") : ok_result(call.input);
  });
  const Report& second =
      run("    tool:\n      - {name: a, kind: python, code: x}\n"
          "      - {name: b, kind: python, code: y}\n");
  EXPECT_EQ(second.error.message, "test.yaml:9:9: boom");
  const Report& by_rule =
      run("    tool:\n      - {name: a, kind: python, code: x}\n"
          "      - name: b\n        kind: python\n        code: y\n"
          "        spec:\n          policy:\n            rules:\n"
          "              - {when: \"output.error.message == 'boom'\", then: {do: fail}}\n");
  EXPECT_EQ(by_rule.error.message, "test.yaml:9:9: boom") << "a policy sees it without its place";
}

TEST_F(Pipelines, APolicyRetriesWithBackoffAndCounts) {
  int calls = 0;
  use([&](const auto&) { return ++calls < 3 ? failed_result("http") : ok_result(Value("fine")); });
  const Report& r =
      run("    tool:\n      kind: python\n      code: x\n      input: {n: '{{ _attempt }}'}\n"
          "      spec:\n        policy:\n          rules:\n"
          "            - {when: \"output.status == 'error' and output.error.kind == 'http'\",\n"
          "               then: {do: retry, attempts: 3, delay: 0.001, backoff: exponential}}\n");
  EXPECT_EQ(r.result.inline_json, R"("fine")");
  ASSERT_EQ(tool->seen.size(), 3u);
  EXPECT_EQ(tool->seen[2].input.get("n").as_integer(), 3);
  EXPECT_EQ(r.trace.calls, 3u);
}

TEST_F(Pipelines, ARetryWithoutAttemptsLeftFails) {
  use([](const auto&) { return failed_result("http", "no answer"); });
  const Report& r =
      run("    tool:\n      kind: python\n      code: x\n"
          "      spec:\n        policy:\n          rules:\n"
          "            - {when: \"output.status == 'error'\",\n"
          "               then: {do: retry, attempts: 2, delay: 0.001}}\n");
  EXPECT_EQ(r.error.message, "test.yaml:8:7: no answer");
  EXPECT_EQ(tool->seen.size(), 2u);
}

TEST_F(Pipelines, JumpsWithWritesMakeALoop) {
  use([](const auto& call) {
    return ok_result(call.name == "page" ? json(R"({"more": true})") : call.input);
  });
  const Report& r =
      run("    tool:\n"
          "      - name: page\n        kind: python\n        code: x\n"
          "      - name: save\n        kind: python\n        code: y\n"
          "        input: {page: '{{ iter.page | default(1) }}'}\n"
          "        spec:\n          policy:\n            rules:\n"
          "              - {when: 'output.data.page < 3', then: {do: jump, to: page,\n"
          "                 set: {iter.page: '{{ output.data.page + 1 }}', ctx.last: '{{ iter.page "
          "}}'}}}\n",
          "{}", R"({"last": 0})");
  // `iter.page` is undefined on the first pass, and writing it to ctx is an error.
  EXPECT_EQ(r.kind, Report::Kind::failed);
  EXPECT_EQ(r.error.kind, "template");
  EXPECT_TRUE(r.error.message.starts_with("test.yaml:1")) << r.error.message;
}

TEST_F(Pipelines, WritesOfAPolicyTravelWithTheResult) {
  use([](const auto& call) { return ok_result(call.input); });
  const Report& r =
      run("    tool:\n"
          "      - name: page\n        kind: python\n        code: y\n"
          "        input: {page: '{{ iter.page | default(1) }}', seen: '{{ ctx.last }}'}\n"
          "        spec:\n          policy:\n            rules:\n"
          "              - {when: 'output.data.page < 3', then: {do: jump, to: page,\n"
          "                 set: {iter.page: '{{ output.data.page + 1 }}',\n"
          "                       ctx.last: '{{ output.data.page }}'}}}\n",
          "{}", R"({"last": 0})");
  EXPECT_EQ(r.kind, Report::Kind::done) << r.error.message;
  EXPECT_EQ(tool->seen.size(), 3u);
  EXPECT_EQ(tool->seen[2].input.get("seen").as_integer(), 2);
  EXPECT_EQ(*r.ctx_writes, R"([[["last"],1],[["last"],2]])");
}

TEST_F(Pipelines, BreakEndsItWithSuccess) {
  use([](const auto& call) { return ok_result(Value(call.name)); });
  const Report& r =
      run("    tool:\n"
          "      - {name: a, kind: python, code: x,\n"
          "         spec: {policy: {rules: [{else: {then: {do: break}}}]}}}\n"
          "      - {name: b, kind: python, code: y}\n");
  EXPECT_EQ(r.result.inline_json, R"({"result":"a","a":"a"})");
  EXPECT_EQ(names(), "a");
}

TEST_F(Pipelines, ContinueGoesOnAfterAnErrorWhichIsSeen) {
  use([](const auto& call) {
    return call.name == "a" ? failed_result("http", "gone") : ok_result(call.input);
  });
  const Report& r =
      run("    tool:\n"
          "      - {name: a, kind: python, code: x,\n"
          "         spec: {policy: {rules: [{when: \"output.error.kind == 'http'\",\n"
          "                                  then: {do: continue}}]}}}\n"
          "      - {name: b, kind: python, code: y, input: {why: '{{ a.error.message }}'}}\n");
  EXPECT_EQ(r.result.inline_json, R"({"why":"gone","a":null,"b":{"why":"gone"}})");
}

TEST_F(Pipelines, FailFailsASuccess) {
  use([](const auto&) { return ok_result(json(R"({"ok": false})")); });
  const Report& r = run(
      "    tool: {kind: python, code: x,\n"
      "           spec: {policy: {rules: [{when: 'not output.data.ok', then: {do: fail}}]}}}\n");
  EXPECT_EQ(r.error.kind, "policy");
  EXPECT_FALSE(r.error.retryable);
}

TEST_F(Pipelines, AnUndefinedInputNamesItsPlace) {
  use([](const auto& call) { return ok_result(call.input); });
  const Report& r = run("    tool: {kind: python, code: x, input: {n: '{{ names[7] }}'}}\n");
  EXPECT_EQ(r.error.kind, "template");
  EXPECT_TRUE(r.error.message.starts_with("test.yaml:7:")) << r.error.message;
  EXPECT_TRUE(tool->seen.empty());
}

TEST_F(Pipelines, AWorkbookToolTakesTheCallersInput) {
  use([](const auto& call) { return ok_result(call.input); });
  const auto id = bench.exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workbook:\n  - {name: double, tool: {kind: python, code: x, input: {n: 1, k: 2}}}\n"
      "workflow:\n  - step: start\n    tool: {kind: workbook, name: double, input: {n: 5}}\n");
  const Report& r = hand_out(bench.exchange.task(id, "start"));
  EXPECT_EQ(r.result.inline_json, R"({"n":5,"k":2})") << r.error.message;
}

TEST_F(Pipelines, ConnectionsAreFoundByName) {
  use([](const auto& call) { return ok_result(call.auth); });
  tool = &bench.add_tool(ToolKind::postgres, [](const auto& call) { return ok_result(call.auth); });
  bench.tools.add_connection("pg_main", "postgres://h/db");
  const Report& good = run("    tool: {kind: postgres, auth: pg_main, query: select 1}\n");
  EXPECT_EQ(good.result.inline_json, R"("postgres://h/db")") << good.error.message;
  const Report& bad = run("    tool: {kind: postgres, auth: pg_man, query: select 1}\n");
  EXPECT_EQ(bad.error.message,
            "test.yaml:7:11: no connection is named 'pg_man'; did you mean 'pg_main'?");
  EXPECT_EQ(bad.error.kind, "config");
}

TEST_F(Pipelines, ManyCallsThatEndAtOnceDoNotNest) {
  use([](const auto& call) { return ok_result(call.input); });
  const Report& r = run(
      "    tool:\n"
      "      - name: a\n        kind: noop\n        input: {n: '{{ iter.n | default(0) }}'}\n"
      "        spec: {policy: {rules: [{when: 'output.data.n < 20000', then: {do: jump, to: a,\n"
      "          set: {iter.n: '{{ output.data.n + 1 }}'}}}]}}\n");
  EXPECT_EQ(r.result.inline_json, R"({"n":20000,"a":{"n":20000}})") << r.error.message;
  EXPECT_EQ(r.trace.calls, 20'001u);
}

TEST_F(Pipelines, ALargeResultBecomesABlobFirst) {
  use([](const auto&) { return ok_result(Value(std::string(limits::kInlineMax - 1, 'x'))); });
  const Report& r = run("    tool: {kind: python, code: x}\n");
  EXPECT_EQ(r.kind, Report::Kind::done);
  EXPECT_TRUE(r.result.inline_json.empty());
  EXPECT_EQ(r.result.blob.place, ResultRef::Place::blob);
  EXPECT_EQ(bench.exchange.blobs.at(r.result.blob.blob)->size(), limits::kInlineMax + 1);
}

TEST_F(Pipelines, AResultOfTheBoundStaysInline) {
  use([](const auto&) { return ok_result(Value(std::string(limits::kInlineMax - 2, 'x'))); });
  EXPECT_EQ(run("    tool: {kind: python, code: x}\n").result.inline_json.size(),
            limits::kInlineMax);
}

TEST_F(Pipelines, RoutingGetsWhatItReads) {
  use([](const auto&) { return ok_result(json(R"({"count": 3, "rows": [1, 2]})")); });
  const Report& r =
      run("    tool: {kind: python, code: x}\n"
          "    next: {arcs: [{step: end, when: '{{ output.data.count > 1 }}'}]}\n"
          "  - step: end\n");
  EXPECT_EQ(*r.routing, R"({"reads":[[["count"],3]]})");
  EXPECT_FALSE(r.routing_too_large);
}

TEST_F(Pipelines, ResultsOfOtherStepsAreFetchedOnce) {
  use([](const auto& call) { return ok_result(call.input); });
  const auto id = bench.exchange.add_execution(
      document("    next: [load]\n    tool: {kind: noop}\n  - step: load\n    tool: {kind: python, "
               "code: x,\n"
               "      input: {n: '{{ start.rows | length }}', s: '{{ start.status }}'}}\n"));
  bench.exchange.results[55] = R"({"rows": [1, 2, 3]})";
  playbook::StepScope::Result from;
  from.step = "start";
  from.ref = {.place = ResultRef::Place::task, .task = TaskId{55}, .size = 19};
  for (int i = 0; i < 2; ++i) {
    Assignment a = bench.exchange.task(id, "load");
    a.step.step = 1;
    a.step.epoch = static_cast<uint32_t>(i + 1);
    a.input = bench.exchange.scope("load", "{}", {from});
    EXPECT_EQ(hand_out(std::move(a)).result.inline_json, R"({"n":3,"s":"ok"})");
  }
  EXPECT_EQ(bench.exchange.fetches, 3u);  // execution, plan, result
}

TEST_F(Pipelines, AMissingResultIsAnInputError) {
  use([](const auto& call) { return ok_result(call.input); });
  const auto id = bench.exchange.add_execution(document("    tool: {kind: python, code: x}\n"));
  playbook::StepScope::Result from;
  from.step = "load";
  from.ref = {.place = ResultRef::Place::task, .task = TaskId{77}};
  Assignment a = bench.exchange.task(id, "start");
  a.input = bench.exchange.scope("start", "{}", {from});
  const Report& r = hand_out(std::move(a));
  EXPECT_EQ(r.error, (TaskError{"input", "the result of step 'load': no such result", false}));
}

}  // namespace
}  // namespace tidemill::worker
