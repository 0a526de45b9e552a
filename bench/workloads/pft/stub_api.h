#pragma once
// The stub API server of the pft workload: HTTP/1.1 with keep-alive over epoll, one thread, a few
// microseconds a request, so that what is measured is the client. Can answer late, wrongly, or with
// 429. `GET /stats` tells its counts so far and is not counted. Its methods are for the thread that
// made it.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/time.h"
#include "os/thread.h"

namespace tidemill::bench::pft {

struct StubOptions {
  int port = 0;                     // 0: any free one
  Duration latency{};               // of every answer
  double error_rate = 0;            // of answers that are 500, spread evenly
  int64_t requests_per_second = 0;  // above it: 429 with Retry-After; 0: no limit
  std::string log_file;             // one target a line, whole at each answer to /stats; "": none
};

struct StubCounts {
  uint64_t requests = 0;
  uint64_t answered = 0;  // with 200
  uint64_t errors = 0;    // 500
  uint64_t refused = 0;   // 429
  uint64_t not_found = 0;
  uint64_t connections = 0;
  Duration cpu{};
};

class StubApi {
 public:
  explicit StubApi(StubOptions options);
  ~StubApi();
  StubApi(const StubApi&) = delete;
  StubApi& operator=(const StubApi&) = delete;

  bool ok() const { return port_ > 0; }  // false: it cannot listen, or not write its log
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Since the last call of counts(). Approximate while requests are in flight.
  StubCounts counts();

 private:
  class Server;
  std::unique_ptr<Server> server_;
  int port_ = 0;
  StubCounts taken_;
  os::Thread thread_;
};

// What is answered to `GET target`: the status, with the body appended to `body`.
int respond(std::string_view target, std::string& body);

}  // namespace tidemill::bench::pft
