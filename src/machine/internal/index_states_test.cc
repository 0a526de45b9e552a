#include "machine/internal/index_states.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace tidemill::machine {
namespace {

TEST(IndexStatesTest, StartsOpenWithoutMemory) {
  IndexStates states(10'000'000);
  EXPECT_EQ(states.of(Outcome::open), 10'000'000U);
  EXPECT_EQ(states.get(9'999'999), Outcome::open);
  states.check();
}

TEST(IndexStatesTest, AgreesWithAPlainVector) {
  constexpr uint64_t kCount = 3'000;  // two full blocks and a part
  IndexStates states(kCount);
  std::vector<Outcome> plain(kCount, Outcome::open);
  for (uint64_t i = 0; i < 20'000; ++i) {
    const uint64_t index = mix64(i) % kCount;
    const auto outcome = static_cast<Outcome>(mix64(i + 1'000'000) % 4);
    states.set(index, outcome);
    plain[index] = outcome;
  }
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(states.get(i), plain[i]) << i;
  states.check();
}

TEST(IndexStatesTest, ABlockThatEndedAlikeOpensAgain) {
  IndexStates states(1'500);
  for (uint64_t i = 0; i < 1'500; ++i) states.set(i, Outcome::done);
  EXPECT_EQ(states.of(Outcome::done), 1'500U);
  EXPECT_EQ(states.of(Outcome::open), 0U);
  states.set(1'030, Outcome::open);
  states.set(1'030, Outcome::failed);
  EXPECT_EQ(states.get(1'029), Outcome::done);
  EXPECT_EQ(states.get(1'030), Outcome::failed);
  EXPECT_EQ(states.of(Outcome::failed), 1U);
  states.check();
}

}  // namespace
}  // namespace tidemill::machine
