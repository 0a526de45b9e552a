// Sessions through Machine::apply: numbering, parking, expiry, crashes, limits, order.
#include <gtest/gtest.h>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

ExchangeRequest waiting(TestMachine::Worker& w) {
  ExchangeRequest request = TestMachine::request(w);
  request.wait = true;
  return request;
}

TEST(SessionTest, TheSameNumberGetsTheSameReply) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  const ExchangeRequest request = TestMachine::request(w);
  const auto first = t.ask<ExchangeReply>(Exchange{request});
  const auto second = t.ask<ExchangeReply>(Exchange{request});
  ASSERT_EQ(first.assignments.size(), 1U);
  ASSERT_EQ(second.assignments.size(), 1U);
  EXPECT_EQ(first.assignments[0].epoch, second.assignments[0].epoch);
}

TEST(SessionTest, WhatAPassedOverReplyHandedOutReturnsUncharged) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  t.ask<ExchangeReply>(Exchange{TestMachine::request(w)});  // never arrives
  // One exchange may overtake a reply on its way; what that holds is counted as held.
  t.ask<ExchangeReply>(Exchange{TestMachine::request(w)});
  EXPECT_EQ(t.machine.counts().leased, 1U);
  const auto got = t.claim(w);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].work.task, id);
  EXPECT_EQ(got[0].attempt, 1U);
  EXPECT_EQ(t.changes<EndLease>().size(), 1U);
  EXPECT_TRUE(t.changes<PutAttempt>().empty());
}

TEST(SessionTest, WhatIsOnItsWayFillsTheWorker) {
  TestMachine t;
  auto w = t.open(1, 8);
  t.spawn();
  t.spawn();
  const auto first = t.ask<ExchangeReply>(Exchange{TestMachine::request(w)});  // still travelling
  EXPECT_EQ(first.assignments.size(), 1U);
  const auto second = t.ask<ExchangeReply>(Exchange{TestMachine::request(w)});
  EXPECT_TRUE(second.assignments.empty()) << "its only slot is taken by what is under way";
}

TEST(SessionTest, AnUnknownSessionIsTold) {
  TestMachine t;
  TestMachine::Worker stranger{.session = SessionId{77}};
  EXPECT_TRUE(t.exchange(stranger).session_unknown);
}

TEST(SessionTest, ParksUntilThereIsWork) {
  TestMachine t;
  auto w = t.open();
  const Tag parked = t.send(Exchange{waiting(w)});
  EXPECT_FALSE(t.replies.contains(parked));
  const TaskId id = t.spawn();
  ASSERT_TRUE(t.replies.contains(parked));
  const auto& reply = std::get<ExchangeReply>(t.replies.at(parked).body);
  ASSERT_EQ(reply.assignments.size(), 1U);
  EXPECT_EQ(reply.assignments[0].work.task, id);
  EXPECT_EQ(t.replies.at(parked).needs.raw, t.turn);
}

TEST(SessionTest, ParksAtMostAThirdOfTheLease) {
  TestMachine t;
  auto w = t.open();
  const Tag parked = t.send(Exchange{waiting(w)});
  t.advance(seconds(9));
  EXPECT_FALSE(t.replies.contains(parked));
  t.advance(seconds(1));
  EXPECT_TRUE(t.replies.contains(parked));
}

TEST(SessionTest, ANewerExchangeReleasesTheParkedOne) {
  TestMachine t;
  auto w = t.open();
  const Tag older = t.send(Exchange{waiting(w)});
  const Tag newer = t.send(Exchange{waiting(w)});
  EXPECT_TRUE(t.replies.contains(older));
  EXPECT_FALSE(t.replies.contains(newer));
}

