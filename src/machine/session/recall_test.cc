// Recalls: what waits at one worker is asked back for another that has nothing to do.
#include <gtest/gtest.h>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

// A worker that was seen to do its work in no time, so that more goes to it than it has slots.
class RecallTest : public testing::Test {
 protected:
  static ExchangeRequest waiting(TestMachine::Worker& worker, uint32_t free_slots) {
    ExchangeRequest out = TestMachine::request(worker);
    out.free_slots = free_slots;
    out.wait = true;
    return out;
  }
  // Ten tasks of a kind that takes 0.1 ms, all handed to `busy`, who has one slot.
  std::vector<Assignment> hand_out_ahead() {
    m.spawn();
    for (const Assignment& one : m.claim(busy)) {
      Report report = TestMachine::done(one);
      report.trace.finished = microseconds(100);
      m.exchange(busy, {report});
    }
    for (int i = 0; i < 10; ++i) m.spawn();
    return m.claim(busy);
  }
  // Ends what nobody holds, and waits for more.
  Tag wait_idle(TestMachine::Worker& idle) {
    std::vector<Report> ended;
    for (const Assignment& one : m.claim(idle)) ended.push_back(TestMachine::done(one));
    m.exchange(idle, ended);
    return m.send(Exchange{waiting(idle, idle.slots)});
  }
  const ExchangeReply* reply(Tag tag) const {
    const auto found = m.replies.find(tag);
    return found == m.replies.end() ? nullptr : std::get_if<ExchangeReply>(&found->second.body);
  }

  TestMachine m;
  TestMachine::Worker busy = m.open(1, 32);
};

TEST_F(RecallTest, TheNewestThatWaitsIsAskedForAndGoesToWhoIsIdle) {
  const std::vector<Assignment> held = hand_out_ahead();
  ASSERT_GT(held.size(), 3U) << "work goes ahead of the free slot";
  TestMachine::Worker idle = m.open(2);
  const Tag parked = m.send(Exchange{waiting(busy, 0)});
  EXPECT_EQ(reply(parked), nullptr);
  const Tag waits = wait_idle(idle);

  ASSERT_NE(reply(parked), nullptr) << "the holder's exchange brings the question";
  const std::vector<LeasedWork> recalls = reply(parked)->recalls;
  ASSERT_EQ(recalls.size(), 2U);
  EXPECT_EQ(recalls[0].work, held[held.size() - 1].work);
  EXPECT_EQ(recalls[1].work, held[held.size() - 2].work);
  EXPECT_EQ(reply(waits), nullptr) << "a question takes nothing away";

  busy.seen = busy.number;
  Report returned = TestMachine::report(Report::Kind::returned, held[held.size() - 1]);
  Report started = TestMachine::report(Report::Kind::started, held[held.size() - 2]);
  ExchangeRequest request = TestMachine::request(busy, {returned, started});
  request.free_slots = 0;
  const ExchangeReply answers = m.exchange(busy, std::move(request));
  EXPECT_EQ(answers.answers, (std::vector<ReportAnswer>(2, ReportAnswer::recorded)));
  ASSERT_NE(reply(waits), nullptr);
  ASSERT_EQ(reply(waits)->assignments.size(), 1U);
  EXPECT_EQ(reply(waits)->assignments[0].work, held[held.size() - 1].work);
  EXPECT_EQ(reply(waits)->assignments[0].attempt, 1U) << "nothing is charged";
}

TEST_F(RecallTest, WhatHasStartedIsNotAskedForAgain) {
  const std::vector<Assignment> held = hand_out_ahead();
  TestMachine::Worker idle = m.open(20, 32);
  wait_idle(idle);
  const std::vector<LeasedWork> recalls = m.exchange(busy).recalls;
  EXPECT_EQ(recalls.size(), held.size() - 1) << "all but what its one slot can be running";
  std::vector<Report> started;
  for (const LeasedWork& one : recalls) {
    started.push_back({.kind = Report::Kind::started, .work = one.work, .epoch = one.epoch});
  }
  m.exchange(busy, std::move(started));
  EXPECT_TRUE(m.exchange(busy).recalls.empty());
}

TEST_F(RecallTest, NobodyIsAskedForWhatTheIdleOneCannotRun) {
  hand_out_ahead();
  TestMachine::Worker other = m.open(4);
  ExchangeRequest request = waiting(other, 4);
  request.kinds = {"another"};
  m.send(Exchange{std::move(request)});
  EXPECT_TRUE(m.exchange(busy).recalls.empty());
}

TEST_F(RecallTest, NothingIsAskedBackForWhoMayNotHaveIt) {
  ASSERT_GT(hand_out_ahead().size(), 3U);
  Exchange first{.queues = {"other"}};  // what the token of the idle one is bound to
  first.request.kinds = {"k"};
  TestMachine::Worker idle{.number = 1, .seen = 1, .slots = 2};
  idle.session = m.ask<ExchangeReply>(std::move(first)).session;
  m.send(Exchange{waiting(idle, 2)});
  ExchangeRequest full = TestMachine::request(busy);
  full.free_slots = 0;
  EXPECT_TRUE(m.exchange(busy, full).recalls.empty());
}

}  // namespace
}  // namespace tidemill::machine
