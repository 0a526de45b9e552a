#include "playbook/compile.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "model/limits.h"
#include "playbook/internal/diagnostics.h"
#include "playbook/internal/reads.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

const std::string kHead = "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: example}\n";
const std::string kNoetl = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: example}\n";

std::string said(const std::string& text) {
  std::string out;
  for (const Diagnostic& d : compile(text, "p.yaml").diagnostics) out += format(d, "p.yaml", text);
  return out;
}

PlanPtr plan_of(const std::string& text) {
  Compiled compiled = compile(text, "p.yaml");
  EXPECT_NE(compiled.plan, nullptr) << said(text);
  return compiled.plan;
}

// One step `start` with these lines (indented by four).
PlanPtr plan_of_step(const std::string& lines) {
  return plan_of(kHead + "workload: {rows: [1], n: 2}\nworkflow:\n  - step: start\n" + lines);
}

const Step& only_step(const PlanPtr& plan) { return plan->steps.at(0); }

std::string words(const std::vector<Path>& paths) {
  std::string out;
  for (const Path& path : paths) {
    std::string one;
    for (const std::string& part : path) one += (one.empty() ? "" : ".") + part;
    out += (out.empty() ? "" : " ") + (one.empty() ? "*" : one);
  }
  return out;
}

std::string arcs_of(const Plan& plan, std::string_view step) {
  const Step& from = plan.step(*plan.find_step(step));
  std::string out = from.mode == Step::Mode::inclusive ? "all" : "first";
  for (const Arc& arc : from.arcs) {
    out += " " + plan.step(arc.to).name;
    if (arc.when) out += "?";
    if (arc.back) out += "<";
  }
  return out;
}

Value rendered(const InputTree& tree, const Scope& scope) {
  Fuel fuel{kWorkerFuel};
  Evaluated<Value> value = tree.render(scope, fuel);
  EXPECT_TRUE(value.ok()) << (value.ok() ? "" : value.error().text);
  return value.ok() ? value.value() : Value();
}

// ---- the forms of the language ----

TEST(Compile, next_has_three_forms) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"next: a", "first a"},
      {"next: [a, b]", "all a b"},
      {"next: [{step: a, when: '{{ output.data }}'}, {step: b}]", "first a? b"},
      {"next: {step: a, when: output.data}", "first a?"},
      {"next: {arcs: [{step: a, when: 'true'}, {step: b}]}", "first a? b"},
      {"next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}]}", "all a b"},
      {"next: start", "first start<"},
      {"desc: none", "first"}};
  for (const auto& [next, expected] : cases) {
    PlanPtr plan =
        plan_of(kHead + "workflow:\n  - step: start\n    " + next + "\n  - step: a\n  - step: b\n");
    ASSERT_TRUE(plan);
    EXPECT_EQ(arcs_of(*plan, "start"), expected) << next;
  }
}

TEST(Compile, pipelines_have_two_forms) {
  for (const char* tool : {"[{name: a, kind: noop}, {name: b, kind: shell, cmd: echo}]",
                           "[{a: {kind: noop}}, {b: {kind: shell, cmd: echo}}]"}) {
    PlanPtr plan = plan_of_step(std::string("    tool: ") + tool + "\n");
    ASSERT_TRUE(plan);
    const Step& step = only_step(plan);
    EXPECT_TRUE(step.is_pipeline);
    EXPECT_TRUE(step.uses_slot);
    ASSERT_EQ(step.tools.size(), 2U);
    EXPECT_EQ(step.tools[0].name, "a");
    EXPECT_EQ(step.tools[1].name, "b");
    EXPECT_EQ(step.tools[1].kind, ToolKind::shell);
    EXPECT_EQ(rendered(step.tools[1].config, Scope()).get("cmd").as_string(), "echo");
  }
}

TEST(Compile, a_step_without_a_tool_does_nothing) {
  PlanPtr plan = plan_of_step("    next: start\n");
  ASSERT_TRUE(plan);
  ASSERT_EQ(only_step(plan).tools.size(), 1U);
  EXPECT_EQ(only_step(plan).tools[0].kind, ToolKind::noop);
  EXPECT_EQ(only_step(plan).tools[0].name, "start");
  EXPECT_FALSE(only_step(plan).uses_slot);
  EXPECT_FALSE(only_step(plan).is_pipeline);
}

