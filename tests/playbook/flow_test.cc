// Steps, routing, ctx, skipping: one branch at a time.
#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

std::string head(std::string_view name) {
  return "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: " + std::string(name) + "}\n";
}

TEST(FlowTest, AChainRunsInOrderAndEnds) {
  in_every_way(head("chain") + R"(
workflow:
  - {step: start, tool: {kind: noop}, next: middle}
  - {step: middle, tool: {kind: noop}, next: end}
  - {step: end, tool: {kind: noop}}
)",
               nullptr, [](World& w, ExecutionId id) {
                 EXPECT_EQ(w.execution(id).state, State::done);
                 EXPECT_EQ(w.summary(id), "start:done middle:done end:done");
                 ASSERT_EQ(w.finished.size(), 1U);
                 EXPECT_EQ(w.finished[0], id);
               });
}

TEST(FlowTest, ExclusiveTakesTheFirstTrueArcAndInclusiveAll) {
  const std::string text = R"(
workflow:
  - step: start
    tool: {kind: noop}
    next:
      spec: {mode: MODE}
      arcs:
        - {step: a, when: "{{ start.n > 100 }}"}
        - {step: b, when: "{{ start.n > 1 }}"}
        - {step: c, when: "{{ output.data.n > 2 }}"}
  - {step: a, tool: {kind: noop}}
  - {step: b, tool: {kind: noop}}
  - {step: c, tool: {kind: noop}}
)";
  const auto with = [&](std::string_view mode) {
    std::string out = head("arcs") + text;
    return out.replace(out.find("MODE"), 4, mode);
  };
  const auto n_is_5 = [](World& w) {
    w.tools["start"] = [](const Call&) { return Answer{.data = json(R"({"n": 5, "big": "x"})")}; };
  };
  in_every_way(with("exclusive"), n_is_5,
               [](World& w, ExecutionId id) { EXPECT_EQ(w.summary(id), "start:done b:done"); });
  in_every_way(with("inclusive"), n_is_5, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done b:done c:done");
  });
}

TEST(FlowTest, SetWritesCtxAndArcsSeeIt) {
  in_every_way(
      head("ctx") + R"(
workload: {base: 10, deep: {a: 1, b: 2}}
workflow:
  - step: start
    tool: {kind: noop}
    set: {ctx.sum: "{{ workload.base + output.data.n }}", ctx.deep.x: "{{ deep.b }}"}
    next:
      arcs:
        - {step: end, when: "{{ ctx.sum == 13 and deep.a == 7 }}",
             set: {ctx.taken: "{{ ctx.sum * 2 }}"}}
  - step: end
    input: {sum: "{{ ctx.sum }}"}
    tool: {kind: noop}
)",
      [](World& w) {
        w.tools["start"] = [](const Call&) { return Answer{.data = json(R"({"n": 3})")}; };
        w.tools["end"] = [](const Call& call) {
          EXPECT_EQ(text_of(call.ctx), R"({"sum":13})") << "only what it reads";
          return Answer{};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done end:done");
        EXPECT_EQ(w.ctx(id), R"({"sum":13,"deep":{"x":2},"taken":26})");
        EXPECT_EQ(*w.execution(id).workload, R"({"base":10,"deep":{"a":7,"b":2}})");
      },
      R"({"deep": {"a": 7}})");
}

TEST(FlowTest, ABackEdgeBeginsANewEpochAndForgetsTheOld) {
  in_every_way(
      head("cycle") + R"(
workflow:
  - {step: start, tool: {kind: noop}, set: {ctx.page: 1}, next: fetch}
  - {step: fetch, tool: {kind: noop}, input: {page: "{{ ctx.page }}"}, next: save}
  - step: save
    tool: {kind: noop}
    input: {rows: "{{ fetch.rows }}"}
    next:
      arcs:
        - {step: fetch, when: "{{ fetch.more }}", set: {ctx.page: "{{ ctx.page + 1 }}"}}
        - {step: end}
  - {step: end, tool: {kind: noop}, input: {last: "{{ fetch.rows }}"}}
)",
      [](World& w) {
        w.tools["fetch"] = [](const Call& call) {
          EXPECT_FALSE(call.steps.contains("save")) << "a result of the epoch before";
          const int64_t page = call.ctx.get("page").as_integer();
          EXPECT_EQ(page, static_cast<int64_t>(call.epoch));
          playbook::Map map;
          map.set("rows", Value(page * 10));
          map.set("more", Value(page < 5));
          return Answer{.data = Value(std::move(map))};
        };
        w.tools["save"] = [](const Call& call) {
          EXPECT_EQ(call.steps.at("fetch").get("rows").as_integer(), call.epoch * 10);
          return Answer{};
        };
        w.tools["end"] = [](const Call& call) {
          EXPECT_EQ(call.steps.at("fetch").get("rows").as_integer(), 50);
          return Answer{};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done fetch:done*5 save:done*5 end:done");
        EXPECT_EQ(w.ctx(id), R"({"page":5})");
      });
}

TEST(FlowTest, SkippedStepsGoOnWithoutAResult) {
  in_every_way(head("skip") + R"(
workload: {wanted: false}
workflow:
  - {step: start, tool: {kind: noop}, next: maybe}
  - step: maybe
    spec: {policy: {admit: {rules: [{when: "{{ workload.wanted }}", then: {allow: true}},
         {else: {then: {allow: false}}}]}}}
    tool: {kind: noop}
    set: {ctx.never: "{{ output.data.x }}"}
    next:
      arcs:
        - {step: end, when: "{{ maybe.data is none }}"}
  - {step: end, tool: {kind: noop}}
)",
               nullptr, [](World& w, ExecutionId id) {
                 EXPECT_EQ(w.summary(id), "start:done maybe:skipped end:done");
                 EXPECT_EQ(w.execution(id).state, State::done);
                 EXPECT_EQ(w.count_calls("maybe#1"), 0U);
               });
}

