#include "machine/internal/ready.h"

#include <gtest/gtest.h>

namespace tidemill::machine {
namespace {

constexpr UnitId kLoose{};
UnitId array_unit(uint64_t id) { return {.major = 0, .kind = UnitId::Kind::array, .id = id}; }

std::vector<uint64_t> take_all(ReadyIndex& index, const std::vector<LaneId>& lanes) {
  std::vector<uint64_t> ids;
  for (ReadyIndex::Entry entry; index.front(lanes, entry);) {
    index.took_turn(entry.lane, entry.unit);
    EXPECT_TRUE(index.remove(entry.lane, entry.unit, entry.key));
    ids.push_back(entry.key.id);
  }
  return ids;
}

TEST(ReadyIndexTest, OrdersByPriorityThenReadyTimeThenId) {
  ReadyIndex index;
  index.insert(1, {.major = 5}, {.major = 5, .ready = 1, .id = 1});
  index.insert(1, kLoose, {.major = 0, .ready = 9, .id = 2});
  index.insert(1, kLoose, {.major = 0, .ready = 3, .id = 4});
  index.insert(1, kLoose, {.major = 0, .ready = 3, .id = 3});
  EXPECT_EQ(index.size(), 4U);
  EXPECT_EQ(take_all(index, {1}), (std::vector<uint64_t>{3, 4, 2, 1}));
  EXPECT_EQ(index.size(), 0U);
}

TEST(ReadyIndexTest, LooksOnlyAtTheLanesAsked) {
  ReadyIndex index;
  index.insert(2, kLoose, {.ready = 1, .id = 1});
  index.insert(7, kLoose, {.ready = 0, .id = 2});
  EXPECT_EQ(take_all(index, {2, 3}), (std::vector<uint64_t>{1}));
  EXPECT_EQ(take_all(index, {2, 7}), (std::vector<uint64_t>{2}));
}

TEST(ReadyIndexTest, UnitsOfEqualPriorityTakeTurns) {
  ReadyIndex index;
  for (uint64_t i = 0; i < 3; ++i) {
    index.insert(0, array_unit(1), {.ready = 0, .id = 10 + i});
    index.insert(0, array_unit(2), {.ready = 1, .id = 20 + i});
  }
  EXPECT_EQ(take_all(index, {0}), (std::vector<uint64_t>{10, 20, 11, 21, 12, 22}));
}

TEST(ReadyIndexTest, AUnitThatComesBackDoesNotStarveTheOthers) {
  ReadyIndex index;
  index.insert(0, array_unit(1), {.ready = 0, .id = 1});
  index.insert(0, array_unit(2), {.ready = 5, .id = 2});
  ReadyIndex::Entry entry;
  const std::vector<LaneId> lanes{0};
  ASSERT_TRUE(index.front(lanes, entry));
  EXPECT_EQ(entry.key.id, 1U);
  index.took_turn(entry.lane, entry.unit);
  index.remove(entry.lane, entry.unit, entry.key);
  index.insert(entry.lane, entry.unit, entry.key);  // its limit had held it for a moment
  ASSERT_TRUE(index.front(lanes, entry));
  EXPECT_EQ(entry.key.id, 2U);
}

TEST(ReadyIndexTest, RemoveOfWhatIsNotThereSaysSo) {
  ReadyIndex index;
  EXPECT_FALSE(index.remove(4, kLoose, {}));
  index.insert(4, kLoose, {.ready = 1, .id = 1});
  EXPECT_FALSE(index.remove(4, kLoose, {.ready = 2, .id = 1}));
  EXPECT_FALSE(index.remove(4, array_unit(1), {.ready = 1, .id = 1}));
  EXPECT_TRUE(index.contains(4, kLoose, {.ready = 1, .id = 1}));
}

TEST(ReadyIndexTest, AUnitAloneInItsLaneTakesTurnsWithThoseOfOtherLanes) {
  ReadyIndex index;
  for (uint64_t i = 0; i < 3; ++i) {
    index.insert(0, array_unit(1), {.ready = 0, .id = 10 + i});
    index.insert(2, array_unit(2), {.ready = 1, .id = 20 + i});
  }
  EXPECT_EQ(take_all(index, {0, 2}), (std::vector<uint64_t>{10, 20, 11, 21, 12, 22}));
}

// While nobody could take from its lane, the unit there fell behind those of another lane.
TEST(ReadyIndexTest, ANewcomerDoesNotWaitForWhatItsLaneHasMissed) {
  ReadyIndex index;
  for (uint64_t i = 0; i < 5; ++i) index.insert(0, array_unit(1), {.ready = 0, .id = 10 + i});
  for (uint64_t i = 0; i < 5; ++i) {
    index.insert(2, array_unit(2), {.ready = 0, .id = 20 + i});
    index.insert(2, array_unit(3), {.ready = 0, .id = 30 + i});
  }
  EXPECT_EQ(take_all(index, {2}).size(), 10U);
  index.insert(0, array_unit(4), {.ready = 1, .id = 40});
  EXPECT_EQ(take_all(index, {0}), (std::vector<uint64_t>{10, 11, 40, 12, 13, 14}));
}

}  // namespace
}  // namespace tidemill::machine
