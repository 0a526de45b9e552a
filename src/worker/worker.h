#pragma once
// Worker: runs attempts of one process. It owns its event thread, the tools with their processes
// and connections, the slots and the places; work comes and reports go through a wire::Exchange,
// which main/ binds to the engine in this process or elsewhere. Made and destroyed on one thread.
//
//   Worker worker(options);
//   LocalExchange exchange(engine, …, worker.loop());   // calls back on the worker's thread
//   worker.start(exchange);
//   …
//   worker.drain([&] { … });   // or worker.stop()
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/limits.h"
#include "os/event_loop.h"
#include "wire/exchange.h"

namespace tidemill::worker {

struct WorkerOptions {
  std::string name = "worker";
  uint32_t slots = 0;  // 0: cores
  uint32_t places = limits::kPlaces;
  std::map<std::string, std::string> connections;  // name → DSN, URL, path or JSON map
  std::string
      base_folder;  // where relative paths of playbooks, files and commands begin; empty: ours
  std::string python = "python3";
  std::string ca_file;                     // certificates that http trusts; empty: the system's
  std::vector<std::string> refused_files;  // databases that no playbook may open: the store's own
};

class Worker {
 public:
  explicit Worker(WorkerOptions options);
  ~Worker();  // stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  os::EventLoop& loop();

  // Begins to exchange. Once; `exchange` lives until stop() has returned.
  void start(wire::Exchange& exchange);
  // Wants no more work: what has not begun goes back, what runs is let finish. `on_drained` comes
  // on the worker's thread when all of it is recorded; stop() is still needed. Any thread, after
  // start().
  void drain(std::function<void()> on_drained);
  // Kills what runs and ends the thread; what was not reported is lost to this worker. May be
  // repeated.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::worker