TEST(Compile, durations_are_seconds_or_have_a_unit) {
  const std::vector<std::pair<std::string, Duration>> cases = {
      {"2", seconds(2)},        {"0.5", milliseconds(500)}, {"500ms", milliseconds(500)},
      {"'2s'", seconds(2)},     {"1m", minutes(1)},         {"1.5h", minutes(90)},
      {"'30'", seconds(30)},    {"0", Duration{}},          {"1d", hours(24)},
      {"1e-3", milliseconds(1)}};
  for (const auto& [text, expected] : cases) {
    PlanPtr plan = plan_of_step("    spec: {timeout: " + text + "}\n");
    ASSERT_TRUE(plan);
    EXPECT_EQ(only_step(plan).timeout, expected) << text;
  }
}

TEST(Compile, rules_of_a_policy) {
  PlanPtr plan = plan_of_step(R"(    tool:
      - name: fetch
        kind: noop
        spec:
          policy:
            rules:
              - when: '{{ output.http.status in [429] }}'
                then: {do: retry, attempts: 5, delay: 2s, backoff: exponential}
              - when: output.status == "error"
                then: {do: fail}
              - else:
                  then: {do: continue, set: {iter.page: 1, ctx.seen.last: '{{ output.data }}'}}
      - name: again
        kind: noop
        spec:
          policy:
            rules:
              - when: iter.page < 3
                then: {do: jump, to: fetch}
              - when: iter.page < 4
                then: {do: jump, to: previous}
              - else: {then: {do: break}}
)");
  ASSERT_TRUE(plan);
  const std::vector<PolicyRule>& fetch = only_step(plan).tools[0].rules;
  ASSERT_EQ(fetch.size(), 3U);
  EXPECT_EQ(fetch[0].action, PolicyRule::Do::retry);
  EXPECT_EQ(fetch[0].attempts, 5U);
  EXPECT_EQ(fetch[0].delay, seconds(2));
  EXPECT_EQ(fetch[0].backoff, Backoff::exponential);
  EXPECT_EQ(fetch[1].action, PolicyRule::Do::fail);
  EXPECT_FALSE(fetch[2].when);
  ASSERT_EQ(fetch[2].set.size(), 2U);
  EXPECT_EQ(fetch[2].set[0].target, SetItem::Target::iter);
  EXPECT_EQ(fetch[2].set[1].path, (Path{"seen", "last"}));
  const std::vector<PolicyRule>& again = only_step(plan).tools[1].rules;
  EXPECT_EQ(again[0].jump_index, 0U);
  EXPECT_EQ(again[1].jump_index, 0U);
  EXPECT_EQ(again[2].action, PolicyRule::Do::stop);
}

TEST(Compile, retry_is_short_for_a_rule) {
  auto rule = [](const std::string& retry) {
    PlanPtr plan = plan_of_step("    tool: {kind: noop, retry: " + retry + "}\n");
    return plan ? only_step(plan).tools[0].rules.at(0) : PolicyRule{};
  };
  auto fires = [](const PolicyRule& r, const std::string& output) {
    Scope scope;
    scope.set("output", parse_json(output).value());
    Fuel fuel{kRoutingFuel};
    return arc_true(r.when->evaluate_condition(scope, fuel).value());
  };
  PolicyRule plain = rule("4");
  EXPECT_EQ(plain.attempts, 4U);
  EXPECT_TRUE(fires(plain, R"({"status": "error"})"));
  EXPECT_FALSE(fires(plain, R"({"status": "ok"})"));
  PolicyRule some =
      rule("{max_attempts: 2, retry_on: [503, timeout], backoff: linear, delay: 100ms}");
  EXPECT_EQ(some.attempts, 2U);
  EXPECT_EQ(some.backoff, Backoff::linear);
  EXPECT_EQ(some.delay, milliseconds(100));
  EXPECT_TRUE(fires(some, R"({"status": "error", "http": {"status": 503}})"));
  EXPECT_TRUE(fires(some, R"({"status": "error", "error": {"kind": "timeout"}})"));
  EXPECT_FALSE(fires(some, R"({"status": "error", "http": {"status": 404}})"));
  EXPECT_TRUE(fires(rule("{retry_on: output.data.again}"), R"({"data": {"again": true}})"));
}

