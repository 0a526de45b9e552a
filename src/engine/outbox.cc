#include "engine/outbox.h"

#include <utility>

namespace tidemill::engine {

void Outbox::on_effect(OnEffect on_effect) { on_effect_ = std::move(on_effect); }

void Outbox::put(Turn needs, OnReply on_reply, machine::ReplyBody body) {
  if (!on_reply) return;
  put_item(needs, {std::move(on_reply), std::move(body), std::nullopt});
}

void Outbox::put(Turn needs, const machine::Effect& effect) {
  put_item(needs, {nullptr, std::nullopt, effect});
}

void Outbox::put_item(Turn needs, Item item) {
  {
    os::Lock lock(mutex_);
    if (needs > durable_ && !failed_) {
      items_[needs].push_back(std::move(item));
      return;
    }
    if (needs > durable_) item.body.reset();  // It failed: only the error leaves.
  }
  leave(std::move(item));
}

void Outbox::durable(Turn turn) {
  std::vector<Item> ready;
  {
    os::Lock lock(mutex_);
    TIDEMILL_ASSERT(!failed_);
    TIDEMILL_ASSERT(turn >= durable_);
    durable_ = turn;
    while (!items_.empty() && items_.begin()->first <= turn) {
      for (Item& item : items_.begin()->second) ready.push_back(std::move(item));
      items_.erase(items_.begin());
    }
  }
  for (Item& item : ready) leave(std::move(item));
}

void Outbox::fail(const Error& error) {
  std::map<Turn, std::vector<Item>> lost;
  {
    os::Lock lock(mutex_);
    if (failed_) return;
    failed_ = error;
    lost.swap(items_);
  }
  for (auto& [turn, items] : lost) {
    for (Item& item : items) {
      item.body.reset();
      leave(std::move(item));
    }
  }
}

Turn Outbox::durable_turn() {
  os::Lock lock(mutex_);
  return durable_;
}

bool Outbox::waits_beyond(Turn turn) {
  os::Lock lock(mutex_);
  return !items_.empty() && items_.rbegin()->first > turn;
}

void Outbox::leave(Item item) {
  if (item.on_reply && item.body) {
    item.on_reply(std::move(*item.body));
  } else if (item.on_reply) {
    std::optional<Error> error;
    {
      os::Lock lock(mutex_);
      error = failed_;
    }
    TIDEMILL_ASSERT(error.has_value());
    item.on_reply(std::move(*error));
  } else if (on_effect_ && item.effect) {
    const bool lost = [&] {
      os::Lock lock(mutex_);
      return failed_.has_value();
    }();
    if (!lost) on_effect_(*item.effect);
  }
}

}  // namespace tidemill::engine
