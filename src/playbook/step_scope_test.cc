#include "playbook/step_scope.h"

#include <gtest/gtest.h>

#include "model/limits.h"
#include "playbook/internal/parsed.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

std::string text_of(const Value& value) { return to_json(value); }

TEST(StepScopeTest, AScopeComesBackAsItWent) {
  StepScope scope;
  scope.plan.fill(0xa7);
  scope.step = "load";
  scope.epoch = 7;
  scope.ctx = json(R"({"page": 3, "deep": {"list": [1, 2.5, null]}})");
  scope.ending = Ending::failed;
  StepScope::Result inline_one{.step = "fetch", .output = {}, .ref = {}};
  inline_one.output.data = json(R"({"rows": [1]})");
  inline_one.output.http_status = 404;
  inline_one.output.status = StepOutput::Status::error;
  inline_one.output.error = error_value({.kind = "http", .message = "gone", .retryable = false});
  StepScope::Result by_task{.step = "big", .output = {}, .ref = {}};
  by_task.output.data = Value();
  by_task.ref = {.place = ResultRef::Place::task, .task = TaskId{UINT64_MAX}, .size = 70};
  StepScope::Result by_array{.step = "all", .output = {}, .ref = {}};
  by_array.output.loop = true;
  by_array.output.data = loop_data(Value(), 3, 2, 1);
  by_array.ref = {.place = ResultRef::Place::array, .array = ArrayId{9}};
  StepScope::Result by_blob{.step = "blob", .output = {}, .ref = {.place = ResultRef::Place::blob}};
  by_blob.ref.blob.fill(0x0c);
  scope.results = {inline_one, by_task, by_array, by_blob};

  const auto back = decode_scope(encode_scope(scope));
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(encode_scope(*back), encode_scope(scope));
  EXPECT_EQ(back->plan, scope.plan);
  EXPECT_EQ(back->step, "load");
  EXPECT_EQ(back->epoch, 7U);
  EXPECT_TRUE(equal(back->ctx, scope.ctx));
  EXPECT_EQ(back->ending, Ending::failed);
  ASSERT_EQ(back->results.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(back->results[i].ref, scope.results[i].ref) << i;
    EXPECT_EQ(back->results[i].output.status, scope.results[i].output.status) << i;
    EXPECT_EQ(back->results[i].output.loop, scope.results[i].output.loop) << i;
    EXPECT_EQ(back->results[i].output.http_status, scope.results[i].output.http_status) << i;
  }
  EXPECT_TRUE(back->results[1].output.data.is_undefined());
}

TEST(StepScopeTest, DamagedScopesAreRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"plan":"00","step":"a","epoch":1,"ctx":{}})",
        R"({"plan":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7",)"
        R"("step":"a","epoch":1,)"
        R"("ctx":{},"ending":"over"})",
        R"({"plan":"zz","step":1,"epoch":-1,"ctx":[]})"}) {
    EXPECT_FALSE(decode_scope(text).ok()) << text;
  }
}

