// Nothing leaves before its turn is durable, everything leaves exactly once, and after a failure
// what was not durable is answered with the error.
#include "engine/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidemill::engine {
namespace {

class OutboxTest : public testing::Test {
 protected:
  OnReply note(const std::string& name) {
    return [this, name](Result<machine::ReplyBody> r) {
      left_.push_back(r.ok() ? name : name + "!" + r.error().what);
    };
  }
  Outbox outbox_{Turn{5}};
  std::vector<std::string> left_;
};

TEST_F(OutboxTest, WhatIsDurableLeavesAtOnce) {
  outbox_.put(Turn{0}, note("refusal"), machine::Done{});
  outbox_.put(Turn{5}, note("old"), machine::Done{});
  EXPECT_EQ(left_, (std::vector<std::string>{"refusal", "old"}));
}

TEST_F(OutboxTest, WhatIsNotDurableWaitsForItsTurn) {
  outbox_.put(Turn{7}, note("b"), machine::Done{});
  outbox_.put(Turn{6}, note("a"), machine::Done{});
  outbox_.put(Turn{8}, note("c"), machine::Done{});
  EXPECT_TRUE(left_.empty());
  outbox_.durable(Turn{7});
  EXPECT_EQ(left_, (std::vector<std::string>{"a", "b"}));
  outbox_.durable(Turn{8});
  outbox_.durable(Turn{9});
  EXPECT_EQ(left_, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(OutboxTest, SaysWhetherALaterTurnIsWaitedFor) {
  EXPECT_FALSE(outbox_.waits_beyond(Turn{5}));
  outbox_.put(Turn{7}, note("a"), machine::Done{});
  EXPECT_TRUE(outbox_.waits_beyond(Turn{6}));
  EXPECT_FALSE(outbox_.waits_beyond(Turn{7}));
  outbox_.durable(Turn{7});
  EXPECT_FALSE(outbox_.waits_beyond(Turn{6}));
}

TEST_F(OutboxTest, AfterAFailureOnlyTheErrorLeaves) {
  outbox_.put(Turn{6}, note("a"), machine::Done{});
  outbox_.fail(Error{ErrorCode::disk_full, "full"});
  outbox_.put(Turn{7}, note("b"), machine::Done{});
  outbox_.put(Turn{5}, note("durable"), machine::Done{});
  outbox_.fail(Error{ErrorCode::io, "later"});
  EXPECT_EQ(left_, (std::vector<std::string>{"a!full", "b!full", "durable"}));
}

TEST_F(OutboxTest, EffectsWaitLikeReplies) {
  std::vector<uint64_t> seen;
  outbox_.on_effect([&](const machine::Effect& e) {
    seen.push_back(std::get<machine::ExecutionChanged>(e).execution.raw);
  });
  outbox_.put(Turn{6}, machine::Effect{machine::ExecutionChanged{{2}}});
  outbox_.put(Turn{5}, machine::Effect{machine::ExecutionChanged{{1}}});
  EXPECT_EQ(seen, (std::vector<uint64_t>{1}));
  outbox_.durable(Turn{6});
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
  outbox_.put(Turn{7}, machine::Effect{machine::ExecutionChanged{{3}}});
  outbox_.fail(Error{ErrorCode::io, "gone"});
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
}

}  // namespace
}  // namespace tidemill::engine
