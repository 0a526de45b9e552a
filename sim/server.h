#pragma once
// Server: the real turn loop on a store in memory, driven by virtual time. Commits take time and
// can be cut off by a crash, before or after they became durable; a restart recovers from what was
// committed. One owner, one thread.
#include <functional>
#include <memory>

#include "engine/turn_loop.h"
#include "sim/checker.h"
#include "sim/options.h"
#include "sim/world.h"
#include "store/memory/memory_store.h"

namespace tidemill::sim {

class Server {
 public:
  Server(World& world, const Options& options, Checker& checker);

  // Requests that come while the server is down vanish, as do replies that it had not sent.
  using OnReply = std::function<void(machine::ReplyBody)>;
  void request(machine::CommandBody body, OnReply on_reply);

  void crash();    // loses everything that is not committed; starts again after a while
  bool up() const { return loop_ != nullptr; }
  uint64_t life() const { return life_; }  // grows with every crash
  std::unique_ptr<store::Reader> reader();
  Status put_plan(const Sha256& hash, std::string_view text) {
    return store_->put_plan(hash, text);
  }
  // A fingerprint of all that the machine decided, for replays.
  uint64_t replay_hash() const { return replay_; }
  const machine::Machine& machine() { return loop_->machine(); }

 private:
  void start();
  void schedule_decide();
  void decide();
  void take_changes();
  void read_pages();
  void begin_commit();
  void end_commit(uint64_t life);
  void schedule_due();

  World& world_;
  const Options& options_;
  Checker& checker_;
  std::shared_ptr<store::MemoryContents> contents_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::TurnLoop> loop_;
  std::optional<engine::CommitBatch> waiting_;  // decided turns that nobody commits yet
  std::optional<engine::CommitBatch> committing_;
  bool decide_scheduled_ = false;
  uint64_t life_ = 0;
  uint64_t replay_ = 0;
};

}  // namespace tidemill::sim
