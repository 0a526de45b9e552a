#include "client/work_queue.h"

#include <gtest/gtest.h>

namespace tidemill::client {
namespace {

constexpr ArrayId kArray{5};

Assignment range(uint64_t first, uint64_t count, uint64_t epoch = 1) {
  Assignment a;
  a.work = WorkRef::of(kArray, first, count);
  a.epoch = {1, epoch};
  return a;
}

TEST(WorkQueue, GivesWorkInTheOrderItCame) {
  WorkQueue queue;
  Assignment task;
  task.work = WorkRef::of(TaskId{3});
  task.needs_slot = false;
  queue.add(range(10, 2), {});
  queue.add(task, {});
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.needing_slot(), 2u);
  EXPECT_EQ(queue.take()->ref(), WorkRef::of(kArray, 10));
  EXPECT_EQ(queue.take()->ref(), WorkRef::of(kArray, 11));
  EXPECT_EQ(queue.take()->ref(), WorkRef::of(TaskId{3}));
  EXPECT_FALSE(queue.take());
  EXPECT_EQ(queue.needing_slot(), 0u);
}

TEST(WorkQueue, TakesBackTheMiddleOfARange) {
  WorkQueue queue;
  queue.add(range(0, 10), {});
  queue.take();
  const auto taken = queue.take_back({WorkRef::of(kArray, 3, 4), {1, 1}});
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].work, WorkRef::of(kArray, 3, 4));
  EXPECT_EQ(queue.size(), 5u);
  const auto held = queue.held();
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(held[0].work, WorkRef::of(kArray, 1, 2));
  EXPECT_EQ(held[1].work, WorkRef::of(kArray, 7, 3));
}

TEST(WorkQueue, TakesBackNothingOfAnotherLease) {
  WorkQueue queue;
  queue.add(range(0, 4, 1), {});
  EXPECT_TRUE(queue.take_back({WorkRef::of(kArray, 0, 4), {1, 2}}).empty());
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(queue.take_back({WorkRef::of(kArray, 2, 100), {1, 1}})[0].work,
            WorkRef::of(kArray, 2, 2));
}

TEST(WorkQueue, GivesAllThatIsLeftOfARange) {
  WorkQueue queue;
  EXPECT_EQ(queue.next(), nullptr);
  queue.add(range(0, 10), {});
  queue.add(range(20, 5, 2), {});
  EXPECT_EQ(queue.entries(), 2u);
  queue.take();
  EXPECT_EQ(queue.next()->epoch, (LeaseEpoch{1, 1}));
  EXPECT_EQ(queue.take_whole()->ref(), WorkRef::of(kArray, 1, 9));
  EXPECT_EQ(queue.take_whole()->ref(), WorkRef::of(kArray, 20, 5));
  EXPECT_FALSE(queue.take_whole());
  EXPECT_EQ(queue.needing_slot(), 0u);
}

}  // namespace
}  // namespace tidemill::client
