// The five parts of an attempt add up to the time from ready to recorded.
#include "ledger/step_timing.h"

#include <gtest/gtest.h>

namespace tidemill::ledger {
namespace {

TEST(StepTimingTest, PartsAddUp) {
  const WallTime ready{seconds(100).ns};
  Trace t;
  t.ready = ready;
  t.dispatched = ready + milliseconds(4);
  t.started = milliseconds(1);  // after it was received
  t.finished = milliseconds(21);
  t.sent = milliseconds(23);
  t.reported = t.dispatched + milliseconds(26);  // 3 ms on the two ways
  const WallTime recorded = t.reported + milliseconds(2);
  StepTiming timing;
  timing.add(t, recorded);
  EXPECT_EQ(timing.queue_wait.total(), milliseconds(4));
  EXPECT_EQ(timing.dispatch.total(), milliseconds(4));
  EXPECT_EQ(timing.run.total(), milliseconds(20));
  EXPECT_EQ(timing.report.total(), milliseconds(2));
  EXPECT_EQ(timing.commit.total(), milliseconds(2));
  const Duration sum = timing.queue_wait.total() + timing.dispatch.total() + timing.run.total() +
                       timing.report.total() + timing.commit.total();
  EXPECT_EQ(sum, recorded - ready);
  EXPECT_EQ(timing.attempts(), 1U);
}

TEST(StepTimingTest, WhatNeverBeganDoesNotCount) {
  const WallTime ready{seconds(100).ns};
  StepTiming timing;
  Trace never;
  never.ready = ready;
  timing.add(never, ready + milliseconds(2));
  Trace lost = never;
  lost.dispatched = ready + milliseconds(1);
  timing.add(lost, ready + milliseconds(2));
  EXPECT_EQ(timing.attempts(), 0U);
  EXPECT_EQ(timing.commit.count(), 0U);
  EXPECT_EQ(timing.queue_wait.count(), 0U);
}

}  // namespace
}  // namespace tidemill::ledger
