#include "main/worker_run.h"

#include <utility>

#include "client/http_exchange.h"
#include "main/flag.h"
#include "worker/worker.h"

namespace tidemill::main {

namespace {

class WorkerParts : public client::WorkerProcess {
 public:
  WorkerParts(const client::WorkerOptions& options, net::HttpClientOptions server)
      : worker_({.name = "worker",
                 .slots = options.slots,
                 .places = options.places == 0 ? limits::kPlaces : options.places,
                 .connections = options.connections,
                 .base_folder = options.base_folder,
                 .python = options.python}),
        exchange_(std::make_unique<client::HttpExchange>(std::move(server), worker_.loop())) {
    worker_.start(*exchange_);
  }
  ~WorkerParts() override { stop_now(); }

  void drain() override {
    worker_.drain([this] { drained_.set(); });
  }
  bool drained(Duration at_most) override { return drained_.wait(at_most); }
  void stop_now() override { worker_.stop(); }

 private:
  Flag drained_;
  worker::Worker worker_;
  std::unique_ptr<client::HttpExchange> exchange_;
};

}  // namespace

Result<std::unique_ptr<client::WorkerProcess>> open_worker(const client::WorkerOptions& options) {
  net::HttpClientOptions server;
  TIDEMILL_TRY(server.server, net::parse_server_address(options.server));
  server.token = options.token;
  return std::unique_ptr<client::WorkerProcess>(
      std::make_unique<WorkerParts>(options, std::move(server)));
}

}  // namespace tidemill::main
