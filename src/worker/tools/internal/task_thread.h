#pragma once
// TaskThread: runs functions in order on a thread of its own, for the few calls of a library that
// block and have no other form. Started by the first function. Owned by a tool; run() is for one
// thread.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "os/sync.h"
#include "os/thread.h"

namespace tidemill::worker {

class TaskThread {
 public:
  explicit TaskThread(std::string name) : name_(std::move(name)) {}
  ~TaskThread() { close(); }
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // Lets the running function end; those that wait are dropped.
  void close() {
    {
      os::Lock lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void run(std::function<void()> f) {
    {
      os::Lock lock(mutex_);
      tasks_.push_back(std::move(f));
    }
    if (!std::exchange(started_, true)) {
      thread_ = os::Thread(name_, [this] { run_all(); });
    }
    changed_.notify_one();
  }

 private:
  void run_all() {
    for (;;) {
      std::vector<std::function<void()>> now;
      {
        os::Lock lock(mutex_);
        while (tasks_.empty() && !closed_) changed_.wait(mutex_);
        if (closed_) return;
        now.swap(tasks_);
      }
      for (auto& f : now) f();
    }
  }

  const std::string name_;
  bool started_ = false;
  os::Mutex mutex_;
  os::Condition changed_;
  std::vector<std::function<void()>> tasks_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::worker
