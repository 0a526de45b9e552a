// Arrays and barriers through Machine::apply.
#include <gtest/gtest.h>

#include <numeric>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

// Answers every index of the assignments as done, one report each.
std::vector<Report> all_done(const std::vector<Assignment>& got) {
  std::vector<Report> reports;
  for (const Assignment& a : got) {
    for (uint64_t i = 0; i < a.work.count; ++i) {
      reports.push_back(TestMachine::done(a, a.work.first + i));
    }
  }
  return reports;
}

uint64_t indexes_in(const std::vector<Assignment>& got) {
  return std::accumulate(got.begin(), got.end(), uint64_t{0},
                         [](uint64_t n, const Assignment& a) { return n + a.work.count; });
}

TEST(ArrayTest, TenMillionIndexesAreOneRecord) {
  TestMachine t;
  t.spawn_array(TestMachine::array_spec(10'000'000));
  EXPECT_LE(t.out.changes.size(), 2U);
  auto w = t.open(1, 1'000);
  EXPECT_EQ(indexes_in(t.claim(w)), 1'000U);
}

TEST(ArrayTest, RunsEveryIndexOnceAndFinishesOnce) {
  TestMachine t;
  const ArrayId id = t.spawn_array(TestMachine::array_spec(20));
  auto w = t.open(1, 8);
  std::vector<bool> seen(20);
  auto got = t.claim(w);
  size_t finishes = 0;
  while (!got.empty()) {
    EXPECT_LE(indexes_in(got), 8U);
    for (const Report& report : all_done(got)) {
      EXPECT_FALSE(seen.at(report.work.first));
      seen[report.work.first] = true;
    }
    got = t.exchange(w, all_done(got)).assignments;
    finishes += t.changes<FinishArray>().size();
    EXPECT_LE(t.changes<PutOutcomes>().size(), 1U) << "one row of outcomes a turn";
  }
  EXPECT_EQ(finishes, 1U);
  EXPECT_EQ(t.changes<FinishArray>().at(0).array, id);
  EXPECT_EQ(t.changes<FinishArray>().at(0).done, 20U);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 20);
  EXPECT_EQ(t.machine.counts().arrays, 0U);
}

TEST(ArrayTest, AnEmptyArrayIsThroughAtOnce) {
  TestMachine t;
  t.spawn_array(TestMachine::array_spec(0));
  EXPECT_EQ(t.changes<FinishArray>().size(), 1U);
}

TEST(ArrayTest, ItemsGoOutWithTheirIndexes) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(1'500);
  for (int i = 0; i < 1'500; ++i) spec.items.push_back(std::to_string(i));
  t.spawn_array(spec);
  EXPECT_EQ(t.changes<PutItems>().size(), 2U);
  auto w = t.open(1, 1'200);
  for (auto got = t.claim(w); !got.empty(); got = t.exchange(w, all_done(got)).assignments) {
    for (const Assignment& a : got) {
      ASSERT_EQ(a.items.size(), a.work.count);
      for (uint64_t i = 0; i < a.work.count; ++i) {
        EXPECT_EQ(a.items[i], std::to_string(a.work.first + i));
      }
    }
  }
}

TEST(ArrayTest, NeverMoreInFlightThanItsLimit) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(30);
  spec.max_in_flight = 3;
  t.spawn_array(spec);
  auto w = t.open(1, 100);
  auto got = t.claim(w);
  uint64_t in_flight = indexes_in(got);
  EXPECT_EQ(in_flight, 3U);
  for (int turn = 0; turn < 60 && in_flight > 0; ++turn) {
    const Assignment& a = got.front();
    const auto reply = t.exchange(w, {TestMachine::done(a, a.work.first)});
    in_flight += indexes_in(reply.assignments) - 1;
    EXPECT_LE(in_flight, 3U);
    std::vector<Assignment> rest;
    if (a.work.count > 1) {
      rest.push_back(a);
      ++rest[0].work.first;
      --rest[0].work.count;
    }
    rest.insert(rest.end(), got.begin() + 1, got.end());
    rest.insert(rest.end(), reply.assignments.begin(), reply.assignments.end());
    got = rest;
  }
  EXPECT_EQ(t.machine.counts().arrays, 0U);
}

TEST(ArrayTest, SequentialWaitsForTheRetryOfTheOneBefore) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(3);
  spec.max_in_flight = 1;
  spec.work.retry.backoff = Backoff::fixed;
  spec.work.retry.delay = seconds(5);
  t.spawn_array(spec);
  auto w = t.open(1, 8);
  const auto first = t.claim(w);
  ASSERT_EQ(indexes_in(first), 1U);
  EXPECT_TRUE(t.exchange(w, {TestMachine::failed(first[0])}).assignments.empty());
  t.advance(seconds(5));
  const auto again = t.claim(w);
  ASSERT_EQ(indexes_in(again), 1U);
  EXPECT_EQ(again[0].work.first, 0U);
  EXPECT_EQ(again[0].attempt, 2U);
}

TEST(ArrayTest, TooManyFailuresCancelWhatHasNotStarted) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(100);
  spec.max_failed = 1;
  spec.work.retry.max_attempts = 1;
  t.spawn_array(spec);
  auto w = t.open(1, 4);
  const auto got = t.claim(w);
  ASSERT_EQ(got.size(), 1U);
  ASSERT_EQ(got[0].work.count, 4U);
  std::vector<Report> reports = all_done(got);
  for (int i : {0, 1}) {
    reports[static_cast<size_t>(i)].kind = Report::Kind::failed;
    reports[static_cast<size_t>(i)].error = {.kind = "tool", .message = "no"};
  }
  reports.resize(3);
  t.exchange(w, reports);
  EXPECT_TRUE(t.changes<FinishArray>().empty()) << "one is still running";
  t.exchange(w, {all_done(got)[3]});
  const auto end = t.changes<FinishArray>();
  ASSERT_EQ(end.size(), 1U);
  EXPECT_EQ(end[0].done, 2U);
  EXPECT_EQ(end[0].failed, 2U);
  EXPECT_EQ(end[0].cancelled, 96U);
  EXPECT_EQ(t.changes<CancelRest>().size(), 1U);
}

