// Tasks through Machine::apply: spawn, outcome, retry, cancel, bury, keys, dependencies, deadlines.
#include <gtest/gtest.h>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

TEST(TaskTest, RunsOnceAndIsRecorded) {
  TestMachine t;
  const TaskId id = t.spawn();
  auto w = t.open();
  const auto got = t.claim(w);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].work, WorkRef::of(id));
  EXPECT_EQ(got[0].attempt, 1U);
  EXPECT_EQ(t.machine.counts().leased, 1U);
  const auto reply = t.exchange(w, {TestMachine::done(got[0])});
  EXPECT_EQ(reply.answers, std::vector{ReportAnswer::recorded});
  ASSERT_NE(t.ended(id), nullptr);
  EXPECT_EQ(t.ended(id)->outcome, Outcome::done);
  EXPECT_EQ(t.machine.counts().leased, 0U);
  EXPECT_EQ(t.machine.counts().ready, 0U);
}

TEST(TaskTest, TheHandOutWaitsOnlyForTheTurnThatMadeItReady) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  const uint64_t spawned_in = t.turn;
  t.advance(seconds(1));
  const Tag tag = t.send(Exchange{TestMachine::request(w)});
  EXPECT_EQ(t.replies.at(tag).needs.raw, spawned_in);
}

TEST(TaskTest, FailsUntilItIsBuried) {
  TestMachine t;
  auto w = t.open();
  TaskSpec spec = TestMachine::spec();
  spec.work.retry.max_attempts = 3;
  const TaskId id = t.spawn(spec);
  auto got = t.claim(w);
  for (uint32_t attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].attempt, attempt);
    EXPECT_EQ(t.ended(id), nullptr);
    got = t.exchange(w, {TestMachine::failed(got[0])}).assignments;
    EXPECT_EQ(t.changes<PutAttempt>().size(), attempt < 3 ? 1U : 0U);
  }
  EXPECT_TRUE(got.empty());
  ASSERT_NE(t.ended(id), nullptr);
  EXPECT_EQ(t.ended(id)->outcome, Outcome::failed);
  EXPECT_EQ(t.ended(id)->error.kind, "tool");
}

TEST(TaskTest, BacksOffBetweenAttempts) {
  TestMachine t;
  auto w = t.open();
  TaskSpec spec = TestMachine::spec();
  spec.work.retry.backoff = Backoff::exponential;
  spec.work.retry.delay = seconds(10);
  t.spawn(spec);
  t.exchange(w, {TestMachine::failed(t.claim(w).at(0))});
  EXPECT_EQ(t.machine.counts().delayed, 1U);
  EXPECT_EQ(t.machine.next_due().wall.ns, (t.now.wall + seconds(10)).ns);
  t.advance(seconds(9));
  EXPECT_TRUE(t.claim(w).empty());
  t.advance(seconds(1));
  EXPECT_EQ(t.claim(w).size(), 1U);
}

TEST(TaskTest, AStaleLeaseChangesNothing) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(w);
  Report stale = TestMachine::done(got.at(0));
  stale.epoch.counter += 7;
  EXPECT_EQ(t.exchange(w, {stale}).answers, std::vector{ReportAnswer::lease_lost});
  EXPECT_EQ(t.ended(id), nullptr);
  EXPECT_EQ(t.exchange(w, {TestMachine::done(got[0])}).answers[0], ReportAnswer::recorded);
}

TEST(TaskTest, TheSameReportAgainIsRecorded) {
  TestMachine t;
  auto w = t.open();
  t.spawn();
  const Report report = TestMachine::done(t.claim(w).at(0));
  auto first = TestMachine::request(w, {report});
  t.ask<ExchangeReply>(Exchange{first});  // the reply gets lost
  EXPECT_EQ(t.exchange(w, {report}).answers, std::vector{ReportAnswer::recorded});
  // Once the reply is known to have arrived, nobody sends it again.
  EXPECT_EQ(t.exchange(w, {report}).answers, std::vector{ReportAnswer::lease_lost});
}

TEST(TaskTest, ABatchIsAcceptedWholeOrNotAtAll) {
  TestMachine t;
  SpawnTasks command;
  command.tasks = {TestMachine::spec(), TestMachine::spec()};
  command.tasks[1].work.kind.clear();
  const auto refused = t.ask<Refused>(command);
  EXPECT_EQ(refused.text, "tasks[1].kind: is empty; give it a name");
  EXPECT_EQ(t.machine.counts().ready, 0U);
  EXPECT_TRUE(t.out.changes.empty());
}