TEST(SessionTest, ReportsReleaseTheParkedExchangeWithWorkAndWaitAlone) {
  TestMachine t;
  auto w = t.open(1, 8);
  t.spawn();
  const auto first = t.claim(w);
  ASSERT_EQ(first.size(), 1U);
  w.slots = 0;
  const ExchangeRequest idle = waiting(w);
  const Tag parked = t.send(Exchange{idle});
  EXPECT_FALSE(t.replies.contains(parked));
  const TaskId next = t.spawn();
  const uint64_t spawned = t.turn;
  EXPECT_FALSE(t.replies.contains(parked)) << "nothing is free";

  w.slots = 1;
  ExchangeRequest reports = TestMachine::request(w);
  reports.reports.push_back({.work = first[0].work, .epoch = first[0].epoch});
  const Tag told = t.send(Exchange{reports});
  const auto& handed = std::get<ExchangeReply>(t.replies.at(parked).body);
  ASSERT_EQ(handed.assignments.size(), 1U);
  EXPECT_EQ(handed.assignments[0].work.task, next);
  EXPECT_EQ(handed.number + 1, reports.number);
  EXPECT_LE(t.replies.at(parked).needs.raw, spawned);
  const auto& answered = std::get<ExchangeReply>(t.replies.at(told).body);
  EXPECT_TRUE(answered.assignments.empty());
  EXPECT_EQ(answered.answers, std::vector{ReportAnswer::recorded});
  EXPECT_EQ(t.replies.at(told).needs.raw, t.turn);

  // It was lost on the way: the same number gets it again.
  const auto again = t.ask<ExchangeReply>(Exchange{idle});
  EXPECT_EQ(again.assignments.size(), 1U);
}

TEST(SessionTest, ACancelReachesAParkedWorker) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  t.claim(w);
  w.slots = 0;
  const Tag parked = t.send(Exchange{waiting(w)});
  t.ask<Cancelled>(CancelWork{WorkRef::of(id)});
  ASSERT_TRUE(t.replies.contains(parked));
  EXPECT_EQ(std::get<ExchangeReply>(t.replies.at(parked).body).cancels.size(), 1U);
}

TEST(SessionTest, ExchangesKeepTheLeaseAndSilenceEndsIt) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(w);
  w.slots = 0;
  for (int i = 0; i < 10; ++i) {
    t.advance(seconds(20));
    t.exchange(w);
  }
  EXPECT_EQ(t.machine.counts().leased, 1U);
  t.advance(seconds(31));
  EXPECT_EQ(t.machine.counts().leased, 0U);
  EXPECT_EQ(t.machine.counts().sessions, 0U);
  EXPECT_TRUE(t.exchange(w, {TestMachine::done(got[0])}).session_unknown);
  auto other = t.open();
  const auto again = t.claim(other);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].work.task, id);
  EXPECT_EQ(again[0].attempt, 2U);
}

TEST(SessionTest, AnExchangeThatArrivedRenewsEvenBehindTheTick) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  t.claim(w);
  t.now.steady = t.now.steady + seconds(40);
  std::vector<Command> commands{{Tag{900}, Tick{}}, {Tag{901}, Exchange{TestMachine::request(w)}}};
  t.machine.apply(Turn{++t.turn}, t.now, commands, t.rows, t.out);
  EXPECT_EQ(t.machine.counts().leased, 1U);
}

TEST(SessionTest, AClosedConnectionHasAShortGrace) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  t.claim(w);
  t.ask<Done>(CloseSession{w.session});
  t.advance(seconds(1));
  w.slots = 0;
  t.exchange(w);  // it came back
  t.advance(seconds(5));
  EXPECT_EQ(t.machine.counts().leased, 1U);
  t.ask<Done>(CloseSession{w.session});
  t.advance(seconds(2));
  EXPECT_EQ(t.machine.counts().sessions, 0U);
  EXPECT_EQ(t.machine.counts().ready, 1U);
}

TEST(SessionTest, ACrashIsChargedOnlyToWhatCanHaveRun) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(3);
  t.spawn_array(spec);
  auto w = t.open(2, 8);
  std::vector<TaskId> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(t.spawn());
  const auto got = t.claim(w);
  ASSERT_EQ(got.size(), 3U);
  t.advance(seconds(31));
  uint64_t crashed = 0;
  for (const PutAttempt& one : t.changes<PutAttempt>()) {
    EXPECT_EQ(one.attempt.end, AttemptRecord::End::crashed);
    EXPECT_EQ(one.attempt.error.kind, "crash");
    ++crashed;
  }
  EXPECT_EQ(crashed, 5U);
}