TEST(Compile, loops) {
  PlanPtr list = plan_of_step("    loop: {in: '{{ workload.rows }}', iterator: row}\n");
  ASSERT_TRUE(list);
  EXPECT_EQ(only_step(list).loop->mode, Loop::Mode::sequential);
  EXPECT_EQ(only_step(list).loop->max_in_flight, 1U);
  EXPECT_EQ(only_step(list).loop->iterator, "row");

  PlanPtr parallel = plan_of_step(
      "    loop: {in: [1, 2], spec: {mode: parallel, max_in_flight: 7, on_failure: {max_failed: "
      "3}}}\n");
  ASSERT_TRUE(parallel);
  EXPECT_EQ(only_step(parallel).loop->mode, Loop::Mode::parallel);
  EXPECT_EQ(only_step(parallel).loop->max_in_flight, 7U);
  EXPECT_EQ(only_step(parallel).loop->on_failure, Loop::OnFailure::proceed);
  EXPECT_EQ(only_step(parallel).loop->max_failed, 3U);

  PlanPtr cursor = plan_of_step(R"(    loop:
      cursor: {kind: sqlite, auth: db, claim: 'UPDATE q SET by = ''{{ task_key }}'' RETURNING id'}
      iterator: job
      spec: {mode: cursor, max_in_flight: '{{ workload.n }}', frame: {max_rows: 50, process: frame}}
)");
  ASSERT_TRUE(cursor);
  const Loop& loop = *only_step(cursor).loop;
  EXPECT_EQ(loop.mode, Loop::Mode::cursor);
  EXPECT_EQ(loop.cursor->kind, ToolKind::sqlite);
  EXPECT_NE(loop.cursor->config.field("query"), nullptr);
  EXPECT_EQ(loop.frame_max_rows, 50U);
  EXPECT_EQ(loop.frame_process, Loop::Process::frame);
  EXPECT_TRUE(loop.max_in_flight_from);
  EXPECT_EQ(cursor->connections, std::vector<std::string>{"db"});
}

TEST(Compile, the_document_around_the_steps) {
  PlanPtr plan = plan_of(R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: report, path: a/report, version: 1.0, labels: {team: x}, tags: [t]}
executor: {spec: {final_step: done, no_next_is_error: true}}
workload: {when: 010, size: 10, ok: yes, rate: 1.5, none: ~}
keychain: {api: {kind: bearer, token: '{{ workload.size }}'}}
workbook:
  clean: {kind: python, code: result = 1}
workflow:
  - step: start
    tool: {kind: workbook, name: clean, auth: api}
    next: call
  - step: call
    tool: {kind: playbook, path: child, return_step: end, input: {n: 1}}
    next: done
  - step: done
)");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->metadata.version, "1.0");
  EXPECT_EQ(to_json(plan->workload),
            R"({"when":"010","size":10,"ok":"yes","rate":1.5,"none":null})");
  EXPECT_EQ(plan->final_step, StepIndex{2});
  EXPECT_TRUE(plan->steps[0].no_next_is_error);
  EXPECT_FALSE(plan->steps[2].no_next_is_error);
  EXPECT_TRUE(plan->steps[0].uses_slot);  // the tool it stands for runs code
  EXPECT_TRUE(plan->steps[1].starts_children);
  EXPECT_TRUE(plan->needs_python);
  EXPECT_TRUE(plan->connections.empty());  // `api` is in the keychain
  ASSERT_EQ(plan->children.size(), 1U);
  EXPECT_EQ(plan->children[0].return_step, "end");
  EXPECT_EQ(plan->children[0].inputs, std::vector<std::string>{"n"});
  EXPECT_EQ(plan->hash, sha256(plan->text));
}

TEST(Compile, input_trees_keep_their_shape) {
  PlanPtr plan = plan_of_step(
      "    tool:\n      kind: python\n      code: 'result = \"{{ not a template }}\"'\n"
      "      input: {a: [1, '{{ n }}', {b: 'x{{ n }}'}], c: '{{ rows }}'}\n");
  ASSERT_TRUE(plan);
  const Tool& tool = only_step(plan).tools[0];
  Scope scope;
  scope.set("n", Value(2));
  scope.set("rows", Value(List{Value(1)}));
  EXPECT_EQ(to_json(rendered(tool.input, scope)), R"({"a":[1,2,{"b":"x2"}],"c":[1]})");
  EXPECT_EQ(rendered(tool.config, scope).get("code").as_string(),
            "result = \"{{ not a template }}\"");
  std::vector<Reference> references;
  tool.input.collect_references(references);
  EXPECT_EQ(references.size(), 3U);
  EXPECT_FALSE(tool.input.empty());
  EXPECT_EQ(tool.input.field("z"), nullptr);
}

