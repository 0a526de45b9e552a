// Every control verb and answer comes back from its line; wrong lines are named.
#include "wire/control_line.h"

#include <gtest/gtest.h>

namespace tidemill::wire {
namespace {

using Verb = ControlRequest::Verb;

TEST(ControlLineTest, RequestsComeBack) {
  const ControlRequest requests[] = {
      {.verb = Verb::cancel_execution, .execution = {17}},
      {.verb = Verb::retry_execution, .execution = {18}},
      {.verb = Verb::cancel_work, .work = WorkRef::of(TaskId{3}), .now = true},
      {.verb = Verb::cancel_work, .work = WorkRef::of(ArrayId{4}, 9)},
      {.verb = Verb::retry_work, .work = WorkRef::of(ArrayId{4}, 9)},
  };
  for (const ControlRequest& r : requests) {
    const auto back = parse_control_request(format(r));
    ASSERT_TRUE(back.ok()) << format(r) << ": " << back.error().what;
    EXPECT_EQ(back->verb, r.verb);
    EXPECT_EQ(back->execution, r.execution);
    EXPECT_EQ(back->work, r.work);
    EXPECT_EQ(back->now, r.now);
  }
}

TEST(ControlLineTest, WrongRequestsAreRefused) {
  for (const char* line : {"", "stop", "cancel-", "cancel-planet 3", "cancel-task", "cancel-task x",
                           "cancel-task 3 later", "retry-task 3 now", "retry-index 3",
                           "cancel-execution 99999999999999999999999"}) {
    EXPECT_FALSE(parse_control_request(line).ok()) << line;
  }
}

TEST(ControlLineTest, AnswersAndErrorsComeBack) {
  const auto ok = parse_control_answer(
      format(ControlAnswer{.at_once = true, .round = 2, .barrier_fired = true}));
  ASSERT_TRUE(ok.ok());
  EXPECT_TRUE(ok->at_once);
  EXPECT_EQ(ok->round, 2U);
  EXPECT_TRUE(ok->barrier_fired);

  const auto error = parse_control_answer(format(
      Result<ControlAnswer>(Error{ErrorCode::conflict, "task 3 is not finished;\nwait for it"})));
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().code, ErrorCode::conflict);
  EXPECT_EQ(error.error().what, "task 3 is not finished; wait for it");
  EXPECT_EQ(parse_control_answer("nonsense").error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace tidemill::wire
