// The exchange's codec: everything there and back, what is left out, what is refused and how.
#include "wire/exchange_json.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tidemill::wire {
namespace {

SharedBytes bytes(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

Report full_report() {
  Report r;
  r.kind = Report::Kind::suspended;
  r.work = WorkRef::of(ArrayId{9}, 5, 3);
  r.epoch = {3, 1'024};
  r.result.inline_json = R"({"a":[1,2.5,"x\u00e9"]})";
  r.routing = bytes("{\"x\":1}");
  r.routing_too_large = true;
  r.loop_items = {"1", R"({"b":null})"};
  r.ctx_writes = bytes("[[[\"a\"],1]]");
  r.resume_with = bytes("{\"at\":\"\\n\"}");
  r.child = {.path = "child.yaml",
             .plan = sha256("x"),
             .key = "k",
             .input = bytes("{}"),
             .return_step = "end",
             .timeout = seconds(3)};
  r.log = "line\n\ttwo \"quoted\"";
  r.trace.inputs_ready = microseconds(1);
  r.trace.started = microseconds(2);
  r.trace.finished = microseconds(3);
  r.trace.sent = microseconds(4);
  r.trace.cpu = microseconds(5);
  r.trace.bytes_in = 6;
  r.trace.bytes_out = 7;
  r.trace.calls = 8;
  return r;
}

TEST(ExchangeJsonTest, ARequestComesBackWhole) {
  ExchangeRequest sent;
  sent.session = SessionId{77};
  sent.number = 5;
  sent.last_reply = 4;
  sent.free_slots = 2;
  sent.free_places = 1'000;
  sent.spare_places = 500;
  sent.kinds = {"noop", "a\"b"};
  sent.wait = false;
  sent.draining = true;
  sent.held = {{WorkRef::of(TaskId{1}), {1, 2}}, {WorkRef::of(ArrayId{2}, 7), {1, 3}}};
  sent.reports.push_back(full_report());
  Report failed;
  failed.kind = Report::Kind::failed;
  failed.work = WorkRef::of(TaskId{UINT64_MAX});
  failed.epoch = {1, UINT64_MAX};
  failed.error = {"http", "no\x01good", false};
  sent.reports.push_back(failed);
  Report range;
  range.work = WorkRef::of(ArrayId{9}, 16, 2);
  range.epoch = {1, 3};
  range.results = {"1.5", R"({"x":null})"};
  sent.reports.push_back(range);

  const auto got = parse_exchange_request(to_json(sent));
  ASSERT_TRUE(got.ok()) << got.error().what;
  EXPECT_EQ(to_json(*got), to_json(sent));
  EXPECT_EQ(got->held, sent.held);
  EXPECT_EQ(got->reports[0].trace, sent.reports[0].trace);
  EXPECT_EQ(got->reports[0].result, sent.reports[0].result);
  EXPECT_EQ(*got->reports[0].resume_with, *sent.reports[0].resume_with);
  EXPECT_EQ(got->reports[0].child.plan, sent.reports[0].child.plan);
  EXPECT_EQ(got->reports[1].error, failed.error);
  EXPECT_EQ(got->reports[1].epoch, failed.epoch);
  EXPECT_EQ(got->reports[2].results, range.results);
}

TEST(ExchangeJsonTest, AReplyComesBackWhole) {
  ExchangeReply sent;
  sent.session = SessionId{5};
  sent.number = 9;
  sent.incarnation = 2;
  sent.answers = {ReportAnswer::recorded, ReportAnswer::lease_lost};
  Assignment a;
  a.work = WorkRef::of(ArrayId{4}, 16, 2);
  a.epoch = {2, 8};
  a.queue = "q";
  a.kind = "python";
  a.attempt = 3;
  a.input = bytes(R"({"deep": [1, {"x": 2}]})");
  a.items = {"1", "\"two\""};
  a.array_count = 100;
  a.step = {ExecutionId{6}, 1, 2};
  a.resumed_with = bytes("state");
  ChildResult child;
  child.result = {.place = ResultRef::Place::task, .task = TaskId{3}, .size = 12};
  a.child = std::make_shared<const ChildResult>(child);
  a.attempt_timeout = seconds(2);
  a.needs_slot = false;
  sent.assignments.push_back(a);
  sent.recalls = {{WorkRef::of(TaskId{8}), {1, 1}}};
  sent.cancels = {{WorkRef::of(TaskId{9}), {1, 2}}};
  sent.lease = seconds(30);

  const auto got = parse_exchange_reply(to_json(sent));
  ASSERT_TRUE(got.ok()) << got.error().what;
  EXPECT_EQ(to_json(*got), to_json(sent));
  const Assignment& b = got->assignments.at(0);
  EXPECT_EQ(*b.input, R"({"deep": [1, {"x": 2}]})");
  EXPECT_EQ(b.items, a.items);
  EXPECT_EQ(b.step, a.step);
  EXPECT_EQ(b.child->result, a.child->result);
  EXPECT_EQ(got->answers, sent.answers);
  EXPECT_EQ(got->recalls, sent.recalls);
}

TEST(ExchangeJsonTest, WhatIsNotUtf8IsWrittenAsReplacement) {
  ExchangeRequest sent;
  Report r;
  r.work = WorkRef::of(TaskId{1});
  r.log = "ok \xff\xc3\xa9 \xe2\x82";
  sent.reports.push_back(r);
  const auto got = parse_exchange_request(to_json(sent));
  ASSERT_TRUE(got.ok()) << got.error().what;
  EXPECT_EQ(got->reports[0].log, "ok \xEF\xBF\xBD\xc3\xa9 \xEF\xBF\xBD\xEF\xBF\xBD");
}

std::string refused(std::string_view json) {
  const auto got = parse_exchange_request(json);
  return got.ok() ? "accepted" : got.error().what;
}

TEST(ExchangeJsonTest, RefusalsNameThePath) {
  EXPECT_EQ(refused(R"({"free_slot":1})"),
            "free_slot: there is no such field; did you mean 'free_slots'?");
  EXPECT_EQ(refused(R"({"free_slots":"1"})"), "free_slots: expected a whole number, not negative");
  EXPECT_EQ(refused(R"({"reports":[{"kind":"done","task":"1","epoch":"1.2"},{"kind":"dont"}]})"),
            "reports: [1]: kind: expected done, failed, suspended, returned or started");
  EXPECT_EQ(refused(R"({"reports":[{"kind":"done","epoch":"1.2"}]})"),
            "reports: [0]: names neither or both of 'task' and 'array'");
  EXPECT_EQ(refused(R"({"held":[{"task":"1","epoch":"12"}]})"),
            R"(held: [0]: epoch: expected an epoch as it was handed out, like "3.1024")");
  EXPECT_EQ(refused(R"({"held":[{"task":"x","epoch":"1.2"}]})"),
            "held: [0]: task: expected an id: a text of digits");
  EXPECT_EQ(refused("[]"), "expected an object");
  EXPECT_TRUE(refused("{").starts_with("the body is no JSON: "));
  EXPECT_TRUE(refused("").starts_with("the body is no JSON: "));
  EXPECT_TRUE(refused("{\"kinds\":[\"\xff\"]}").starts_with("the body is no JSON: "));
  EXPECT_TRUE(refused(R"({"number":1} trailing)").starts_with("the body is no JSON: "));
}

TEST(ExchangeJsonTest, BoundsAreBoundsAndOneMoreIsTooMuch) {
  const auto slots = [](uint32_t n) {
    return refused("{\"free_slots\":" + std::to_string(n) + "}");
  };
  EXPECT_EQ(slots(limits::kSlotsBound), "accepted");
  EXPECT_NE(slots(limits::kSlotsBound + 1), "accepted");
  const auto result = [](size_t size) {
    return refused(R"({"reports":[{"kind":"done","task":"1","epoch":"1.2","result":")" +
                   std::string(size - 2, 'x') + "\"}]}");
  };
  EXPECT_EQ(result(limits::kInlineMax), "accepted");
  EXPECT_NE(result(limits::kInlineMax + 1), "accepted");
  const auto deep = [](int depth) {
    return refused(R"({"reports":[{"kind":"done","task":"1","epoch":"1.2","result":)" +
                   std::string(static_cast<size_t>(depth), '[') +
                   std::string(static_cast<size_t>(depth), ']') + "}]}");
  };
  const auto results = [](const char* work, const std::string& all) {
    return refused("{\"reports\":[{\"kind\":\"done\"," + std::string(work) +
                   ",\"epoch\":\"1.2\",\"results\":[" + all + "]}]}");
  };
  constexpr const char* kRange = R"("array":"9","first":3,"count":2)";
  EXPECT_EQ(results(kRange, "1,2"), "accepted");
  EXPECT_EQ(results(kRange, "1"), "reports: [0]: results: expected one for each index of a range");
  EXPECT_NE(results(R"("task":"1")", "1"), "accepted");
  const std::string large = "\"" + std::string(limits::kInlineMax - 2, 'x') + "\"";
  EXPECT_EQ(results(kRange, "1," + large), "accepted");
  EXPECT_NE(results(kRange, "1,\"x" + large.substr(1)), "accepted");
  EXPECT_EQ(deep(400), "accepted");
  EXPECT_NE(deep(limits::kJsonMaxDepth), "accepted");
}

}  // namespace
}  // namespace tidemill::wire