// ---- reads ----

struct ReadsCase {
  const char* name;
  const char* load;  // lines of the step `load`
  const char* use;   // lines of the step `use`
  const char* routing;
  const char* scope;
  const char* loop;
};

const ReadsCase kReadsCases[] = {
    {"own arcs", "next: {arcs: [{step: use, when: output.data.rows}]}", "", "rows", "", ""},
    {"own set", "set: {ctx.a: '{{ output.data.b.c }}'}\n    next: use", "", "b.c", "", ""},
    {"the whole", "set: {ctx.a: '{{ output.data }}'}\n    next: use", "", "*", "", ""},
    {"status reads no data", "next: {arcs: [{step: use, when: output.status == 'ok'}]}", "", "", "",
     ""},
    {"by its own name", "next: {arcs: [{step: use, when: load.data.n > load.m}]}", "", "m n", "",
     ""},
    {"event", "next: {arcs: [{step: use, when: event.name == 'step.failed'}]}", "", "", "", ""},
    {"a position", "next: {arcs: [{step: use, when: 'output.data.rows[0].n > 0'}]}", "", "rows.0.n",
     "", ""},
    {"the last", "next: {arcs: [{step: use, when: 'output.data.rows[-1].n > 0'}]}", "", "rows", "",
     ""},
    {"http", "next: {arcs: [{step: use, when: output.data.data.paging.hasMore}]}", "",
     "data.paging.hasMore", "", ""},
    {"of another's set", "next: use", "set: {ctx.a: '{{ load.rows }}'}", "rows", "", ""},
    {"of another's admit", "next: use",
     "spec: {policy: {admit: {rules: [{when: load.n, then: {allow: true}}]}}}", "n", "", ""},
    {"of another's loop", "next: use",
     "loop: {in: '{{ load.rows }}', iterator: row}\n    tool: {kind: shell, cmd: '{{ row.a }}'}",
     "rows", "", "load.rows"},
    {"of another's tool", "set: {ctx.a: 1}\n    next: use",
     "tool: {kind: shell, cmd: '{{ load.rows }} {{ load.data.n }} {{ ctx.a }} {{ workload.n }}'}",
     "", "ctx.a load.n load.rows", ""},
    {"nested paths", "set: {ctx.a: '{{ output.data.b.c }} {{ output.data.b }}'}\n    next: use", "",
     "b", "", ""},
    {"through an input", "next: use",
     "input: {items: '{{ load.rows }}'}\n    loop: {in: '{{ items }}', iterator: row}", "rows",
     "load.rows", "load.rows"},
    {"rules", "next: use",
     "tool: {kind: noop, spec: {policy: {rules: [{when: load.n > 1, then: {do: fail}}]}}}", "",
     "load.n", ""},
    {"a pipeline's own names", "next: use",
     "tool: [{name: load, kind: noop}, {name: b, kind: shell, cmd: '{{ load.x }}'}]", "", "", ""},
    {"an iterator that hides a step", "next: use",
     "loop: {in: [1], iterator: load}\n    tool: {kind: shell, cmd: '{{ load.x }}'}", "", "", ""},
};

TEST(Compile, finds_what_routing_and_tools_read) {
  for (const ReadsCase& c : kReadsCases) {
    PlanPtr plan = plan_of(
        kHead + "workload: {n: 1}\nworkflow:\n  - step: start\n    next: load\n" +
        "  - step: load\n    " + c.load + "\n  - step: use\n    desc: ''\n    " + c.use + "\n");
    ASSERT_TRUE(plan) << c.name;
    EXPECT_EQ(words(plan->steps[1].routing_reads), c.routing) << c.name;
    EXPECT_EQ(words(plan->steps[2].scope_reads), c.scope) << c.name;
    EXPECT_EQ(words(plan->steps[2].loop_reads), c.loop) << c.name;
  }
}

TEST(Reads, paths_below_others_are_dropped) {
  EXPECT_EQ(words(without_nested({{"b"}, {"a", "c"}, {"a"}, {"ab"}, {"a", "b"}, {"b"}})), "a ab b");
  EXPECT_EQ(words(without_nested({{"b"}, {}, {"a"}})), "*");
}

// ---- the graph ----

