#pragma once
// Mutex, lock and condition, annotated for clang's thread-safety analysis; the only locks of the
// project, and only shells use them.
#include <condition_variable>
#include <mutex>

#include "base/time.h"

#if defined(__clang__)
#define TIDEMILL_TSA(x) __attribute__((x))
#else
#define TIDEMILL_TSA(x)
#endif
#define GUARDED_BY(m) TIDEMILL_TSA(guarded_by(m))
#define REQUIRES(m) TIDEMILL_TSA(requires_capability(m))
#define EXCLUDES(m) TIDEMILL_TSA(locks_excluded(m))

namespace tidemill::os {

class TIDEMILL_TSA(capability("mutex")) Mutex {
 public:
  void lock() TIDEMILL_TSA(acquire_capability()) { m_.lock(); }
  void unlock() TIDEMILL_TSA(release_capability()) { m_.unlock(); }

 private:
  friend class Condition;
  std::mutex m_;
};

class TIDEMILL_TSA(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& m) TIDEMILL_TSA(acquire_capability(m)) : m_(m) { m_.lock(); }
  ~Lock() TIDEMILL_TSA(release_capability()) { m_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& m_;
};

// Waits are told their mutex, which the caller holds.
class Condition {
 public:
  void wait(Mutex& m) REQUIRES(m) {
    std::unique_lock<std::mutex> l(m.m_, std::adopt_lock);
    c_.wait(l);
    l.release();
  }
  // False when the time has passed.
  bool wait_for(Mutex& m, Duration d) REQUIRES(m) {
    std::unique_lock<std::mutex> l(m.m_, std::adopt_lock);
    const bool woken = c_.wait_for(l, std::chrono::nanoseconds(d.ns)) == std::cv_status::no_timeout;
    l.release();
    return woken;
  }
  void notify_one() { c_.notify_one(); }
  void notify_all() { c_.notify_all(); }

 private:
  std::condition_variable c_;
};

}  // namespace tidemill::os
