#pragma once
// Engine: the turn loop with real threads. One thread decides, one commits; while turn k is being
// committed, the next ones gather and are decided. A small turn that comes alone is committed by
// the thread that decided it. After a failed commit the engine takes no more
// commands and says why; its owner throws it away and opens the store again. Owned by main;
// submit() and the readers may be used from any thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/pager.h"
#include "engine/turn_loop.h"
#include "os/sync.h"
#include "os/thread.h"
#include "store/store.h"

namespace tidemill::engine {

struct EngineStats {
  uint64_t turns = 0;
  uint64_t commits = 0;
  uint64_t commands = 0;
  uint64_t changes = 0;
  Duration deciding;    // engine thread, busy
  Duration committing;  // commit thread, busy
};

// Who is told what became durable. Both are called on the commit thread (an effect that needs no
// new turn also on the engine thread) and must not block.
struct Watchers {
  OnEffect on_effect;
  std::function<void(const CommitBatch&)> on_committed;
  std::function<void()> on_failed;  // once, on the thread that failed; failure() says why
};

class Engine {
 public:
  // Recovers from `store`, which must outlive the engine. Errors: the store's.
  static Result<std::unique_ptr<Engine>> open(const TurnLoopOptions& options, store::Store& store,
                                              Watchers watchers);
  ~Engine();  // stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The reply comes on one of the engine's threads and must not block there. Answers `unavailable`
  // when the queue of commands is full or the engine has failed.
  void submit(machine::CommandBody body, OnReply on_reply);
  // submit() and wait; not from an engine thread.
  Result<machine::ReplyBody> ask(machine::CommandBody body);

  // Decides and commits what was submitted before, then ends both threads. Later submits are
  // refused.
  void stop();
  // The same as a commit that failed, by who found out elsewhere that nothing more can be kept: no
  // command is taken any more, and nothing leaves that needs a later turn. Any thread.
  void fail(const Error& error);
  // Why it failed, when it has.
  std::optional<Error> failure();
  EngineStats stats();

 private:
  struct Submitted {
    machine::CommandBody body;
    OnReply on_reply;
  };

  Engine(store::Store& store, std::unique_ptr<TurnLoop> loop, Watchers watchers);
  void decide_loop();
  void commit_loop();
  bool gather(std::vector<Submitted>& out);
  void take_page(Result<machine::PageIn> page);
  bool hand_over(std::optional<CommitBatch>& own) EXCLUDES(mutex_);
  bool commit(CommitBatch batch) EXCLUDES(mutex_);
  Duration left_to_linger() const;
  Duration until_due(const machine::NextDue& due) const;

  static constexpr size_t kQueueMax = 65'536;
  static constexpr size_t kPendingChangesMax = 262'144;
  static constexpr size_t kOwnChangesMax = 32;
  static constexpr Duration kLinger = milliseconds(5);  // of turns that nobody waits for

  store::Store& store_;
  Watchers watchers_;
  // The deciding thread's; the outbox of the loop is shared.
  std::unique_ptr<TurnLoop> loop_;
  Turn taken_;  // handed over to the committer
  std::optional<SteadyTime> lingering_since_;

  os::Mutex mutex_;
  os::Condition wake_decider_;
  os::Condition wake_committer_;
  std::vector<Submitted> queue_ GUARDED_BY(mutex_);
  std::optional<CommitBatch> batch_ GUARDED_BY(mutex_);  // handed over, not yet taken by the committer
  bool committing_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;  // somebody uses the store: longer than `committing_`
  bool waits_for_commit_ GUARDED_BY(mutex_) = false;  // the decider, before it goes on
  Turn committed_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool decided_all_ GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  EngineStats stats_ GUARDED_BY(mutex_);

  os::Thread decider_;
  os::Thread committer_;
  std::unique_ptr<Pager> pager_;
};

}  // namespace tidemill::engine
