// One call of a handler: the reports that come of it, how their time is shared, what is refused.
#include "sdk/internal/call.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tidemill::sdk {
namespace {

class CallTest : public testing::Test {
 protected:
  std::vector<Report> run(uint64_t first, uint64_t count) {
    Assignment assignment;
    assignment.kind = "k";
    assignment.work = WorkRef::of(tidemill::ArrayId{9}, first, count);
    assignment.epoch = {1, 2};
    assignment.array_count = 1'000;
    attempt_.begin({std::make_shared<const Assignment>(assignment), first, SteadyTime{}, count});
    return call(handlers_, attempt_, check_);
  }
  static WorkRef part(uint64_t first, uint64_t count) {
    return WorkRef::of(tidemill::ArrayId{9}, first, count);
  }

  Handlers handlers_;
  Attempt attempt_;
  wire::JsonCheck check_;
};

TEST_F(CallTest, WhatEndedAlikeIsOneReport) {
  handlers_.ranges["k"] = [](Context&, const Range& range) {
    RangeOutput out;
    for (auto i = range.first(); i < range.end(); ++i) {
      if (i == 12 || i == 13) {
        out.add(Failure{"odd", "no"});
      } else if (i == 15) {
        out.add(std::string(limits::kInlineMax, 'x'));
      } else {
        out.add(i);
      }
    }
    return out;
  };
  const auto reports = run(10, 8);
  ASSERT_EQ(reports.size(), 5U);
  EXPECT_EQ(reports[0].work, part(10, 2));
  EXPECT_EQ(reports[0].results, (std::vector<std::string>{"10", "11"}));
  EXPECT_EQ(reports[1].work, part(12, 2));
  EXPECT_EQ(reports[1].error, (TaskError{"odd", "no", true}));
  EXPECT_EQ(reports[2].work, part(14, 1));
  EXPECT_EQ(reports[3].work, part(15, 1));
  EXPECT_GT(reports[3].result.inline_json.size(), limits::kInlineMax);
  EXPECT_EQ(reports[4].results, (std::vector<std::string>{"16", "17"}));
  // Their times follow one another, as if they had run so.
  for (size_t i = 1; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].trace.started, reports[i - 1].trace.finished);
  }
}

TEST_F(CallTest, WhatIsMissingFailsAndWhatIsTooMuchIsDropped) {
  handlers_.ranges["k"] = [](Context&, const Range& range) {
    RangeOutput out;
    for (int i = 0; i < 3; ++i) out.add(range.array_count());
    return out;
  };
  const auto less = run(0, 5);
  ASSERT_EQ(less.size(), 2U);
  EXPECT_EQ(less[0].results.size(), 3U);
  EXPECT_EQ(less[1].work, part(3, 2));
  EXPECT_EQ(less[1].error.kind, "result");
  const auto more = run(7, 1);
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(more[0].result.inline_json, "1000");
}

TEST_F(CallTest, AnExceptionFailsAllOfIt) {
  handlers_.ranges["k"] = [](Context&, const Range&) -> RangeOutput {
    throw std::runtime_error("broken");
  };
  const auto reports = run(0, 100);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].work, part(0, 100));
  EXPECT_EQ(reports[0].error, (TaskError{"exception", "broken", true}));
  handlers_.ranges.clear();
  handlers_.single["k"] = [](Context&, const Json&) -> Output { throw 1; };
  EXPECT_EQ(run(3, 1)[0].error.kind, "exception");
}

TEST_F(CallTest, WhatIsNoJsonIsAFailureThatIsNotTriedAgain) {
  handlers_.single["k"] = [](Context& c, const Json&) -> Output {
    if (c.index() == 0) return Json::raw("{\"a\":");
    if (c.index() == 1) return 1e300 * 1e300;
    return Json::object().set("deep", Json::raw("[1,2]"));
  };
  EXPECT_EQ(run(0, 1)[0].error.kind, "result");
  EXPECT_FALSE(run(1, 1)[0].error.retryable);
  EXPECT_EQ(run(2, 1)[0].result.inline_json, R"({"deep":[1,2]})");
}

TEST_F(CallTest, AFailureOfWhatWasCancelledIsACancel) {
  handlers_.single["k"] = [&](Context& c, const Json&) -> Output {
    attempt_.cancel();
    EXPECT_TRUE(c.cancelled_within(std::chrono::hours(1)));
    return Failure{"stopped", "as asked"};
  };
  EXPECT_EQ(run(0, 1)[0].error, (TaskError{"cancelled", "as asked", false}));
}

TEST(JsonTest, IsMadeAndRead) {
  const Json json = Json::object()
                        .set("n", 7)
                        .set("x", 0.1)
                        .set("ok", true)
                        .set("s", "\"q\"")
                        .set("l", Json::list({1, "two", Json()}));
  EXPECT_EQ(json.str(), R"({"n":7,"x":0.1,"ok":true,"s":"\"q\"","l":[1,"two",null]})");
  EXPECT_EQ(*json.integer("n"), 7);
  EXPECT_EQ(*json.number("x"), 0.1);
  EXPECT_EQ(*json.boolean("ok"), true);
  EXPECT_EQ(*json.text("s"), "\"q\"");
  EXPECT_EQ(json.at("l")->items()->at(1).text().value_or(""), "two");
  EXPECT_EQ(json.integer("x").error().what, "x: expected a whole number");
  EXPECT_EQ(json.number("none").error().code, ErrorCode::not_found);
  EXPECT_EQ(Json::raw("7").number().value_or(0), 7.0);
}

}  // namespace
}  // namespace tidemill::sdk
