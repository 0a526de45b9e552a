#include "engine/engine.h"

#include <algorithm>
#include <future>
#include <utility>

#include "os/clock.h"

namespace tidemill::engine {

Result<std::unique_ptr<Engine>> Engine::open(const TurnLoopOptions& options, store::Store& store,
                                             Watchers watchers) {
  TIDEMILL_TRY(auto loop, TurnLoop::recover(options, store, os::now()));
  loop->outbox().on_effect(watchers.on_effect);
  std::unique_ptr<Engine> engine(new Engine(store, std::move(loop), std::move(watchers)));
  Engine* e = engine.get();
  e->pager_ = std::make_unique<Pager>(
      store, [e](Result<machine::PageIn> page) { e->take_page(std::move(page)); });
  e->decider_ = os::Thread("tm-decide", [e] { e->decide_loop(); });
  e->committer_ = os::Thread("tm-commit", [e] { e->commit_loop(); });
  return engine;
}

Engine::Engine(store::Store& store, std::unique_ptr<TurnLoop> loop, Watchers watchers)
    : store_(store),
      watchers_(std::move(watchers)),
      loop_(std::move(loop)),
      taken_(loop_->decided_turn()),
      committed_(loop_->decided_turn()) {}

Engine::~Engine() { stop(); }

void Engine::submit(machine::CommandBody body, OnReply on_reply) {
  std::optional<Error> refusal;
  bool first = false;
  {
    os::Lock lock(mutex_);
    if (failure_) {
      refusal = *failure_;
    } else if (stopping_) {
      refusal = Error{ErrorCode::unavailable, "the engine is stopping"};
    } else if (queue_.size() >= kQueueMax) {
      refusal = Error{ErrorCode::unavailable, "overloaded: too many commands wait; try again"};
    } else {
      queue_.push_back({std::move(body), std::move(on_reply)});
      first = queue_.size() == 1;
    }
  }
  // Who is woken under the lock would only wait for it.
  if (first) wake_decider_.notify_one();
  if (refusal && on_reply) on_reply(std::move(*refusal));
}

Result<machine::ReplyBody> Engine::ask(machine::CommandBody body) {
  std::promise<Result<machine::ReplyBody>> promise;
  auto future = promise.get_future();
  submit(std::move(body), [&](Result<machine::ReplyBody> r) { promise.set_value(std::move(r)); });
  return future.get();
}

// The machine waits for what it asked for, so this is never refused for want of room.
void Engine::take_page(Result<machine::PageIn> page) {
  if (!page.ok()) {
    fail(std::move(page).error().with("reading a backlog"));
    return;
  }
  os::Lock lock(mutex_);
  if (failure_ || stopping_) return;
  queue_.push_back({std::move(*page), nullptr});
  if (queue_.size() == 1) wake_decider_.notify_one();
}

void Engine::stop() {
  {
    os::Lock lock(mutex_);
    stopping_ = true;
    wake_decider_.notify_one();
  }
  decider_.join();
  {
    os::Lock lock(mutex_);
    wake_committer_.notify_one();
  }
  committer_.join();
  pager_.reset();
  loop_->abandon(failure().value_or(Error{ErrorCode::unavailable, "the engine has stopped"}));
}

std::optional<Error> Engine::failure() {
  os::Lock lock(mutex_);
  return failure_;
}

EngineStats Engine::stats() {
  os::Lock lock(mutex_);
  return stats_;
}

void Engine::decide_loop() {
  std::vector<Submitted> gathered;
  while (gather(gathered)) {
    const SteadyTime begin = os::steady_now();
    const size_t count = gathered.size();
    for (Submitted& s : gathered) loop_->submit(std::move(s.body), std::move(s.on_reply));
    gathered.clear();
    const Now now = os::now();
    const machine::NextDue due = loop_->next_due();
    if (due.steady <= now.steady || due.wall <= now.wall) loop_->submit(machine::Tick{}, nullptr);
    if (Status decided = loop_->decide(now); !decided.ok()) {
      fail(std::move(decided).error().with("reading the store"));
      break;
    }
    os::Lock lock(mutex_);
    stats_.turns += 1;
    stats_.commands += count;
    stats_.deciding = stats_.deciding + (os::steady_now() - begin);
  }
  os::Lock lock(mutex_);
  decided_all_ = true;
  wake_committer_.notify_one();
}

// Waits for commands, a due timer, or a finished commit that decided turns wait for. False: all is
// decided and handed over, and the engine stops.
bool Engine::gather(std::vector<Submitted>& out) {
  for (;;) {
    std::optional<CommitBatch> own;
    if (hand_over(own)) wake_committer_.notify_one();
    if (own && !commit(*std::move(own))) return false;
    pager_->want(loop_->take_pages());
    const machine::NextDue due = loop_->next_due();
    os::Lock lock(mutex_);
    if (failure_) return false;
    loop_->committed(committed_);
    const bool room = loop_->pending_changes() < kPendingChangesMax;
    const bool held_back = loop_->has_commands() && (committing_ || batch_);
    if (room && !queue_.empty()) {
      out.swap(queue_);
      return true;
    }
    if (loop_->has_commands() && !held_back) return true;
    if (stopping_ && queue_.empty() && !loop_->has_changes()) return false;
    Duration wait = until_due(due);
    if (wait.ns <= 0 && room) return true;
    if (!batch_ && loop_->has_changes()) {
      const Duration left = left_to_linger();
      if (left.ns <= 0) continue;  // the committer has just taken the batch before
      wait = std::min(wait, left);
    }
    waits_for_commit_ = loop_->has_changes() || loop_->has_commands() || loop_->wants_pages();
    wake_decider_.wait_for(mutex_, room ? wait : seconds(1));
    waits_for_commit_ = false;
  }
}

// Gives the decided turns to the committer when it has room; otherwise they wait and grow into one
// batch. So do turns that nobody waits for (what was handed out inside the process), for a little:
// most are followed by one that somebody waits for. True: the committer is to be woken. When there
// is little to commit and nothing else to decide, the batch is the caller's own to commit: to wake
// another thread would only take longer.
bool Engine::hand_over(std::optional<CommitBatch>& own) {
  os::Lock lock(mutex_);
  if (batch_ || !loop_->has_changes()) return false;
  if (!lingering_since_) lingering_since_ = os::steady_now();
  const bool awaited = stopping_ || loop_->has_commands() ||
                       loop_->pending_changes() >= kPendingChangesMax ||
                       loop_->outbox().waits_beyond(taken_);
  if (!awaited && left_to_linger().ns > 0) return false;
  lingering_since_.reset();
  const bool little = loop_->pending_changes() <= kOwnChangesMax;
  CommitBatch batch = loop_->take();
  taken_ = batch.info.turn;
  if (little && !writing_ && queue_.empty()) {
    committing_ = writing_ = true;
    own = std::move(batch);
    return false;
  }
  batch_ = std::move(batch);
  return true;
}

Duration Engine::left_to_linger() const {
  if (!lingering_since_) return {};
  return kLinger - (os::steady_now() - *lingering_since_);
}

Duration Engine::until_due(const machine::NextDue& due) const {
  const Now now = os::now();
  Duration wait = hours(1);
  if (due.steady != SteadyTime::never()) wait = std::min(wait, due.steady - now.steady);
  if (due.wall != WallTime::never()) wait = std::min(wait, due.wall - now.wall);
  return wait;
}

void Engine::commit_loop() {
  for (;;) {
    CommitBatch batch;
    bool wanted = false;
    {
      os::Lock lock(mutex_);
      while (!batch_ && !decided_all_) wake_committer_.wait(mutex_);
      if (!batch_) return;
      batch = std::move(*batch_);
      batch_.reset();
      committing_ = writing_ = true;
      wanted = waits_for_commit_;
    }
    if (wanted) wake_decider_.notify_one();  // There is room for the next batch.
    if (!commit(std::move(batch))) return;
  }
}

// By whichever thread set `writing_`; so one at a time. False: the engine has failed.
bool Engine::commit(CommitBatch batch) {
  const SteadyTime begin = os::steady_now();
  batch.info.at = os::wall_now();
  Status committed = store_.commit(batch.changes, batch.info);
  const WallTime recorded = os::wall_now();
  if (!committed.ok()) {
    fail(std::move(committed).error());
    return false;
  }
  {
    os::Lock lock(mutex_);
    committing_ = false;
    committed_ = batch.info.turn;
    stats_.commits += 1;
    stats_.changes += batch.changes.size();
    stats_.committing = stats_.committing + (os::steady_now() - begin);
  }
  if (watchers_.on_committed) watchers_.on_committed(batch);
  loop_->outbox().durable(batch.info.turn);
  bool wanted = false;
  {
    os::Lock lock(mutex_);
    wanted = waits_for_commit_;
  }
  if (wanted) wake_decider_.notify_one();
  // Last, because it may wait for a checkpoint, which holds nobody else up.
  store_.note_recorded(batch.info.turn, recorded);
  os::Lock lock(mutex_);
  writing_ = false;
  return true;
}

// Nothing that needs the failed turn or a later one leaves; who waits is told why.
void Engine::fail(const Error& error) {
  std::vector<Submitted> refused;
  bool first = false;
  {
    os::Lock lock(mutex_);
    first = !failure_.has_value();
    if (first) failure_ = error;
    refused.swap(queue_);
    wake_decider_.notify_one();
    wake_committer_.notify_one();
  }
  loop_->outbox().fail(error);
  for (Submitted& s : refused) {
    if (s.on_reply) s.on_reply(error);
  }
  if (first && watchers_.on_failed) watchers_.on_failed();
}

}  // namespace tidemill::engine