TEST(TaskTest, KeysNameTheFirstTask) {
  TestMachine t;
  TaskSpec spec = TestMachine::spec();
  spec.idempotency_key = "once";
  spec.work.input = std::make_shared<const std::string>("1");
  SpawnTasks twice;
  twice.tasks = {spec, spec};
  const auto spawned = t.ask<Spawned>(twice);
  EXPECT_FALSE(spawned.tasks.at(0).existing);
  EXPECT_TRUE(spawned.tasks.at(1).existing);
  EXPECT_EQ(spawned.tasks[0].id, spawned.tasks[1].id);
  EXPECT_TRUE(t.ask<Spawned>(twice).tasks[0].existing);
  twice.tasks[1].work.input = std::make_shared<const std::string>("2");
  EXPECT_EQ(t.ask<Refused>(twice).why, Refused::Why::key_conflict);
  twice.tasks[1] = spec;
  twice.tasks[1].work.kind = "other";
  EXPECT_EQ(t.ask<Refused>(twice).why, Refused::Why::key_conflict);
  EXPECT_EQ(t.machine.counts().ready, 1U);
}

TEST(TaskTest, DependantsWaitAndAreCancelledWithTheirCause) {
  TestMachine t;
  auto w = t.open();
  const TaskId first = t.spawn();
  TaskSpec after = TestMachine::spec();
  after.after = {first};
  const TaskId second = t.spawn(after);
  after.after = {second};
  const TaskId third = t.spawn(after);
  after.after = {first, third};
  after.after_any_outcome = true;
  const TaskId anyway = t.spawn(after);
  EXPECT_EQ(t.machine.counts().blocked, 3U);
  t.ask<Done>(BuryTask{first, "enough"});
  EXPECT_EQ(t.ended(second)->outcome, Outcome::cancelled);
  EXPECT_EQ(t.ended(second)->error.kind, "dependency");
  EXPECT_EQ(t.ended(third)->outcome, Outcome::cancelled);
  EXPECT_EQ(t.claim(w).at(0).work.task, anyway);
  // What has already ended counts by its outcome.
  after.after = {first};
  EXPECT_NE(t.spawn(after), TaskId{});
  after.after_any_outcome = false;
  EXPECT_EQ(t.ended(t.spawn(after))->outcome, Outcome::cancelled);
  after.after = {TaskId{9'999}};
  SpawnTasks unknown;
  unknown.tasks = {after};
  EXPECT_EQ(t.ask<Refused>(unknown).why, Refused::Why::not_found);
}

TEST(TaskTest, ALongChainOfDependantsNeedsNoStack) {
  TestMachine t;
  SpawnTasks command;
  TaskId last = t.spawn();
  const TaskId first = last;
  for (int i = 0; i < 20'000; ++i) {
    command.tasks.assign(1, TestMachine::spec());
    command.tasks[0].after = {last};
    const Command one{Tag{1'000'000 + static_cast<uint64_t>(i)}, command};
    t.machine.apply(Turn{++t.turn}, t.now, {&one, 1}, t.rows, t.out);
    last = std::get<Spawned>(t.out.replies.at(0).body).tasks.at(0).id;
  }
  t.ask<Cancelled>(CancelWork{WorkRef::of(first)});
  EXPECT_EQ(t.ended(last)->outcome, Outcome::cancelled);
  EXPECT_EQ(t.machine.counts().blocked, 0U);
}

TEST(TaskTest, CancelAsksTheWorkerAndHoldsItsLimits) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(w);
  EXPECT_FALSE(t.ask<Cancelled>(CancelWork{WorkRef::of(id)}).at_once);
  EXPECT_EQ(t.machine.counts().leased, 1U);
  const auto told = t.exchange(w);
  ASSERT_EQ(told.cancels.size(), 1U);
  EXPECT_EQ(told.cancels[0].epoch, got[0].epoch);
  EXPECT_TRUE(t.exchange(w).cancels.empty()) << "told once it is known to have arrived";
  Report report = TestMachine::failed(got[0]);
  report.error.kind = "cancelled";
  t.exchange(w, {report});
  EXPECT_EQ(t.ended(id)->outcome, Outcome::cancelled);
}

TEST(TaskTest, AResultThatComesBeforeTheCancelIsDone) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(w);
  t.ask<Cancelled>(CancelWork{WorkRef::of(id)});
  t.exchange(w, {TestMachine::done(got[0])});
  EXPECT_EQ(t.ended(id)->outcome, Outcome::done);
}

