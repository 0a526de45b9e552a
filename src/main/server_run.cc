#include "main/server_run.h"

#include <atomic>
#include <utility>

#include "api/control_service.h"
#include "api/http_service.h"
#include "api/token_lines.h"
#include "blob/disk/disk_blob_store.h"
#include "engine/engine.h"
#include "engine/outcome_board.h"
#include "engine/queries.h"
#include "engine/token_book.h"
#include "main/server_audit.h"
#include "main/store_tokens.h"
#include "net/http_server.h"
#include "net/line_socket.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/sqlite/sqlite_store.h"
#include "wire/token_line.h"

namespace tidemill::main {

namespace {

// The parts in the order in which they need each other: each is gone before what it borrows.
class ServerParts : public client::Server {
 public:
  Status open(const client::ServerOptions& options) {
    const std::string file = os::resolve_links(options.store);
    const bool local = is_loopback(options.address);
    // A store that is not there is not made for a server that may not listen.
    if (!local && !options.insecure && !os::exists(file)) {
      TIDEMILL_CHECK(check_open_to_others(options, tokens_));
    }
    TIDEMILL_TRY(store_, store::open_sqlite(file, {.mode = store::SqliteOptions::Mode::create}));
    TIDEMILL_CHECK(open_tokens());
    if (!local && !options.insecure) TIDEMILL_CHECK(check_open_to_others(options, tokens_));
    net::HttpServerOptions listen{.address = options.address, .port = options.port};
    const net::ServerTlsFiles& files = options.tls;
    if (!(files.certificate + files.key + files.client_ca).empty()) {
      TIDEMILL_TRY(listen.tls, net::Tls::for_server(files));
    }
    TIDEMILL_TRY(audit_, open_audit(options.audit, file, options.talk));
    TIDEMILL_TRY(blobs_, blob::open_disk(file + ".blobs"));
    TIDEMILL_TRY(engine_, engine::Engine::open({.seed = os::entropy64()}, *store_, watchers()));
    TIDEMILL_TRY(queries_, engine::Queries::open(*store_, *blobs_));
    control_ = std::make_unique<api::ControlService>(*engine_);
    token_lines_ = std::make_unique<api::TokenLines>(*engine_, os::wall_now, new_secret);
    TIDEMILL_TRY(socket_, net::LineServer::listen(file + ".sock", [this](const std::string& line) {
                   return answer_line(line);
                 }));
    service_ = std::make_unique<api::HttpService>(
        api::HttpServices{.engine = *engine_,
                          .queries = *queries_,
                          .board = board_,
                          .wall_now = os::wall_now,
                          .ready = [this] { return !stopping_ && !engine_->failure(); },
                          .check = {.tokens = tokens_,
                                    .required = !local && !options.insecure,
                                    .wall_now = os::wall_now},
                          .new_secret = new_secret,
                          .audit = audit_line(audit_),
                          .audit_counts = audit_counts(audit_)});
    TIDEMILL_TRY(http_, net::HttpServer::listen(listen, *service_));
    const bool v6 = options.address.find(':') != std::string::npos;
    url_ = (listen.tls ? "https://" : "http://") +
           (v6 ? "[" + options.address + "]" : options.address) + ":" +
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
                [this](const engine::CommitBatch& batch) {
                  tokens_.committed(batch.changes);
                  board_.committed(batch.changes);
                },
            .on_failed = nullptr};
  }

  Status open_tokens() {
    TIDEMILL_TRY(auto reader, store_->reader());
    TIDEMILL_TRY(std::vector<TokenRecord> tokens, reader->tokens());
    tokens_.load(std::move(tokens));
    return Ok{};
  }

  // Who can ask here owns the store, and needs no token; it goes on record all the same.
  std::string answer_line(const std::string& line) {
    const bool token = wire::is_token_line(line);
    const std::string answer = token ? token_lines_->handle(line) : control_->handle(line);
    if (audit_) audit_->line(audit_of_line(line, answer, os::wall_now()));
    return answer;
  }

  std::unique_ptr<store::Store> store_;
  std::shared_ptr<os::LineLog> audit_;  // null: none is kept
  std::unique_ptr<blob::BlobStore> blobs_;
  engine::TokenBook tokens_;
  engine::OutcomeBoard board_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Queries> queries_;
  std::unique_ptr<api::ControlService> control_;
  std::unique_ptr<api::TokenLines> token_lines_;
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
