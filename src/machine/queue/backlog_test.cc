// Backlogs larger than their window: what is handed out, in which order, and what happens to tasks
// that are named while they lie in the store.
#include <gtest/gtest.h>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

std::vector<uint64_t> ids(const std::vector<Assignment>& given) {
  std::vector<uint64_t> out;
  for (const Assignment& one : given) out.push_back(one.work.task.raw);
  return out;
}

class BacklogTest : public testing::Test {
 protected:
  static constexpr uint64_t kWindow = 8;

  std::vector<TaskId> spawn(size_t count, int32_t priority = 0) {
    std::vector<TaskId> out;
    for (size_t i = 0; i < count; ++i) {
      TaskSpec spec = TestMachine::spec();
      spec.work.priority = priority;
      out.push_back(m.spawn(std::move(spec)));
      m.now.wall = m.now.wall + nanoseconds(1);
    }
    return out;
  }
  // Ends everything that is there, in the order in which it is handed out.
  std::vector<uint64_t> drain(TestMachine::Worker& worker) {
    std::vector<uint64_t> order;
    std::vector<Report> reports;
    for (size_t idle = 0; idle < 3; ++idle) {
      for (const Assignment& one : m.exchange(worker, std::exchange(reports, {})).assignments) {
        order.push_back(one.work.task.raw);
        reports.push_back(TestMachine::done(one));
        idle = 0;
      }
      m.bring_pages();
    }
    return order;
  }

  TestMachine m{kWindow};
};

TEST_F(BacklogTest, WhatExceedsTheWindowComesInItsOrder) {
  const std::vector<TaskId> all = spawn(50);
  EXPECT_EQ(m.machine.counts().ready, 50U);
  EXPECT_TRUE(m.pages.empty()) << "the window is full";
  TestMachine::Worker worker = m.open(2);
  const std::vector<uint64_t> order = drain(worker);
  ASSERT_EQ(order.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(order[i], all[i].raw);
  EXPECT_EQ(m.machine.counts().ready, 0U);
}

TEST_F(BacklogTest, NothingBehindTheGapIsHandedOutBeforeIt) {
  const std::vector<TaskId> first = spawn(12, 0);
  const std::vector<TaskId> second = spawn(3, 5);
  TestMachine::Worker worker = m.open(20, 20);
  // The eight of the window, and not those of the lower priority, which are all in memory.
  EXPECT_EQ(ids(m.claim(worker)).size(), kWindow);
  EXPECT_TRUE(m.claim(worker).empty());
  m.bring_pages();
  const std::vector<uint64_t> rest = ids(m.claim(worker));
  ASSERT_GE(rest.size(), 4U);
  EXPECT_EQ(rest.front(), first[8].raw);
  EXPECT_EQ(rest[3], first[11].raw);
}

TEST_F(BacklogTest, OneInTheStoreCanBeCancelled) {
  const std::vector<TaskId> all = spawn(20);
  EXPECT_TRUE(m.ask<Cancelled>(CancelWork{WorkRef::of(all[15])}).at_once);
  EXPECT_EQ(m.ended(all[15])->outcome, Outcome::cancelled);
  EXPECT_EQ(m.ask<Refused>(CancelWork{WorkRef::of(all[15])}).why, Refused::Why::not_found);
  TestMachine::Worker worker = m.open(2);
  const std::vector<uint64_t> order = drain(worker);
  EXPECT_EQ(order.size(), 19U);
  EXPECT_EQ(std::count(order.begin(), order.end(), all[15].raw), 0);
}

TEST_F(BacklogTest, OneThatEndsWhileItsPageIsOnItsWayStaysEnded) {
  const std::vector<TaskId> all = spawn(20);
  TestMachine::Worker worker = m.open(6);
  const std::vector<Assignment> given = m.claim(worker);
  ASSERT_FALSE(m.pages.empty());
  const PageIn page = m.page(m.pages.front());  // read before the cancel
  m.pages.erase(m.pages.begin());
  ASSERT_FALSE(page.rows->empty());
  const TaskId named = page.rows->front().task.id;
  m.ask<Cancelled>(CancelWork{WorkRef::of(named)});
  m.ask<Done>(page);
  EXPECT_EQ(m.machine.counts().ready + given.size(), 19U);
  EXPECT_EQ(m.ask<Refused>(CancelWork{WorkRef::of(named)}).why, Refused::Why::not_found);
}

TEST_F(BacklogTest, WhatIsSpawnedWhileAPageIsOnItsWayComesAfterIt) {
  spawn(12);
  TestMachine::Worker worker = m.open(8);
  std::vector<Report> reports;
  for (const Assignment& one : m.claim(worker)) reports.push_back(TestMachine::done(one));
  ASSERT_FALSE(m.pages.empty());
  const PageIn page = m.page(m.pages.front());
  m.pages.erase(m.pages.begin());
  const std::vector<TaskId> late = spawn(30);
  m.ask<Done>(page);
  m.exchange(worker, std::move(reports));
  const std::vector<uint64_t> order = drain(worker);
  ASSERT_GE(order.size(), 30U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.back(), late.back().raw);
}

TEST_F(BacklogTest, OneInTheStoreCanBeWaitedFor) {
  const std::vector<TaskId> all = spawn(20);
  TaskSpec after = TestMachine::spec();
  after.after = {all[18]};
  const TaskId last = m.spawn(std::move(after));
  TestMachine::Worker worker = m.open(2);
  const std::vector<uint64_t> order = drain(worker);
  ASSERT_EQ(order.size(), 21U);
  EXPECT_EQ(order.back(), last.raw);
  EXPECT_EQ(m.ask<Refused>(RetryWork{WorkRef::of(TaskId{9'999})}).why, Refused::Why::not_found);
}

TEST_F(BacklogTest, ARetryOfOneInTheStoreIsRefusedAsItHasNotEnded) {
  const std::vector<TaskId> all = spawn(20);
  EXPECT_EQ(m.ask<Refused>(RetryWork{WorkRef::of(all[19])}).why, Refused::Why::wrong_state);
}

TEST_F(BacklogTest, KeysAtTheirLimitDoNotHideOthersInTheStore) {
  m.ask<Done>(ConfigureQueue{{.name = "default", .key_concurrency = 1}});
  for (int i = 0; i < 30; ++i) {
    TaskSpec spec = TestMachine::spec();
    spec.concurrency_key = i < 25 ? "busy" : "free";
    m.spawn(std::move(spec));
  }
  TestMachine::Worker worker = m.open(8);
  std::vector<uint64_t> given;
  for (int i = 0; i < 20; ++i) {
    for (const uint64_t id : ids(m.claim(worker))) given.push_back(id);
    m.bring_pages();
  }
  EXPECT_EQ(given.size(), 2U) << "one of each key";
}

TEST_F(BacklogTest, AQueueThatAgesKeepsItsOrder) {
  m.ask<Done>(ConfigureQueue{{.name = "default", .ageing = nanoseconds(10)}});
  std::vector<std::pair<int64_t, uint64_t>> expected;
  for (int32_t i = 0; i < 40; ++i) {
    const int32_t priority = (i * 7) % 5;
    const TaskId id = spawn(1, priority).front();
    expected.emplace_back(i + priority * 10, id.raw);
  }
  std::sort(expected.begin(), expected.end());
  TestMachine::Worker worker = m.open(1);
  const std::vector<uint64_t> order = drain(worker);
  ASSERT_EQ(order.size(), expected.size());
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], expected[i].second) << i;
}

}  // namespace
}  // namespace tidemill::machine