TEST(TaskTest, AnUrgentCancelEndsTheLease) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(w);
  EXPECT_TRUE(t.ask<Cancelled>(CancelWork{WorkRef::of(id), CancelWork::Urgency::now}).at_once);
  EXPECT_EQ(t.ended(id)->outcome, Outcome::cancelled);
  EXPECT_EQ(t.exchange(w, {TestMachine::done(got[0])}).answers[0], ReportAnswer::lease_lost);
}

TEST(TaskTest, RetryOpensTheNextRound) {
  TestMachine t;
  auto w = t.open();
  const TaskId id = t.spawn();
  EXPECT_EQ(t.ask<Refused>(RetryWork{WorkRef::of(id)}).why, Refused::Why::wrong_state);
  t.ask<Done>(BuryTask{id, ""});
  const auto retried = t.ask<Retried>(RetryWork{WorkRef::of(id)});
  EXPECT_EQ(retried.round, 2U);
  EXPECT_FALSE(retried.barrier_had_fired);
  EXPECT_EQ(t.changes<ReopenTask>().size(), 1U);
  t.exchange(w, {TestMachine::done(t.claim(w).at(0))});
  EXPECT_EQ(t.ended(id)->outcome, Outcome::done);
  EXPECT_EQ(t.ended(id)->task.round, 2U);
  EXPECT_EQ(t.ask<Refused>(RetryWork{WorkRef::of(TaskId{77})}).why, Refused::Why::not_found);
}

TEST(TaskTest, ADeadlineBuriesWhateverItWasDoing) {
  TestMachine t;
  auto w = t.open();
  TaskSpec spec = TestMachine::spec();
  spec.deadline = t.now.wall + seconds(10);
  const TaskId running = t.spawn(spec);
  const auto got = t.claim(w);
  const TaskId waiting = t.spawn(spec);
  t.advance(seconds(10));
  EXPECT_EQ(t.ended(running)->error.kind, "deadline");
  EXPECT_EQ(t.ended(waiting)->error.kind, "deadline");
  EXPECT_EQ(t.exchange(w, {TestMachine::done(got[0])}).answers[0], ReportAnswer::lease_lost);
}

TEST(TaskTest, AnAttemptThatTakesTooLongIsATimeout) {
  TestMachine t;
  auto w = t.open();
  TaskSpec spec = TestMachine::spec();
  spec.work.attempt_timeout = seconds(5);
  spec.work.retry.max_attempts = 1;
  const TaskId id = t.spawn(spec);
  EXPECT_EQ(t.claim(w).at(0).attempt_timeout, seconds(5));
  t.advance(seconds(5));
  EXPECT_EQ(t.ended(id), nullptr) << "the worker's own word comes first";
  t.advance(limits::kTimeoutSlack);
  ASSERT_NE(t.ended(id), nullptr);
  EXPECT_EQ(t.ended(id)->error.kind, "timeout");
  EXPECT_EQ(t.exchange(w).cancels.size(), 1U);
}

TEST(TaskTest, ResultsTooLargeToBeInlineFail) {
  TestMachine t;
  auto w = t.open();
  TaskSpec spec = TestMachine::spec();
  spec.work.retry.max_attempts = 1;
  const TaskId id = t.spawn(spec);
  const auto got = t.claim(w);
  Report report = TestMachine::done(got.at(0));
  report.result.inline_json.assign(limits::kInlineMax + 1, 'x');
  t.exchange(w, {report});
  EXPECT_EQ(t.ended(id)->error.kind, "too_large");
}

TEST(TaskTest, HashesForgetWhatIsGone) {
  TestMachine t;
  auto w = t.open();
  const uint64_t empty = t.machine.state_hash();
  t.spawn();
  const uint64_t one = t.machine.state_hash();
  EXPECT_NE(one, empty);
  const auto got = t.claim(w);
  EXPECT_EQ(t.machine.state_hash(), one) << "a lease is nothing that commits define";
  t.exchange(w, {TestMachine::done(got[0])});
  EXPECT_EQ(t.machine.state_hash(), empty);
}

}  // namespace
}  // namespace tidemill::machine
