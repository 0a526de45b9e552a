#pragma once
// Outbox: replies and effects that wait for their turn to be durable. The engine thread puts them
// in, the committer says how far is durable; whoever makes one leave calls it, so a reply reaches
// its worker without another hop. After `fail` nothing that needs a later turn leaves, ever: it is
// answered with the error. Any thread.
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "machine/effect.h"
#include "machine/reply.h"
#include "os/sync.h"

namespace tidemill::engine {

// Called once, on the engine thread or the committer thread; must not block.
using OnReply = std::function<void(Result<machine::ReplyBody>)>;
using OnEffect = std::function<void(const machine::Effect&)>;

class Outbox {
 public:
  explicit Outbox(Turn durable) : durable_(durable) {}

  void on_effect(OnEffect on_effect);  // before the first turn
  void put(Turn needs, OnReply on_reply, machine::ReplyBody body);
  void put(Turn needs, const machine::Effect& effect);
  void durable(Turn turn);
  void fail(const Error& error);
  Turn durable_turn();
  // Whether anything here needs a turn after this one.
  bool waits_beyond(Turn turn);

 private:
  struct Item {
    OnReply on_reply;  // null: it is an effect
    std::optional<machine::ReplyBody> body;
    std::optional<machine::Effect> effect;
  };
  void leave(Item item);
  void put_item(Turn needs, Item item);

  os::Mutex mutex_;
  Turn durable_ GUARDED_BY(mutex_);
  std::optional<Error> failed_ GUARDED_BY(mutex_);
  std::map<Turn, std::vector<Item>> items_ GUARDED_BY(mutex_);
  OnEffect on_effect_;
};

}  // namespace tidemill::engine
