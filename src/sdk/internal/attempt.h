#pragma once
// Attempt: what a slot is at work on, as its handler's Context and Range see it. One for each slot,
// used again and again. The slot's thread begins it; any thread cancels it.
#include <atomic>

#include "client/work_queue.h"
#include "os/sync.h"
#include "tidemill/handler.h"

namespace tidemill::sdk {

struct Attempt {
  client::WorkItem item;
  Json input;  // of the task; of an array what all indexes share
  std::atomic<bool> cancelled{false};
  os::Mutex mutex;
  os::Condition changed;

  void begin(client::WorkItem begun);
  void cancel();
  const Assignment& assignment() const { return *item.assignment; }
  // What a handler of single indexes gets: the item, or else what all share.
  Json own_input() const;
};

}  // namespace tidemill::sdk
