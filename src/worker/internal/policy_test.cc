#include "worker/internal/policy.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tidemill::worker {
namespace {

using playbook::Backoff;
using playbook::PolicyRule;

playbook::Tool retrying(Backoff backoff, uint32_t attempts = 100) {
  playbook::Tool tool;
  PolicyRule rule;
  rule.action = PolicyRule::Do::retry;
  rule.attempts = attempts;
  rule.delay = milliseconds(100);
  rule.backoff = backoff;
  tool.rules.push_back(std::move(rule));
  return tool;
}

Duration delay(Backoff backoff, uint32_t attempt) {
  const playbook::Scope scope;
  return decide(retrying(backoff), scope, TaskError{"http", "x", true}, attempt, "f.yaml").delay;
}

TEST(Policy, DelaysGrowAsTheBackoffSays) {
  EXPECT_EQ(delay(Backoff::none, 3), milliseconds(100));
  EXPECT_EQ(delay(Backoff::fixed, 3), milliseconds(100));
  EXPECT_EQ(delay(Backoff::linear, 3), milliseconds(300));
  EXPECT_EQ(delay(Backoff::exponential, 1), milliseconds(100));
  EXPECT_EQ(delay(Backoff::exponential, 4), milliseconds(800));
  EXPECT_EQ(delay(Backoff::exponential, 90), limits::kBackoffCap);
}

TEST(Policy, AttemptsAreCountedToTheLast) {
  const playbook::Scope scope;
  const playbook::Tool tool = retrying(Backoff::none, 2);
  EXPECT_EQ(decide(tool, scope, std::nullopt, 1, "f").action, PolicyRule::Do::retry);
  const Decision end = decide(tool, scope, std::nullopt, 2, "f");
  EXPECT_EQ(end.action, PolicyRule::Do::fail);
  EXPECT_EQ(end.error.message, "f:0:0: the policy would retry, but all 2 attempts are used");
}

TEST(Policy, WithoutARuleErrorsFailAndSuccessGoesOn) {
  const playbook::Scope scope;
  EXPECT_EQ(decide({}, scope, std::nullopt, 1, "f").action, PolicyRule::Do::proceed);
  EXPECT_EQ(decide({}, scope, TaskError{"a", "b", true}, 1, "f").error.message, "b");
}

}  // namespace
}  // namespace tidemill::worker