TEST(Compile, puts_the_graph_into_the_plan) {
  PlanPtr plan = plan_of(kHead + R"(workflow:
  - step: start
    next: [left, right]
  - step: left
    next: join
  - step: right
    next: join
  - step: join
    next: {arcs: [{step: start, when: output.data.again}, {step: end}]}
  - step: end
)");
  ASSERT_TRUE(plan);
  EXPECT_EQ(arcs_of(*plan, "join"), "first start?< end");
  EXPECT_EQ(plan->steps[0].dominates.size(), 5U);
  EXPECT_EQ(plan->steps[3].dominates.size(), 1U);
  EXPECT_EQ(plan->steps[3].blocked_by, (std::vector<bool>{true, true, true, false, false}));
  EXPECT_EQ(plan->steps[0].blocked_by, std::vector<bool>(5, false));
}

// ---- children ----

std::vector<std::string> children_said(
    const std::vector<std::pair<std::string, std::string>>& files) {
  std::map<std::string, PlanPtr> plans;
  for (const auto& [path, step] : files)
    plans[path] =
        plan_of(kHead + "workload: {offset: 0}\nworkflow:\n  - step: start\n    " + step + "\n");
  std::vector<std::string> out;
  for (const ChildDiagnostic& d : check_children(plans, files.front().first))
    out.push_back(d.path + ":" + std::to_string(d.diagnostic.at.line) + " " + d.diagnostic.text +
                  " | " + d.diagnostic.suggestion);
  return out;
}

TEST(Children, are_found_and_may_be_called_by_several) {
  EXPECT_TRUE(children_said(
                  {{"a", "tool: [{b: {kind: playbook, path: b}}, {c: {kind: playbook, path: c}}]"},
                   {"b", "tool: {kind: playbook, path: c, input: {offset: 1}}"},
                   {"c", "tool: {kind: noop}"}})
                  .empty());
}

TEST(Children, that_call_their_way_back_are_reported) {
  EXPECT_EQ(
      children_said(
          {{"a", "tool: {kind: playbook, path: b}"}, {"b", "tool: {kind: playbook, path: a}"}}),
      std::vector<std::string>{"b:7 playbooks call each other without end: 'a' calls 'b' calls "
                               "'a' | use a loop, or an arc back to an earlier step"});
  EXPECT_EQ(children_said({{"a", "tool: {kind: playbook, path: a}"}}).size(), 1U);
}

TEST(Children, that_do_not_fit_are_reported) {
  EXPECT_EQ(children_said({{"batches/a", "tool: {kind: playbook, path: batches/bb}"},
                           {"batches/b", "tool: {kind: noop}"}}),
            std::vector<std::string>{
                "batches/a:7 there is no playbook 'batches/bb' | did you mean 'batches/b'?"});
  EXPECT_EQ(children_said(
                {{"a", "tool: {kind: playbook, path: b, return_step: strat, input: {ofset: 1}}"},
                 {"b", "tool: {kind: noop}"}}),
            (std::vector<std::string>{
                "a:7 'return_step': playbook 'b' has no step 'strat' | did you mean 'start'?",
                "a:7 the workload of playbook 'b' has no key 'ofset' | did you mean 'offset'?"}));
}

// ---- noetl.io/v2 ----

const char* const kNoetlDocument = R"(
executor: {profile: local, version: noetl-runtime/1}
workload:
  api_url: http://localhost:5555
  pg_auth: pg_main
  page_size: 10
  in_flight: 4
keychain:
  - {name: token, kind: oauth2, endpoint: 'http://localhost/token', data: {id: x}}
workflow:
- step: begin
  tool:
    - prepare:
        kind: postgres
        auth: '{{ pg_auth }}'
        query: SELECT 1 WHERE id = '{{ execution_id }}'
        spec:
          policy:
            rules:
              - when: "{{ output.status == 'error' }}"
                then: {do: fail}
              - else: {then: {do: continue}}
  next:
    spec: {mode: exclusive}
    arcs: [{step: fetch, when: '{{ event.name == "step.exit" }}'}]
