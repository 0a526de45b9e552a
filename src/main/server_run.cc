#include "main/server_run.h"

#include <atomic>
#include <utility>

#include "api/control_service.h"
#include "api/http_service.h"
#include "blob/disk/disk_blob_store.h"
#include "engine/engine.h"
#include "engine/outcome_board.h"
#include "engine/queries.h"
#include "net/http_server.h"
#include "net/line_socket.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/sqlite/sqlite_store.h"

namespace tidemill::main {

namespace {

// The parts in the order in which they need each other: each is gone before what it borrows.
class ServerParts : public client::Server {
 public:
  Status open(const client::ServerOptions& options) {
    const std::string file = os::resolve_links(options.store);
    TIDEMILL_TRY(store_, store::open_sqlite(file, {.mode = store::SqliteOptions::Mode::create}));
    TIDEMILL_TRY(blobs_, blob::open_disk(file + ".blobs"));
    TIDEMILL_TRY(engine_, engine::Engine::open({.seed = os::entropy64()}, *store_, watchers()));
    TIDEMILL_TRY(queries_, engine::Queries::open(*store_, *blobs_));
    control_ = std::make_unique<api::ControlService>(*engine_);
    TIDEMILL_TRY(socket_, net::LineServer::listen(file + ".sock", [this](const std::string& line) {
                   return control_->handle(line);
                 }));
    service_ = std::make_unique<api::HttpService>(
        api::HttpServices{.engine = *engine_,
                          .queries = *queries_,
                          .board = board_,
                          .wall_now = os::wall_now,
                          .ready = [this] { return !stopping_ && !engine_->failure(); }});
    TIDEMILL_TRY(http_, net::HttpServer::listen({.address = options.address, .port = options.port},
                                                *service_));
    const bool v6 = options.address.find(':') != std::string::npos;
    url_ = "http://" + (v6 ? "[" + options.address + "]" : options.address) + ":" +
           std::to_string(http_->port());
    return Ok{};
  }

  ~ServerParts() override { stop(); }

  std::string url() const override { return url_; }
  std::optional<Error> failure() override { return engine_->failure(); }

  // The engine ends first: it answers all that wait, and the port is closed after that.
  void stop() override {
    if (stopping_.exchange(true)) return;
    socket_.reset();
    if (http_) http_->stop_listening();
    if (engine_) engine_->stop();
    queries_.reset();
    http_.reset();
  }

 private:
  engine::Watchers watchers() {
    return {.on_effect = nullptr,
            .on_committed =
                [this](const engine::CommitBatch& batch) { board_.committed(batch.changes); },
            .on_failed = nullptr};
  }

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  engine::OutcomeBoard board_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Queries> queries_;
  std::unique_ptr<api::ControlService> control_;
  std::unique_ptr<net::LineServer> socket_;
  std::unique_ptr<api::HttpService> service_;
  std::unique_ptr<net::HttpServer> http_;
  std::atomic<bool> stopping_ = false;
  std::string url_;
};

}  // namespace

Result<std::unique_ptr<client::Server>> open_server(const client::ServerOptions& options) {
  auto server = std::make_unique<ServerParts>();
  TIDEMILL_CHECK(server->open(options));
  return std::unique_ptr<client::Server>(std::move(server));
}

}  // namespace tidemill::main
