// Tokens through Machine::apply: their limits, and whom a revoked one cuts off.
#include <gtest/gtest.h>

#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

TokenRecord token_of(const std::string& name) {
  return {.name = name, .kind = TokenKind::worker, .hash = sha256(name)};
}

TestMachine::Worker open_with(TestMachine& t, const std::string& token,
                              std::vector<std::string> queues) {
  TestMachine::Worker worker{.number = 1, .seen = 1, .slots = 4};
  Exchange command{.token = token, .queues = std::move(queues)};
  command.request.kinds = {"k"};
  worker.session = t.ask<ExchangeReply>(std::move(command)).session;
  return worker;
}

TEST(TokenTest, TheHashOfTheStateCoversThem) {
  TestMachine t;
  const uint64_t before = t.machine.state_hash();
  t.ask<Done>(AddToken{token_of("a")});
  EXPECT_NE(t.machine.state_hash(), before);
  ASSERT_EQ(t.changes<PutToken>().size(), 1U);
  EXPECT_EQ(t.changes<PutToken>()[0].token.created_at, t.now.wall);
  t.ask<Done>(RevokeToken{"a"});
  EXPECT_EQ(t.machine.state_hash(), before);
}

TEST(TokenTest, ThereAreSoManyAndNotOneMore) {
  TestMachine t;
  for (uint64_t i = 0; i < limits::kTokensMax; ++i) {
    t.ask<Done>(AddToken{token_of(std::to_string(i))});
  }
  EXPECT_EQ(t.ask<Refused>(AddToken{token_of("more")}).why, Refused::Why::too_large);
  t.ask<Done>(RevokeToken{"0"});
  t.ask<Done>(AddToken{token_of("more")});
}

TEST(TokenTest, OneHasSoManyQueuesAndSoLongAName) {
  TestMachine t;
  TokenRecord token = token_of(std::string(limits::kNameMax, 'n'));
  token.queues.assign(limits::kTokenQueuesMax, std::string(limits::kNameMax, 'q'));
  t.ask<Done>(AddToken{token});
  token = token_of(std::string(limits::kNameMax + 1, 'n'));
  EXPECT_EQ(t.ask<Refused>(AddToken{token}).why, Refused::Why::too_large);
  token = token_of("b");
  token.queues.assign(limits::kTokenQueuesMax + 1, "q");
  EXPECT_EQ(t.ask<Refused>(AddToken{token}).why, Refused::Why::too_large);
  token.queues = {std::string(limits::kNameMax + 1, 'q')};
  EXPECT_EQ(t.ask<Refused>(AddToken{token}).why, Refused::Why::too_large);
  token.queues = {""};
  EXPECT_EQ(t.ask<Refused>(AddToken{token}).why, Refused::Why::invalid);
}

TEST(TokenTest, WhatArrivesUnderARevokedOneIsOfNoSession) {
  TestMachine t;
  t.ask<Done>(AddToken{token_of("a")});
  auto worker = open_with(t, "a", {});
  t.spawn();
  const auto got = t.claim(worker);
  ASSERT_EQ(got.size(), 1U);
  t.ask<Done>(RevokeToken{"a"});
  const ExchangeReply late = t.exchange(worker, {TestMachine::done(got[0])});
  EXPECT_TRUE(late.session_unknown);
  EXPECT_EQ(late.answers, std::vector<ReportAnswer>{ReportAnswer::lease_lost});
  Exchange again{.token = "a"};
  again.request.kinds = {"k"};
  EXPECT_EQ(t.ask<Refused>(again).why, Refused::Why::wrong_state);
  t.advance(limits::kCloseGrace);
  EXPECT_EQ(t.machine.counts().sessions, 0U);
  EXPECT_EQ(t.machine.counts().ready, 1U);
}

TEST(TokenTest, ABoundSessionGetsOnlyOfItsQueues) {
  TestMachine t;
  t.ask<Done>(AddToken{token_of("a")});
  auto worker = open_with(t, "a", {"other"});
  t.spawn();
  EXPECT_TRUE(t.claim(worker).empty());
  TaskSpec other = TestMachine::spec();
  other.work.queue = "other";
  const TaskId mine = t.spawn(other);
  const auto got = t.claim(worker);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].work.task, mine);
}

// After a restart work is kept for who comes back with it; whoever knows its epoch may say that it
// was the one.
TEST(TokenTest, ABoundSessionTakesOverOnlyOfItsQueues) {
  TestMachine t;
  auto worker = t.open();
  const TaskId id = t.spawn();
  const auto got = t.claim(worker);
  ASSERT_EQ(got.size(), 1U);
  Machine machine({.seed = 42, .incarnation = 2});
  machine.restore(t.rows.live.at(id));
  machine.restore(HandOut{worker.session, false, {{got[0].work, got[0].epoch}}});
  machine.restored(t.now, 100'000, t.rows);
  uint64_t turn = 0;
  const auto answer_to = [&](std::vector<std::string> queues) {
    Exchange first{.queues = std::move(queues)};
    first.request.kinds = {"k"};
    first.request.held = {{got[0].work, got[0].epoch}};
    first.request.reports = {TestMachine::done(got[0])};
    const Command command{Tag{1}, std::move(first)};
    TurnOutput out;
    machine.apply(Turn{++turn}, t.now, {&command, 1}, t.rows, out);
    machine.check();
    return std::get<ExchangeReply>(out.replies.at(0).body).answers.at(0);
  };
  EXPECT_EQ(answer_to({"other"}), ReportAnswer::lease_lost);
  EXPECT_EQ(answer_to({"default", "other"}), ReportAnswer::recorded);
}

}  // namespace
}  // namespace tidemill::machine