- step: fetch
  loop:
    cursor:
      kind: postgres
      auth: pg_main
      claim: UPDATE q SET a = 1 LIMIT {{ __frame_max_rows | default(1) }} RETURNING id
    iterator: patient
    spec:
      mode: cursor
      max_in_flight: '{{ in_flight }}'
      policy: {exec: distributed}
      frame: {max_rows: 10, lease_seconds: 60}
  tool:
    - name: page
      kind: http
      method: POST
      endpoint: '{{ api_url }}/p/{{ iter.patient.id }}'
      headers: {Authorization: 'Bearer {{ keychain.token.access_token }}'}
      body: {page: '{{ iter.page | default(1) }}'}
      spec:
        timeout: {connect: 10, read: 30}
        result: {inline_max_bytes: 8192}
        policy:
          rules:
            - when: '{{ output.http.status in [400, 404] }}'
              then: {do: break, set_iter: {done: true}}
            - else:
                then:
                  do: continue
                  set: {iter.more: '{{ output.data.data.paging.hasMore }}'}
    - kind: noop
      spec:
        policy:
          rules:
            - when: '{{ iter.more | string | lower == "true" }}'
              then: {do: jump, to: page}
  next: {arcs: [{step: end, when: '{{ event.name == "loop.done" }}'}]}
- step: end
  args: {total: '{{ fetch.total }}'}
  tool: {kind: python, args: {n: '{{ total }}'}, code: 'def main(n): return n'}
)";

TEST(Noetl, documents_of_that_language_are_taken) {
  std::string text = kNoetl + kNoetlDocument;
  PlanPtr plan = plan_of(text);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->step(plan->start).name, "begin");
  const Step& fetch = plan->steps[1];
  EXPECT_EQ(fetch.tools[0].timeout, seconds(40));
  EXPECT_NE(fetch.tools[0].config.field("payload"), nullptr);
  EXPECT_EQ(fetch.tools[0].rules[0].set.at(0).path, Path{"done"});
  EXPECT_EQ(fetch.tools[1].name, "task_1");
  EXPECT_EQ(fetch.tools[1].rules[0].jump_index, 0U);
  EXPECT_EQ(plan->steps[2].input.field("total") != nullptr, true);
}

TEST(Noetl, libs_become_imports) {
  PlanPtr plan = plan_of(kNoetl + "workflow:\n  - step: start\n    tool:\n      kind: python\n" +
                         "      libs: {np: numpy, path: os.path}\n      code: result = 1\n");
  ASSERT_TRUE(plan);
  EXPECT_EQ(rendered(*only_step(plan).tools[0].config.field("code"), Scope()).as_string(),
            "import numpy as np\nimport os.path as path\nresult = 1");
}

TEST(Noetl, what_is_strict_in_one_language_is_a_warning_in_the_other) {
  const std::string steps = "workflow:\n  - step: start\n    colour: red\n";
  EXPECT_EQ(compile(kHead + steps, "p").plan, nullptr);
  EXPECT_NE(compile(kNoetl + steps, "p").plan, nullptr);
}

// ---- the document of the language ----

// Every ```yaml of docs/playbook.md is a playbook, or the part below its first three lines.
TEST(Document, examples_compile_without_a_word) {
  std::ifstream file("docs/playbook.md");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  size_t count = 0;
  for (size_t at = text.find("```yaml\n"); at != std::string::npos; ++count) {
    size_t begin = at + 8;
    size_t end = text.find("```", begin);
    ASSERT_NE(end, std::string::npos);
    std::string example = text.substr(begin, end - begin);
    if (example.rfind("apiVersion", 0) != 0) example = kHead + example;
    EXPECT_EQ(said(example), "") << example;
    at = text.find("```yaml\n", end + 3);
  }
  EXPECT_GE(count, 7U);
}

// ---- robustness ----

std::string dump(const Compiled& compiled) {
  std::string out;
  for (const Diagnostic& d : compiled.diagnostics)
    out += std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + d.text + d.suggestion;
  if (!compiled.plan) return out;
  for (const Step& step : compiled.plan->steps) {
    out += step.name + " " + words(step.routing_reads) + "|" + words(step.scope_reads) + "|" +
           words(step.loop_reads) + arcs_of(*compiled.plan, step.name);
    for (bool b : step.blocked_by) out += b ? '1' : '0';
    for (const Tool& tool : step.tools) out += tool.name + tool_kind_name(tool.kind).data();
  }
  return out + to_json(compiled.plan->workload);
}

