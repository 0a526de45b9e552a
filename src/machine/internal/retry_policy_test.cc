#include "machine/internal/retry_policy.h"

#include <gtest/gtest.h>

namespace tidemill::machine {
namespace {

using End = AttemptRecord::End;

RetryPolicy policy_of(Backoff backoff, Duration delay, Duration cap) {
  RetryPolicy policy;
  policy.backoff = backoff;
  policy.delay = delay;
  policy.delay_cap = cap;
  return policy;
}

TEST(RetryPolicyTest, FailuresCountAgainstAttemptsAndCrashesAgainstCrashes) {
  RetryPolicy policy;
  policy.max_attempts = 2;
  policy.max_crashes = 1;
  EXPECT_TRUE(may_retry(policy, 1, 0, End::failed, {}));
  EXPECT_FALSE(may_retry(policy, 2, 0, End::failed, {}));
  EXPECT_FALSE(may_retry(policy, 0, 1, End::crashed, {}));
  EXPECT_TRUE(may_retry(policy, 1, 5, End::timed_out, {}));
}

TEST(RetryPolicyTest, SomeErrorsDoNotRetry) {
  RetryPolicy policy;
  policy.fatal_kinds = {"sql"};
  EXPECT_FALSE(may_retry(policy, 1, 0, End::failed, {.kind = "sql"}));
  EXPECT_TRUE(may_retry(policy, 1, 0, End::failed, {.kind = "http"}));
  EXPECT_FALSE(may_retry(policy, 1, 0, End::failed, {.kind = "http", .retryable = false}));
}

TEST(RetryPolicyTest, DelaysGrowAsTheirNameSaysUpToTheCap) {
  const auto delay = [](Backoff b, uint32_t attempts) {
    return backoff_delay(policy_of(b, seconds(2), seconds(9)), attempts, 1, 1);
  };
  EXPECT_EQ(delay(Backoff::none, 3), Duration{});
  EXPECT_EQ(delay(Backoff::fixed, 3), seconds(2));
  EXPECT_EQ(delay(Backoff::linear, 3), seconds(6));
  EXPECT_EQ(delay(Backoff::linear, 5), seconds(9));
  EXPECT_EQ(delay(Backoff::exponential, 1), seconds(2));
  EXPECT_EQ(delay(Backoff::exponential, 3), seconds(8));
  EXPECT_EQ(delay(Backoff::exponential, 4), seconds(9));
  EXPECT_EQ(delay(Backoff::exponential, 1'000'000), seconds(9));
}

TEST(RetryPolicyTest, JitterShortensWithinItsShareAndIsTheSameEachTime) {
  RetryPolicy policy = policy_of(Backoff::fixed, seconds(100), seconds(100));
  policy.jitter_percent = 20;
  bool differs = false;
  for (uint64_t task = 1; task <= 100; ++task) {
    const Duration delay = backoff_delay(policy, 1, 7, task);
    EXPECT_LE(delay, seconds(100));
    EXPECT_GE(delay, seconds(80));
    EXPECT_EQ(delay, backoff_delay(policy, 1, 7, task));
    differs = differs || delay != backoff_delay(policy, 1, 8, task);
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace tidemill::machine
