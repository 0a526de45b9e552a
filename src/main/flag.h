#pragma once
// Flag: something that happens once and is waited for. Owned by whoever waits, who is gone after
// whoever sets it; any thread sets it, any other waits.
#include "base/time.h"
#include "os/clock.h"
#include "os/sync.h"

namespace tidemill::main {

class Flag {
 public:
  void set() {
    os::Lock lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait(Duration at_most) {
    const SteadyTime until = os::steady_now() + at_most;
    os::Lock lock(mutex_);
    while (!set_) {
      const Duration left = until - os::steady_now();
      if (left.ns <= 0) return false;
      changed_.wait_for(mutex_, left);
    }
    return true;
  }

 private:
  os::Mutex mutex_;
  os::Condition changed_;
  bool set_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemill::main
