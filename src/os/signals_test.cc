#include "os/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace tidemill::os {
namespace {

TEST(InterruptsTest, SignalsAreCountedInsteadOfEndingUs) {
  Interrupts interrupts;
  EXPECT_EQ(interrupts.count(), 0U);
  raise(SIGINT);
  EXPECT_EQ(interrupts.count(), 1U);
  raise(SIGTERM);
  raise(SIGINT);
  EXPECT_EQ(interrupts.count(), 3U);
}

TEST(InterruptsTest, OneCanBeWaitedFor) {
  Interrupts interrupts;
  EXPECT_FALSE(interrupts.wait(milliseconds(1)));
  raise(SIGTERM);
  EXPECT_TRUE(interrupts.wait(seconds(20)));
  EXPECT_EQ(interrupts.count(), 1U);
}

TEST(InterruptsTest, OneThatCameAfterTheLastLookDoesNotEndUs) {
  {
    Interrupts interrupts;
    raise(SIGINT);
    raise(SIGTERM);
  }
  Interrupts again;
  EXPECT_EQ(again.count(), 0U);
}

}  // namespace
}  // namespace tidemill::os