TEST(StepScopeTest, RoutingSendsOnlyWhatIsRead) {
  Step step;
  step.routing_reads = {{"paging", "next"}, {"count"}, {"missing", "x"}};
  const Value data = json(R"({"rows": [1,2,3], "count": 3, "paging": {"next": 2, "of": 9}})");
  const auto text = encode_routing(step, data, 200);
  ASSERT_TRUE(text);
  const auto back = decode_routing(*text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(text_of(back->data), R"({"paging":{"next":2},"count":3})");
  EXPECT_EQ(back->http_status, 200);

  step.routing_reads = {{"count"}, {}};  // the whole holds the part
  const auto whole = encode_routing(step, data, std::nullopt);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(equal(decode_routing(*whole)->data, data));

  step.routing_reads = {};
  const auto nothing = encode_routing(step, data, std::nullopt);
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(decode_routing(*nothing)->data.is_undefined());
}

TEST(StepScopeTest, RoutingValuesHaveABound) {
  Step step;
  step.routing_reads = {{"text"}};
  const auto of_size = [&](size_t n) {
    Map map;
    map.set("text", Value(std::string(n, 'x')));
    return encode_routing(step, Value(std::move(map)), std::nullopt);
  };
  const size_t frame = of_size(0)->size();
  EXPECT_TRUE(of_size(limits::kInlineMax - frame));
  EXPECT_FALSE(of_size(limits::kInlineMax - frame + 1));
}

TEST(StepScopeTest, SmallReportsComeBack) {
  const auto counts =
      decode_cursor_counts(encode_cursor_counts({.total = 9, .done = 7, .failed = 2}));
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(counts->total, 9U);
  EXPECT_EQ(counts->done, 7U);
  EXPECT_EQ(counts->failed, 2U);
  EXPECT_EQ(*decode_arcs(encode_arcs({0, 2})), (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(*decode_arcs(encode_arcs({})), std::vector<uint32_t>{});
  const auto expansion =
      decode_expansion(encode_expansion({.admitted = false, .max_in_flight = 16}));
  ASSERT_TRUE(expansion.ok());
  EXPECT_FALSE(expansion->admitted);
  EXPECT_EQ(expansion->max_in_flight, 16U);
  for (const char* text : {"", "3", "{}", R"({"arcs":[-1],"total":1,"max_in_flight":"x"})"}) {
    EXPECT_FALSE(decode_arcs(text).ok()) << text;
    EXPECT_FALSE(decode_cursor_counts(text).ok()) << text;
    EXPECT_FALSE(decode_expansion(text).ok()) << text;
  }
}

TEST(StepScopeTest, CtxWritesApplyInOrder) {
  const std::vector<CtxWrite> writes{{{"a", "b"}, Value(1)},
                                     {{"a", "c"}, Value(2)},
                                     {{"a", "b"}, Value("new")},
                                     {{"d"}, json("[1]")}};
  const auto back = decode_ctx_writes(encode_ctx_writes(writes));
  ASSERT_TRUE(back.ok());
  Value ctx = json(R"({"a": 5, "keep": true})");
  const Value before = ctx;
  apply(ctx, *back);
  EXPECT_EQ(text_of(ctx), R"({"a":{"b":"new","c":2},"keep":true,"d":[1]})");
  EXPECT_EQ(text_of(before), R"({"a":5,"keep":true})") << "a copy must not change with it";
  EXPECT_FALSE(decode_ctx_writes(R"([[[], 1]])").ok()) << "ctx itself cannot be replaced";
}

TEST(StepScopeTest, ViewsOfAFinishedStep) {
  StepOutput output;
  output.data = json(R"({"rows": [1], "status": "fine"})");
  EXPECT_EQ(text_of(step_view(output).get("rows")), "[1]");
  EXPECT_EQ(text_of(step_view(output).get("status")), R"("ok")") << "the output's own status";
  EXPECT_EQ(text_of(step_view(output).get("data").get("status")), R"("fine")");
  EXPECT_TRUE(output_view(output).get("rows").is_undefined());
  EXPECT_TRUE(output_view(output).get("http").is_undefined());
  output.http_status = 503;
  EXPECT_EQ(output_view(output).get("http").get("status").as_integer(), 503);

  StepOutput loop;
  loop.loop = true;
  loop.data = loop_data(json("[1,null]"), 2, 1, 1);
  EXPECT_EQ(output_view(loop).get("total").as_integer(), 2);
  EXPECT_EQ(text_of(step_view(loop).get("results")), "[1,null]");
}

TEST(StepScopeTest, Coverage) {
  const std::vector<Path> held{{"rows"}, {"a", "b"}};
  const auto holds = [&](Path path) { return covers(held, path); };
  EXPECT_TRUE(holds({"rows"}));
  EXPECT_TRUE(holds({"rows", "x"}));
  EXPECT_TRUE(holds({"a", "b", "c"}));
  EXPECT_FALSE(holds({"a"}));
  EXPECT_FALSE(holds({}));
  EXPECT_TRUE(covers({{}}, Path{"anything"}));
}

TEST(StepScopeTest, PathsGoThroughLists) {
  const Value data = json(R"({"rows": [{"id": 1}, {"id": 2}], "m": {"0": "zero"}})");
  const auto at = [&](std::initializer_list<std::string> path) {
    return text_of(value_at(data, std::vector<std::string>(path)));
  };
  EXPECT_EQ(at({"rows", "0", "id"}), "1");
  EXPECT_EQ(at({"rows", "-1", "id"}), "2");
  EXPECT_EQ(at({"m", "0"}), "\"zero\"");
  for (const std::string missing : {"2", "-3", "x", "0x", ""}) {
    EXPECT_TRUE(value_at(data, std::vector<std::string>{"rows", missing}).is_undefined())
        << missing;
  }

  // A part that comes before or after the whole it belongs to changes nothing.
  Value whole_first;
  put_at(whole_first, std::vector<std::string>{"rows"}, data.get("rows"));
  put_at(whole_first, std::vector<std::string>{"rows", "0", "id"}, Value(1));
  Value part_first;
  put_at(part_first, std::vector<std::string>{"rows", "0", "id"}, Value(1));
  EXPECT_EQ(text_of(part_first), R"({"rows":{"0":{"id":1}}})");
  put_at(part_first, std::vector<std::string>{"rows"}, data.get("rows"));
  EXPECT_EQ(text_of(whole_first), R"({"rows":[{"id":1},{"id":2}]})");
  EXPECT_EQ(text_of(part_first), text_of(whole_first));
}

}  // namespace
}  // namespace tidemill::playbook
