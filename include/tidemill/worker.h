#pragma once
// Worker: runs tasks of the kinds it has handlers for.
//
//   Worker worker({.slots = 2});                            // C++20; or set the fields one by one
//   worker.handle("square", [](Context&, const Json& input) -> Output { … });
//   return worker.run() ? 0 : 1;                            // until SIGTERM or Ctrl-C
//
// Nothing has to be tuned: the server hands out ahead what covers the way to it and back. A worker
// comes back by itself when the server was away, keeps what it holds meanwhile, renews its leases
// while handlers run, and tells them (Context::cancelled) when a lease is lost.
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tidemill/error.h"
#include "tidemill/handler.h"
#include "tidemill/server.h"

namespace tidemill::sdk {

struct WorkerOptions {
  Server server;
  unsigned slots = 0;  // handlers at once; 0: cores
  // Told when the server cannot be reached or refuses what the worker says, and once more (with no
  // error) when it is well again. On a thread of the worker; must not block.
  std::function<void(const Error*)> on_trouble;
};

// Made, used and destroyed on one thread, but for what says otherwise.
class Worker {
 public:
  explicit Worker(WorkerOptions options = {});
  ~Worker();  // stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Which function runs tasks, and single indexes of arrays, of this kind. Before start().
  Worker& handle(std::string kind, Handler handler);
  // Which function runs ranges of arrays of this kind. It is called for tasks too, when they have
  // no handler of their own.
  Worker& handle_range(std::string kind, RangeHandler handler);

  // Begins to work. Errors: invalid (no handler, no address of a server).
  Status start();
  // start(), and works until SIGTERM or SIGINT: what runs is let finish, the rest goes back. A
  // second signal stops it. Call it before other threads are started, so that they leave the
  // signals alone.
  Status run();
  // Wants no more work: what has not begun goes back, what runs is let finish, all of it is
  // recorded. False when that took longer. Any thread, after start().
  bool drain(std::chrono::milliseconds at_most);
  // Ends at once: running handlers are told, and waited for, but what they give is not reported.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::sdk