TEST(SessionTest, ATaskThatKillsWorkersIsBuried) {
  TestMachine t;
  const TaskId id = t.spawn();
  for (uint32_t i = 0; i < limits::kMaxCrashes; ++i) {
    EXPECT_EQ(t.ended(id), nullptr);
    auto w = t.open();
    ASSERT_EQ(t.claim(w).size(), 1U);
    t.advance(seconds(31));
  }
  ASSERT_NE(t.ended(id), nullptr);
  EXPECT_EQ(t.ended(id)->outcome, Outcome::failed);
  EXPECT_EQ(t.ended(id)->error.kind, "crash");
}

TEST(SessionTest, ShortWorkGoesAheadOfFreeSlotsAndIsNotChargedForACrash) {
  TestMachine t;
  auto w = t.open(1, 100);
  SpawnTasks many;
  many.tasks.assign(50, TestMachine::spec());
  t.ask<Spawned>(many);
  auto got = t.claim(w);
  EXPECT_EQ(got.size(), 1U) << "nothing is measured yet";
  Report report = TestMachine::done(got[0]);
  report.trace.finished = microseconds(100);
  got = t.exchange(w, {report}).assignments;
  EXPECT_GT(got.size(), 10U);
  t.advance(seconds(31));
  EXPECT_EQ(t.changes<PutAttempt>().size(), 1U);
  EXPECT_EQ(t.machine.counts().ready, 49U);
}

TEST(SessionTest, AWorkerThatDrainsGetsNothingMore) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  ExchangeRequest request = TestMachine::request(w);
  request.draining = true;
  EXPECT_TRUE(t.exchange(w, request).assignments.empty());
}

TEST(SessionTest, WaitingWorkNeedsNoSlot) {
  TestMachine t;
  TaskSpec waits = TestMachine::spec();
  waits.work.needs_slot = false;
  t.spawn();
  t.spawn(waits);
  t.spawn(waits);
  auto w = t.open(0, 8);
  EXPECT_EQ(t.claim(w).size(), 2U);
}

// Equal shares of what is not measured, turns of some length of what is known to be short.
TEST(SessionTest, ShortWorkThatWaitsGoesOutInTurns) {
  TestMachine t;
  for (int i = 0; i < 4; ++i) t.spawn_array(TestMachine::array_spec(100));
  auto w = t.open(0, 40);
  const auto counts = [](const std::vector<Assignment>& got) {
    std::vector<uint64_t> out;
    for (const Assignment& a : got) out.push_back(a.work.count);
    return out;
  };
  const auto first = t.claim(w);
  EXPECT_EQ(counts(first).at(0), 10U);
  std::vector<Report> reports;
  for (const Assignment& a : first) {
    reports.push_back(TestMachine::done(a));
    reports.back().trace.finished = milliseconds(1);
  }
  const auto next = t.exchange(w, reports).assignments;
  EXPECT_EQ(counts(next), (std::vector<uint64_t>{limits::kPlacesTurn, limits::kPlacesTurn, 8}));
}

// What begins when a place comes free may lie at the worker before: inside the process always,
// elsewhere when it is short; never when the server times it.
TEST(SessionTest, WorkMayWaitAtTheWorkerForAPlace) {
  TestMachine m;
  Exchange open{.in_process = true};
  open.request.kinds = {"k"};
  TestMachine::Worker here{.number = 1, .seen = 1, .in_process = true};
  here.session = m.ask<ExchangeReply>(open).session;
  ArraySpec array = TestMachine::array_spec(3);
  array.work.attempt_timeout = seconds(5);
  m.spawn_array(array);
  const auto full = [&](TestMachine::Worker& worker) {
    ExchangeRequest request = TestMachine::request(worker);
    request.free_places = 0;
    request.spare_places = 4;
    uint64_t got = 0;
    for (const Assignment& a : m.exchange(worker, request).assignments) got += a.work.count;
    return got;
  };
  EXPECT_EQ(full(here), 0U);
  here.places = 3;
  EXPECT_EQ(m.claim(here).size(), 1U);  // all three indexes

  m.spawn_array(TestMachine::array_spec(6));
  TestMachine::Worker elsewhere = m.open(1, 2);
  EXPECT_EQ(full(elsewhere), 0U);
  EXPECT_EQ(full(here), 4U);
}

