#include "main/worker_run.h"

#include <utility>

#include "client/http_exchange.h"
#include "main/flag.h"
#include "os/sync.h"
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
        exchange_(std::make_unique<client::HttpExchange>(std::move(server), worker_.loop(),
                                                         [this](const Error& e) { refuse(e); })) {
    worker_.start(*exchange_);
  }
  ~WorkerParts() override { stop_now(); }

  void drain() override {
    worker_.drain([this] { drained_.set(); });
  }
  bool drained(Duration at_most) override { return drained_.wait(at_most); }
  std::optional<Error> refused() override {
    const os::Lock lock(mutex_);
    return refused_;
  }
  void stop_now() override { worker_.stop(); }

 private:
  void refuse(const Error& error) {
    const os::Lock lock(mutex_);
    refused_ = error;
  }

  os::Mutex mutex_;
  std::optional<Error> refused_ GUARDED_BY(mutex_);
  Flag drained_;
  worker::Worker worker_;
  std::unique_ptr<client::HttpExchange> exchange_;
};

}  // namespace

Result<std::unique_ptr<client::WorkerProcess>> open_worker(const client::WorkerOptions& options) {
  TIDEMILL_TRY(net::HttpClientOptions server,
               net::client_options(options.server, options.token, options.tls));
  return std::unique_ptr<client::WorkerProcess>(
      std::make_unique<WorkerParts>(options, std::move(server)));
}

}  // namespace tidemill::main
