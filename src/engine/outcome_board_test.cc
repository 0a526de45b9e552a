// The outcome board: all or any, what had ended before, unknown ids, time over, told once.
#include "engine/outcome_board.h"

#include <gtest/gtest.h>

namespace tidemill::engine {
namespace {

using Told = OutcomeBoard::Told;

Change finished(uint64_t id, Outcome outcome = Outcome::done) {
  FinishTask f;
  f.history.task.id = TaskId{id};
  f.history.outcome = outcome;
  f.history.result.inline_json = std::to_string(id);
  return f;
}

class OutcomeBoardTest : public testing::Test {
 protected:
  OutcomeBoard::Ticket wait(std::vector<TaskId> ids, OutcomeBoard::For wait_for) {
    return board_.wait(std::move(ids), wait_for, [this](std::vector<Told> told) {
      ++times_;
      told_ = std::move(told);
    });
  }
  OutcomeBoard board_;
  std::vector<Told> told_;
  int times_ = 0;
};

TEST_F(OutcomeBoardTest, AllInTheOrderOfTheIds) {
  (void)wait({TaskId{2}, TaskId{1}, TaskId{2}}, OutcomeBoard::For::all);
  board_.committed({finished(7), finished(1)});
  EXPECT_EQ(times_, 0);
  board_.committed({finished(2, Outcome::failed)});
  ASSERT_EQ(times_, 1);
  ASSERT_EQ(told_.size(), 2U);  // an id that is named twice is told once
  EXPECT_EQ(told_[0].id, TaskId{2});
  EXPECT_EQ(told_[0].outcome, Outcome::failed);
  EXPECT_EQ(told_[1].result.inline_json, "1");
  board_.committed({finished(1), finished(2)});  // of a later round
  EXPECT_EQ(times_, 1);
}

TEST_F(OutcomeBoardTest, TheEndOfAnArrayIsTold) {
  (void)board_.wait_array(ArrayId{9}, [this](std::vector<Told> told) {
    ++times_;
    told_ = std::move(told);
  });
  PutOutcomes some;
  some.array = ArrayId{9};
  board_.committed({some, finished(8), FinishArray{.array = ArrayId{10}}});
  EXPECT_EQ(times_, 0);
  board_.committed({FinishArray{.array = ArrayId{9}, .done = 3}});
  ASSERT_EQ(times_, 1);
  EXPECT_EQ(told_[0].id, TaskId{9});
}

TEST_F(OutcomeBoardTest, AnyIsToldWithTheFirst) {
  const auto ticket = wait({TaskId{1}, TaskId{2}}, OutcomeBoard::For::any);
  board_.committed({finished(2), finished(1)});
  ASSERT_EQ(times_, 1);
  EXPECT_EQ(told_[0].outcome, Outcome::open);
  EXPECT_EQ(told_[1].outcome, Outcome::done);
  board_.expire(ticket);
  EXPECT_EQ(times_, 1);
}

TEST_F(OutcomeBoardTest, WhatTheStoreHasCountsOnce) {
  const auto ticket = wait({TaskId{1}, TaskId{2}, TaskId{3}}, OutcomeBoard::For::all);
  board_.found(ticket, {.id = TaskId{1}, .outcome = Outcome::done, .result = {}, .error = {}});
  board_.committed({finished(1)});
  board_.found(ticket, {.id = TaskId{2}, .outcome = Outcome::open, .result = {}, .error = {}});
  board_.found(ticket, {.id = TaskId{3}, .unknown = true, .result = {}, .error = {}});
  EXPECT_EQ(times_, 0);
  board_.committed({finished(2)});
  ASSERT_EQ(times_, 1);
  EXPECT_TRUE(told_[2].unknown);
}

TEST_F(OutcomeBoardTest, WhenTheTimeIsOverItIsToldWhatThereIs) {
  const auto ticket = wait({TaskId{1}, TaskId{2}}, OutcomeBoard::For::all);
  board_.committed({finished(2)});
  board_.expire(ticket);
  ASSERT_EQ(times_, 1);
  EXPECT_EQ(told_[0].outcome, Outcome::open);
  EXPECT_EQ(told_[1].outcome, Outcome::done);
}

TEST_F(OutcomeBoardTest, SeveralMayWaitForTheSame) {
  (void)wait({TaskId{1}}, OutcomeBoard::For::all);
  (void)wait({TaskId{1}}, OutcomeBoard::For::any);
  board_.committed({finished(1)});
  EXPECT_EQ(times_, 2);
}

}  // namespace
}  // namespace tidemill::engine
