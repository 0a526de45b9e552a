// Outcomes, reopened indexes and a cancelled rest, replayed in order.
#include "store/internal/index_states.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace tidemill::store {
namespace {

using Closed = std::vector<std::pair<uint64_t, Outcome>>;

Closed closed(const IndexStates& states, uint64_t count) {
  Closed out;
  states.each_closed(count, [&](uint64_t i, Outcome o) { out.emplace_back(i, o); });
  return out;
}

TEST(IndexStatesTest, OnlyWhatHasAnOutcomeIsClosed) {
  IndexStates states;
  states.set(3, 1, Outcome::done);
  states.set(5'000, 2, Outcome::failed);
  EXPECT_EQ(states.of(4), Outcome::open);
  EXPECT_EQ(closed(states, 10'000),
            (Closed{{3, Outcome::done}, {5'000, Outcome::failed}, {5'001, Outcome::failed}}));
}

TEST(IndexStatesTest, ALaterOutcomeAndAReopenedIndexWin) {
  IndexStates states;
  states.set(0, 3, Outcome::failed);
  states.set(1, 1, Outcome::open);
  EXPECT_EQ(closed(states, 3), (Closed{{0, Outcome::failed}, {2, Outcome::failed}}));
  states.set(1, 1, Outcome::done);
  EXPECT_EQ(states.of(1), Outcome::done);
}

TEST(IndexStatesTest, CancellingTheRestLeavesOutcomesAndIsUndoneByReopening) {
  IndexStates states;
  states.set(0, 1, Outcome::done);
  states.set(1, 1, Outcome::open);
  states.cancel_rest();
  EXPECT_EQ(closed(states, 3),
            (Closed{{0, Outcome::done}, {1, Outcome::cancelled}, {2, Outcome::cancelled}}));
  states.set(2, 1, Outcome::open);
  states.set(1, 1, Outcome::done);
  EXPECT_EQ(closed(states, 3), (Closed{{0, Outcome::done}, {1, Outcome::done}}));
}

}  // namespace
}  // namespace tidemill::store
