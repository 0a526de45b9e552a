#pragma once
// TurnLoop: the turn without threads. Commands are gathered, what memory does not hold is read, the
// machine decides, and the changes wait to be committed; replies and effects leave when the turn
// they need is durable. Whoever owns it drives it: Engine with real threads, the simulator with
// delays, failures and crashes between any two steps. One thread at a time.
//
//   submit … submit → decide() → take() ──commit──▶ committed() → replies and effects leave
//                        ▲                   │
//                        └── decides on while a turn is being committed
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/outbox.h"
#include "engine/plan_cache.h"
#include "engine/prefetch.h"
#include "machine/machine.h"
#include "store/store.h"

namespace tidemill::engine {

struct TurnLoopOptions {
  uint16_t partition = 0;
  uint64_t seed = 0;      // of the machine's jitter
  uint64_t first_id = 1;  // of a store that is new
  Duration lease{};       // 0: limits::kLease
  uint64_t window = 0;    // ready tasks kept in memory, of each queue and kind; 0: limits::kWindow
};

// Changes of one or more decided turns, to be committed as one transaction.
struct CommitBatch {
  store::CommitInfo info;  // of the last turn in it
  std::vector<Change> changes;
};

class TurnLoop {
 public:
  // Reads the store, makes the new incarnation durable, rebuilds the machine. Errors: the store's.
  static Result<std::unique_ptr<TurnLoop>> recover(const TurnLoopOptions& options,
                                                   store::Store& store, Now now);

  // Queues a command for the next turn; its reply comes through the outbox.
  void submit(machine::CommandBody body, OnReply on_reply);
  bool has_commands() const { return !commands_.empty(); }

  // Decides everything queued (and what is due) as one turn. Replies that need no newer turn than
  // the durable one leave at once. Errors: a read that failed; the loop is then of no more use.
  Status decide(Now now);

  // When decide() wants to be called though nothing was submitted.
  machine::NextDue next_due() const { return machine_->next_due(); }

  bool has_changes() const { return !pending_.changes.empty(); }
  size_t pending_changes() const { return pending_.changes.size(); }
  // The decided turns that nobody commits yet, as one batch.
  CommitBatch take();
  // What take() gave is durable up to `turn`: what read under it needs the overlay no more. The
  // outbox is told by the committer itself (outbox().durable), which may be on another thread.
  void committed(Turn turn) { prefetch_->forget(turn); }

  // Parts of backlogs that the machine wants and that are durable as it knows them: to be read
  // (read_page) and submitted, on whatever thread and whenever; the machine waits for them.
  std::vector<machine::PageWanted> take_pages();
  bool wants_pages() const { return !pages_.empty(); }

  // Answers with `error` whoever still waits for a reply (parked exchanges above all). At the end
  // only.
  void abandon(const Error& error);

  Outbox& outbox() { return *outbox_; }
  machine::Machine& machine() { return *machine_; }
  PlanCache& plans() { return plans_; }
  Turn decided_turn() const { return turn_; }

 private:
  explicit TurnLoop(std::unique_ptr<store::Reader> reader);
  void route(machine::TurnOutput& output, Turn turn, Turn last);

  PlanCache plans_;
  std::unique_ptr<Prefetch> prefetch_;
  std::unique_ptr<machine::Machine> machine_;
  std::unique_ptr<Outbox> outbox_;
  std::vector<machine::Command> commands_;
  std::map<machine::Tag, OnReply> waiting_;
  std::deque<std::pair<Turn, machine::PageWanted>> pages_;
  machine::TurnOutput output_;
  size_t changes_of_last_turn_ = 0;
  CommitBatch pending_;
  Turn turn_;
  uint64_t next_tag_ = 1;
};

// Reads what the machine wants of a backlog. Errors: the store's.
Result<machine::PageIn> read_page(store::Reader& reader, const machine::PageWanted& wanted);

}  // namespace tidemill::engine