TEST(ArrayTest, SingleIndexesAreCancelledAndRetried) {
  TestMachine t;
  ArraySpec spec = TestMachine::array_spec(6);
  spec.max_in_flight = 2;
  const ArrayId id = t.spawn_array(spec);
  EXPECT_TRUE(t.ask<Cancelled>(CancelWork{WorkRef::of(id, 4)}).at_once);
  EXPECT_TRUE(t.ask<Cancelled>(CancelWork{WorkRef::of(id, 5)}).at_once);
  auto w = t.open(1, 8);
  auto got = t.claim(w);
  ASSERT_EQ(indexes_in(got), 2U);
  EXPECT_FALSE(t.ask<Cancelled>(CancelWork{WorkRef::of(id, 1)}).at_once);
  EXPECT_EQ(t.exchange(w).cancels.size(), 1U);
  Report stopped = TestMachine::failed(got[0]);
  stopped.work = WorkRef::of(id, 1);
  got = t.exchange(w, {TestMachine::done(got[0], 0), stopped}).assignments;
  EXPECT_EQ(t.ask<Retried>(RetryWork{WorkRef::of(id, 5)}).round, 2U);
  EXPECT_EQ(t.ask<Refused>(RetryWork{WorkRef::of(id, 2)}).why, Refused::Why::wrong_state);
  std::set<uint64_t> ran;
  for (; !got.empty(); got = t.exchange(w, all_done(got)).assignments) {
    for (const Report& report : all_done(got)) ran.insert(report.work.first);
  }
  EXPECT_EQ(ran, (std::set<uint64_t>{2, 3, 5}));
  EXPECT_EQ(t.changes<FinishArray>().at(0).cancelled, 2U);
}

TEST(ArrayTest, CancellingItAsksWhatRuns) {
  TestMachine t;
  const ArrayId id = t.spawn_array(TestMachine::array_spec(10));
  auto w = t.open(1, 2);
  const auto got = t.claim(w);
  EXPECT_FALSE(t.ask<Cancelled>(CancelWork{WorkRef::of(id, 0, UINT64_MAX)}).at_once);
  EXPECT_EQ(t.exchange(w).cancels.size(), 1U);
  t.exchange(w, all_done(got));
  EXPECT_EQ(t.changes<FinishArray>().at(0).done, 2U);
  EXPECT_EQ(t.changes<FinishArray>().at(0).cancelled, 8U);

  const ArrayId urgent = t.spawn_array(TestMachine::array_spec(10));
  const auto held = t.claim(w);
  EXPECT_EQ(indexes_in(held), 2U);
  EXPECT_TRUE(t.ask<Cancelled>(CancelWork{WorkRef::of(urgent, 0, UINT64_MAX),
                                          CancelWork::Urgency::now})
                  .at_once);
  EXPECT_EQ(t.changes<FinishArray>().at(0).cancelled, 10U);
  EXPECT_EQ(t.exchange(w, all_done(held)).answers[0], ReportAnswer::lease_lost);
}

TEST(ArrayTest, ArraysTakeTurns) {
  TestMachine t;
  const ArrayId a = t.spawn_array(TestMachine::array_spec(1'000));
  const ArrayId b = t.spawn_array(TestMachine::array_spec(1'000));
  auto w = t.open(1, 8);
  std::map<ArrayId, uint64_t> got;
  for (const Assignment& one : t.claim(w)) got[one.work.array] += one.work.count;
  EXPECT_GT(got[a], 0U);
  EXPECT_GT(got[b], 0U);
}

TEST(BarrierTest, FiresItsTaskOnceAllIsTerminal) {
  TestMachine t;
  const auto opened =
      t.ask<BarrierOpened>(OpenBarrier{.fires = TestMachine::spec(), .expected = 3});
  ArraySpec two = TestMachine::array_spec(2);
  two.work.barrier = opened.id;
  t.spawn_array(two);
  TaskSpec one = TestMachine::spec();
  one.work.barrier = opened.id;
  const TaskId buried = t.spawn(one);
  SpawnTasks more;
  more.tasks = {one};
  EXPECT_EQ(t.ask<Refused>(more).why, Refused::Why::wrong_state);
  t.ask<Done>(BuryTask{buried, ""});
  auto w = t.open(1, 8);
  auto got = t.claim(w);
  EXPECT_EQ(indexes_in(got), 2U) << "the fan-in waits";
  EXPECT_EQ(t.ask<Retried>(RetryWork{WorkRef::of(buried)}).barrier_had_fired, false);
  got = t.exchange(w, all_done(got)).assignments;
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].work.task, buried) << "it counts as open again";
  got = t.exchange(w, {TestMachine::done(got[0])}).assignments;
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].work.task, opened.fires);
  EXPECT_EQ(t.changes<DropBarrier>().size(), 1U);
  EXPECT_EQ(t.ask<Retried>(RetryWork{WorkRef::of(buried)}).barrier_had_fired, true);
}

TEST(BarrierTest, OfNothingFiresAtOnce) {
  TestMachine t;
  t.ask<BarrierOpened>(OpenBarrier{.fires = TestMachine::spec(), .expected = 0});
  EXPECT_EQ(t.machine.counts().ready, 1U);
  EXPECT_EQ(t.machine.counts().barriers, 0U);
}

}  // namespace
}  // namespace tidemill::machine
