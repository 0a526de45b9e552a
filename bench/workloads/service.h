#pragma once
// Server and workers as processes of their own, for workloads that measure the service. Main
// thread.
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "client/server_api.h"

namespace tidemill::bench {

// A process of this binary, killed when its owner goes.
class Process {
 public:
  // `first_line` gets the first line of its output, waited for; null: its output goes nowhere.
  static Result<std::unique_ptr<Process>> start(const std::vector<std::string>& command,
                                                std::string* first_line = nullptr);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Duration cpu() const;
  uint64_t resident_bytes() const;
  // Asks it to end, and waits. Errors: invalid, when it did not end with 0.
  Status end();

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// A server on a store of its own, and any number of workers.
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(const std::string& self, const std::string& store);

  const std::string& url() const { return url_; }
  client::ServerApi& api() { return *api_; }
  const Process& server() const { return *server_; }
  Status start_workers(int count);
  // Workers of the C++ SDK with the kinds of handlers.h.
  Status start_handlers(int count, uint32_t slots);
  void stop_workers() { workers_.clear(); }
  Duration workers_cpu() const;
  // The workers are killed, the server ends well.
  Status stop();

 private:
  std::string self_;
  std::string url_;
  std::unique_ptr<Process> server_;
  std::unique_ptr<client::ServerApi> api_;
  std::vector<std::unique_ptr<Process>> workers_;
};

}  // namespace tidemill::bench