TEST(Compile, hostile_texts_never_crash_it_and_the_same_text_gives_the_same) {
  const std::string text = kNoetl + kNoetlDocument;
  for (size_t n = 0; n < text.size(); n += 7) compile(text.substr(0, n), "p");
  const std::vector<std::string> pieces = {"{{",     "}}",
                                           "'",      "\"",
                                           "{",      "}",
                                           "[",      "]",
                                           ":",      "- ",
                                           "\n",     "  ",
                                           "|",      "&a ",
                                           "*a",     "!x ",
                                           "\xff",   "null",
                                           "kind: ", "next: ",
                                           "when: ", "999999999999999999999"};
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    std::string changed = text;
    for (uint64_t k = 0; k < 1 + seed % 4; ++k) {
      size_t at = mix64(seed * 31 + k) % changed.size();
      const std::string& piece = pieces[mix64(seed * 97 + k) % pieces.size()];
      if (mix64(seed + k) % 2 == 0)
        changed.insert(at, piece);
      else
        changed.replace(at, std::min(piece.size(), changed.size() - at), piece);
    }
    Compiled compiled = compile(changed, "p");
    EXPECT_EQ(dump(compiled), dump(compile(changed, "p"))) << seed;
    bool wrong = false;
    for (const Diagnostic& d : compiled.diagnostics) {
      wrong = wrong || d.severity == Diagnostic::Severity::error;
      EXPECT_FALSE(format(d, "p", changed).empty());
    }
    EXPECT_EQ(compiled.plan == nullptr, wrong) << seed;
  }
}

TEST(Compile, bounds_of_the_model) {
  auto step = [](const std::string& key, const std::string& item, size_t count) {
    std::string text = kHead + "workflow:\n  - step: start\n    " + key + ":\n";
    for (size_t i = 0; i < count; ++i)
      text += "      " + item + std::to_string(i) + ": {kind: noop}\n";
    return compile(text, "p").plan != nullptr;
  };
  EXPECT_TRUE(step("input", "k", limits::kInputKeysMax));
  EXPECT_FALSE(step("input", "k", limits::kInputKeysMax + 1));
  EXPECT_TRUE(step("tool", "- t", limits::kToolsMax));
  EXPECT_FALSE(step("tool", "- t", limits::kToolsMax + 1));
  auto steps = [](size_t count) {
    std::string text = kHead + "workflow:\n  - step: start\n";
    for (size_t i = 1; i < count; ++i) text += "  - {step: s" + std::to_string(i) + "}\n";
    return compile(text, "p").plan != nullptr;
  };
  EXPECT_TRUE(steps(limits::kStepsMax));
  EXPECT_FALSE(steps(limits::kStepsMax + 1));
}

TEST(Compile, a_flood_of_mistakes_is_cut_off) {
  std::string text = kHead + "workflow:\n  - step: start\n";
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    text += "  - {step: s" + n + ", next: t" + n + ", unknown: 1}\n";
  }
  EXPECT_LE(compile(text, "p").diagnostics.size(), 2 * Diagnostics::kMost);
}

TEST(Compile, large_texts) {
  std::string text = kHead + "workflow:\n";
  for (int i = 0; i < 3000; ++i)
    text += "  - step: " + (i == 0 ? "start" : "s" + std::to_string(i)) +
            (i == 2999 ? "\n" : "\n    next: s" + std::to_string(i + 1) + "\n");
  PlanPtr plan = plan_of(text);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->steps.back().reachable);
  std::string wide = kHead + "workload:\n";
  for (int i = 0; i < 20'000; ++i) wide += "  k" + std::to_string(i) + ": {a: [1, x]}\n";
  EXPECT_TRUE(plan_of(wide + "workflow:\n  - step: start\n"));
}

TEST(Format, shows_the_line_and_the_place) {
  const std::string text = "a: 1\n\tbé: [x, y]\n";
  Diagnostic d{.at = {2, 7}, .text = "no", .suggestion = "did you mean 'z'?"};
  EXPECT_EQ(format(d, "p.yaml", text),
            "p.yaml:2:7: error: no; did you mean 'z'?\n  2 | \tbé: [x, y]\n    | \t     ^\n");
  Diagnostic warning{.severity = Diagnostic::Severity::warning, .at = {9, 1}, .text = "odd"};
  EXPECT_EQ(format(warning, "p.yaml", text), "p.yaml:9:1: warning: odd\n");
  Diagnostic bytes{.at = {1, 1}, .text = "bad"};
  EXPECT_EQ(format(bytes, "p", "\x1b\xff\n"), "p:1:1: error: bad\n  1 | \ufffd\ufffd\n    | ^\n");
}

}  // namespace
}  // namespace tidemill::playbook
