#include "sim/server.h"

#include <iterator>
#include <utility>
#include <variant>

namespace tidemill::sim {

Server::Server(World& world, const Options& options, Checker& checker)
    : world_(world),
      options_(options),
      checker_(checker),
      contents_(store::make_memory_contents()) {
  start();
}

void Server::start() {
  store_ = store::open_memory(contents_);
  auto loop = engine::TurnLoop::recover(
      {.seed = options_.seed, .lease = options_.lease, .window = options_.window}, *store_,
      world_.now());
  TIDEMILL_ASSERT(loop.ok());
  loop_ = std::move(*loop);
  loop_->machine().check();
  const Turn before{loop_->decided_turn().raw - 1};  // The new incarnation was a turn of its own.
  checker_.recovered(before, loop_->machine().state_hash());
  schedule_decide();
}

void Server::request(machine::CommandBody body, OnReply on_reply) {
  if (!up()) return;
  if (const auto* e = std::get_if<machine::Exchange>(&body)) checker_.presented(e->request);
  loop_->submit(std::move(body), [on_reply = std::move(on_reply)](Result<machine::ReplyBody> r) {
    if (r.ok()) on_reply(std::move(*r));
  });
  schedule_decide();
}

void Server::schedule_decide() {
  if (decide_scheduled_) return;
  decide_scheduled_ = true;
  world_.after(microseconds(static_cast<int64_t>(world_.random().below(500))),
               [this, life = life_] {
                 if (life != life_) return;
                 decide_scheduled_ = false;
                 decide();
               });
}

void Server::decide() {
  const Now now = world_.now();
  const machine::NextDue due = loop_->next_due();
  if (due.steady <= now.steady || due.wall <= now.wall) loop_->submit(machine::Tick{}, nullptr);
  const Turn before = loop_->decided_turn();
  TIDEMILL_ASSERT(loop_->decide(now).ok());
  loop_->machine().check();
  replay_ = mix64(replay_ ^ loop_->machine().replay_hash());
  if (loop_->decided_turn() != before) {
    checker_.decided(loop_->decided_turn(), loop_->machine().state_hash());
  }
  take_changes();
  begin_commit();
  read_pages();
  schedule_due();
}

// What the machine wants of its backlogs is read at once or later, as a thread of its own would.
void Server::read_pages() {
  for (const machine::PageWanted& wanted : loop_->take_pages()) {
    const Duration wait = world_.random().duration(nanoseconds(1), options_.commit_max);
    world_.after(wait, [this, wanted, life = life_] {
      if (life != life_) return;
      auto from = reader();
      auto page = engine::read_page(*from, wanted);
      TIDEMILL_ASSERT(page.ok());
      loop_->submit(std::move(*page), nullptr);
      schedule_decide();
    });
  }
}

void Server::take_changes() {
  if (!loop_->has_changes()) return;
  engine::CommitBatch turn = loop_->take();
  checker_.changed(turn.changes);
  if (!waiting_) waiting_.emplace();
  waiting_->info = turn.info;
  std::move(turn.changes.begin(), turn.changes.end(), std::back_inserter(waiting_->changes));
}

void Server::schedule_due() {
  const machine::NextDue due = loop_->next_due();
  const Now now = world_.now();
  Duration wait = hours(1'000);
  if (due.steady != SteadyTime::never()) wait = std::min(wait, due.steady - now.steady);
  if (due.wall != WallTime::never()) wait = std::min(wait, due.wall - now.wall);
  if (wait >= hours(1'000)) return;
  world_.after(std::max(wait, nanoseconds(1)), [this, life = life_] {
    if (life == life_) schedule_decide();
  });
}

void Server::begin_commit() {
  if (committing_ || !waiting_) return;
  committing_ = std::exchange(waiting_, std::nullopt);
  world_.after(world_.random().duration(microseconds(50), options_.commit_max),
               [this, life = life_] { end_commit(life); });
}

void Server::end_commit(uint64_t life) {
  if (life != life_) return;
  const engine::CommitBatch batch = std::move(*committing_);
  committing_.reset();
  TIDEMILL_ASSERT(store_->commit(batch.changes, batch.info).ok());
  checker_.committed(batch);
  loop_->committed(batch.info.turn);
  loop_->outbox().durable(batch.info.turn);
  begin_commit();
  read_pages();
  if (loop_->has_commands()) schedule_decide();
}

// A commit under way may have become durable or not: nobody was told.
void Server::crash() {
  if (!up()) return;
  if (committing_ && world_.random().chance(50)) {
    TIDEMILL_ASSERT(store_->commit(committing_->changes, committing_->info).ok());
    checker_.committed(*committing_);
  }
  committing_.reset();
  waiting_.reset();
  loop_.reset();
  store_.reset();
  decide_scheduled_ = false;
  ++life_;
  world_.after(world_.random().duration(milliseconds(5), seconds(2)), [this, life = life_] {
    if (life == life_) start();
  });
}

std::unique_ptr<store::Reader> Server::reader() {
  auto reader = store::open_memory(contents_)->reader();
  TIDEMILL_ASSERT(reader.ok());
  return std::move(*reader);
}

}  // namespace tidemill::sim
