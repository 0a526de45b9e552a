// Arrays as JSON: there and back, and what is refused.
#include "wire/array_json.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tidemill::wire {
namespace {

std::string refused_array(std::string_view json) {
  const auto got = parse_new_array(json);
  return got.ok() ? "accepted" : got.error().what;
}

TEST(ArrayJsonTest, AnArrayComesBackWhole) {
  NewArray sent;
  sent.work.kind = "pi";
  sent.work.queue = "q";
  sent.work.priority = -3;
  sent.work.needs_slot = false;
  sent.work.attempt_timeout = seconds(5);
  sent.work.retry.max_attempts = 7;
  sent.work.input = std::make_shared<const std::string>(R"({"seed": 1})");
  sent.items = {"1", R"({"a":[2]})"};
  sent.count = 2;
  sent.max_in_flight = 4;
  sent.max_failed = 9;
  const auto got = parse_new_array(to_json(sent));
  ASSERT_TRUE(got.ok()) << got.error().what;
  EXPECT_EQ(to_json(*got), to_json(sent));
  EXPECT_EQ(got->count, 2U);
  EXPECT_EQ(got->items, sent.items);
  const auto bare = parse_new_array(R"({"kind":"k","count":5})");
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->count, 5U);
  EXPECT_EQ(to_json(*bare), R"({"kind":"k","count":5})");
}

TEST(ArrayJsonTest, RefusalsSayWhatIsExpected) {
  EXPECT_EQ(refused_array(R"({"kind":"k"})"),
            "expected one of `count` and `items`: how many indexes it has");
  EXPECT_EQ(refused_array(R"({"kind":"k","count":1,"items":[1]})"),
            "expected one of `count` and `items`: how many indexes it has");
  EXPECT_EQ(refused_array(R"({"count":1})"),
            "kind: is missing; it names the handler that runs the array");
  EXPECT_EQ(refused_array(R"({"kind":"k","counts":1})"),
            "counts: there is no such field; did you mean 'count'?");
  EXPECT_EQ(refused_array(R"({"kind":"k","count":-1})"),
            "count: expected a whole number, not negative");
}

TEST(ArrayJsonTest, ItemsAreBounded) {
  const auto items = [](uint64_t n) {
    std::string json = R"({"kind":"k","items":[)";
    for (uint64_t i = 0; i < n; ++i) json += i == 0 ? "1" : ",1";
    return refused_array(json + "]}");
  };
  EXPECT_EQ(items(limits::kBatchMax), "accepted");
  EXPECT_TRUE(items(limits::kBatchMax + 1).starts_with("items: [100000]: at most 100000 items"));
}

TEST(ArrayJsonTest, StatesAndResultsComeBack) {
  ArrayRow row;
  row.array.id = ArrayId{7};
  row.array.count = 10;
  row.done = 4;
  row.failed = 1;
  row.finished = true;
  const auto state = parse_array_state(to_json(row));
  ASSERT_TRUE(state.ok()) << state.error().what;
  EXPECT_EQ(state->id, ArrayId{7});
  EXPECT_EQ(state->count, 10U);
  EXPECT_EQ(state->done + state->failed, 5U);
  EXPECT_TRUE(state->finished);
  const auto id = parse_array_id(to_json(ArrayId{12}));
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, ArrayId{12});

  std::vector<IndexRow> rows(2);
  rows[0].outcome.index = 3;
  rows[0].outcome.result.inline_json = "[1]";
  rows[1].outcome.index = 5;
  rows[1].outcome.outcome = Outcome::failed;
  rows[1].outcome.error = {"cpp", "no", false};
  const auto told = parse_index_results(to_json(rows));
  ASSERT_TRUE(told.ok()) << told.error().what;
  ASSERT_EQ(told->size(), 2U);
  EXPECT_EQ(told->at(0).result.inline_json, "[1]");
  EXPECT_EQ(told->at(1).index, 5U);
  EXPECT_EQ(told->at(1).outcome, Outcome::failed);
  EXPECT_EQ(told->at(1).error, rows[1].outcome.error);
}

}  // namespace
}  // namespace tidemill::wire
