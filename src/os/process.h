#pragma once
// Process: a child in a process group of its own, whose end is told through the event loop (pidfd,
// no SIGCHLD). Everything not named in the options is closed in the child. Owned by a tool runner;
// the loop's thread only.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/event_loop.h"
#include "os/fd.h"

namespace tidemill::os {

struct ProcessOptions {
  std::vector<std::string> argv = {};  // the first is looked up in PATH
  std::vector<std::pair<std::string, std::string>> env = {};  // added to ours, or replacing
  std::string cwd = {};  // empty: ours
  // Descriptors the child gets as 0, 1, 2 and 3; below zero: /dev/null, and nothing as 3.
  int in = -1;
  int out = -1;
  int err = -1;
  int channel = -1;
};

struct ProcessExit {
  int code = 0;    // of exit(); 0 when a signal ended it
  int signal = 0;  // that ended it; 0: it exited
  Duration cpu;    // of it and of the children it waited for
  uint64_t peak_bytes = 0;  // largest resident set
};

class Process {
 public:
  using OnExit = std::function<void(const ProcessExit&)>;

  // Errors: not_found (no such program or folder), denied, io. `on_exit` is called once, from the
  // loop, never from within start(); not at all when the Process is destroyed before.
  static Result<std::unique_ptr<Process>> start(EventLoop& loop, const ProcessOptions& options,
                                                OnExit on_exit);
  // Kills what still runs of the group.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // SIGTERM to the whole group now, SIGKILL to what is left of it after `grace` or when the child
  // itself has ended, whichever is first.
  void terminate(Duration grace);
  void kill();  // SIGKILL to the whole group

 private:
  Process(EventLoop& loop, pid_t pid, Fd pidfd, OnExit on_exit);
  void watch_exit();
  void reap();

  EventLoop& loop_;
  pid_t pid_;  // 0 once reaped
  Fd pidfd_;
  OnExit on_exit_;
  EventLoop::TimerId kill_timer_ = 0;
  bool terminating_ = false;
};

}  // namespace tidemill::os