TEST(FlowTest, ACycleOfSkippedStepsFailsInsteadOfRunningForEver) {
  World w;
  const auto plan = w.add_playbook(head("idle") + R"(
workflow:
  - {step: start, tool: {kind: noop}, next: a}
  - step: a
    spec: {policy: {admit: {rules: [{when: "{{ true }}", then: {allow: false}}]}}}
    tool: {kind: noop}
    next: b
  - step: b
    loop: {in: "{{ [] }}", iterator: x}
    tool: {kind: noop}
    next: a
)");
  ASSERT_NE(plan, nullptr);
  const ExecutionId id = w.start(plan);
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.execution(id).state, State::failed);
  EXPECT_NE(w.execution(id).error.message.find("no work done in between"), std::string::npos);
}

TEST(FlowTest, AnArcThatCannotBeEvaluatedIsAnErrorThatNamesIt) {
  in_every_way(
      head("bad") + R"(
workflow:
  - step: start
    tool: {kind: noop}
    next:
      arcs:
        - {step: end, when: "{{ start.rows[0].id + 1 > 2 }}"}
  - {step: end, tool: {kind: noop}}
)",
      [](World& w) {
        w.tools["start"] = [](const Call&) { return Answer{.data = json(R"({"rows": []})")}; };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:failed");
        const ExecutionRecord record = w.execution(id);
        EXPECT_EQ(record.state, State::failed);
        EXPECT_NE(record.error.message.find("arc 1 to 'end' of step 'start'"), std::string::npos)
            << record.error.message;
        EXPECT_NE(record.error.message.find("start.rows"), std::string::npos)
            << record.error.message;
      });
}

TEST(FlowTest, TheFinalStepRunsWhenAllElseIsDoneUnlessTheBranchEndedQuietly) {
  const std::string text = R"(
executor: {spec: {final_step: report}}
workflow:
  - step: start
    tool: {kind: noop}
    next: {spec: {on_no_match: NOMATCH}, arcs: [{step: other, when: "{{ false }}"}]}
  - {step: other, tool: {kind: noop}}
  - {step: report, tool: {kind: noop}}
)";
  const auto with = [&](std::string_view no_match) {
    std::string out = head("final") + text;
    return out.replace(out.find("NOMATCH"), 7, no_match);
  };
  in_every_way(with("complete"), nullptr, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done report:done");
  });
  in_every_way(with("quiet"), nullptr, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done");
    EXPECT_EQ(w.execution(id).state, State::done);
  });
}

TEST(FlowTest, NoNextIsError) {
  World w;
  const auto plan = w.add_playbook(head("nonext") + R"(
executor: {spec: {no_next_is_error: true}}
workflow:
  - {step: start, tool: {kind: noop}, next: {arcs: [{step: end, when: "{{ false }}"}]}}
  - {step: end, tool: {kind: noop}}
)");
  ASSERT_NE(plan, nullptr);
  const ExecutionId id = w.start(plan);
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.summary(id), "start:failed");
  EXPECT_NE(w.execution(id).error.message.find("no_next_is_error"), std::string::npos);
}

TEST(FlowTest, ResultsTooLargeForRoutingReadTheSame) {
  in_every_way(
      head("large") + R"(
workflow:
  - step: start
    tool: {kind: noop}
    set: {ctx.n: "{{ output.data.text | length }}"}
    next:
      arcs:
        - {step: small, when: "{{ start.text | length < 10 }}"}
        - {step: big, set: {ctx.first: "{{ start.text[0] }}"}}
  - {step: small, tool: {kind: noop}}
  - {step: big, tool: {kind: noop}, input: {text: "{{ start.text }}"}}
)",
      [](World& w) {
        w.tools["start"] = [](const Call&) {
          playbook::Map map;
          map.set("text", Value(std::string(limits::kInlineMax + 1, 'x')));
          return Answer{.data = Value(std::move(map))};
        };
        w.tools["big"] = [](const Call& call) {
          EXPECT_EQ(call.steps.at("start").get("text").as_string().size(), limits::kInlineMax + 1);
          return Answer{};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.summary(id), "start:done big:done") << w.execution(id).error.message;
        EXPECT_GE(w.count_calls("route:start"), 1U);
        EXPECT_EQ(w.ctx(id), R"({"n":65537,"first":"x"})");
      });
}

TEST(FlowTest, StartRefusesWhatItCannotRun) {
  World w;
  const auto plan = w.add_playbook(head("x") + "workflow: [{step: start, tool: {kind: noop}}]\n");
  ASSERT_NE(plan, nullptr);
  const auto start = [&](std::string_view workload, Sha256 hash) {
    machine::StartExecution command{.name = "", .file = "x.yaml", .plan = hash, .workload = {}};
    command.workload = std::make_shared<const std::string>(workload);
    return w.refused(std::move(command));
  };
  EXPECT_NE(start("[1]", plan->hash).find("must be a map"), std::string::npos);
  EXPECT_NE(start("{", plan->hash).find("no JSON"), std::string::npos);
  EXPECT_NE(start("{}", Sha256{}).find("not in the store"), std::string::npos);
  const std::string frame = R"({"x":""})";
  const auto of_size = [&](size_t n) {
    return R"({"x":")" + std::string(n - frame.size(), 'a') + R"("})";
  };
  EXPECT_EQ(start(of_size(limits::kInputMax), plan->hash), "");
  EXPECT_NE(start(of_size(limits::kInputMax + 1), plan->hash).find("limit"), std::string::npos);
}

}  // namespace
}  // namespace tidemill::playbook_test