TEST(QueueTest, HandsOutByPriorityThenReadyTime) {
  TestMachine t;
  TaskSpec spec = TestMachine::spec();
  std::vector<TaskId> ids;
  for (const int32_t priority : {5, 0, 5, -3}) {
    spec.work.priority = priority;
    ids.push_back(t.spawn(spec));
  }
  auto w = t.open(4, 8);
  std::vector<TaskId> order;
  for (const Assignment& a : t.claim(w)) order.push_back(a.work.task);
  EXPECT_EQ(order, (std::vector<TaskId>{ids[3], ids[1], ids[0], ids[2]}));
}

TEST(QueueTest, AgeingLetsOldWorkPass) {
  TestMachine t;
  t.ask<Done>(ConfigureQueue{{.name = "default", .ageing = seconds(10)}});
  TaskSpec spec = TestMachine::spec();
  spec.work.priority = 1;
  const TaskId old = t.spawn(spec);
  t.advance(seconds(11));
  spec.work.priority = 0;
  const TaskId fresh = t.spawn(spec);
  auto w = t.open(2, 8);
  const auto got = t.claim(w);
  EXPECT_EQ(got.at(0).work.task, old);
  EXPECT_EQ(got.at(1).work.task, fresh);
}

TEST(QueueTest, ConcurrencyIsNeverExceeded) {
  TestMachine t;
  t.ask<Done>(ConfigureQueue{{.name = "default", .concurrency = 2}});
  for (int i = 0; i < 3; ++i) t.spawn();
  t.spawn_array(TestMachine::array_spec(10));
  auto w = t.open(8, 100);
  auto v = t.open(8, 100);
  const Tag tag = t.send(Exchange{TestMachine::request(w)});
  const Reply& reply = t.replies.at(tag);
  EXPECT_EQ(reply.needs.raw, t.turn) << "a limited claim waits for its record";
  EXPECT_EQ(t.machine.counts().leased, 2U);
  EXPECT_TRUE(t.claim(v).empty());
}

TEST(QueueTest, KeysLimitTheirOwnTasksOnly) {
  TestMachine t;
  t.ask<Done>(ConfigureQueue{{.name = "default", .key_concurrency = 1}});
  TaskSpec spec = TestMachine::spec();
  spec.concurrency_key = "a";
  t.spawn(spec);
  const TaskId second = t.spawn(spec);
  spec.concurrency_key = "b";
  t.spawn(spec);
  auto w = t.open(8, 8);
  const auto got = t.claim(w);
  EXPECT_EQ(got.size(), 2U);
  const auto next = t.exchange(w, {TestMachine::done(got[0])}).assignments;
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].work.task, second);
}

TEST(QueueTest, PausedHandsOutNothing) {
  TestMachine t;
  t.spawn();
  t.ask<Done>(PauseQueue{"default"});
  auto w = t.open();
  const Tag parked = t.send(Exchange{waiting(w)});
  EXPECT_FALSE(t.replies.contains(parked));
  t.ask<Done>(ResumeQueue{"default"});
  EXPECT_TRUE(t.replies.contains(parked));
  EXPECT_EQ(t.ask<Refused>(PauseQueue{"no such"}).why, Refused::Why::not_found);
}

TEST(QueueTest, ALimitSetLaterCountsWhatIsLeased) {
  TestMachine t;
  TaskSpec spec = TestMachine::spec();
  spec.concurrency_key = "a";
  for (int i = 0; i < 4; ++i) t.spawn(spec);
  auto w = t.open(2, 8);
  const auto got = t.claim(w);
  EXPECT_EQ(got.size(), 2U);
  t.ask<Done>(ConfigureQueue{{.name = "default", .key_concurrency = 2}});
  EXPECT_TRUE(t.claim(w).empty());
  EXPECT_EQ(t.exchange(w, {TestMachine::done(got[0])}).assignments.size(), 1U);
}

}  // namespace
}  // namespace tidemill::machine
