#include "net/http_server.h"

#include <unordered_map>
#include <utility>

#include "net/internal/http_connection.h"
#include "os/thread.h"

namespace tidemill::net {

namespace {

Error listen_error(const HttpServerOptions& options, const error_code& error) {
  const std::string place = options.address + ":" + std::to_string(options.port);
  if (error == asio::error::address_in_use) {
    return {ErrorCode::conflict,
            "another process listens on " + place + "; stop it, or choose another port"};
  }
  const bool denied = error == asio::error::access_denied;
  return {denied ? ErrorCode::denied : ErrorCode::io,
          "listen on " + place + ": " + error.message()};
}

}  // namespace

void Respond::send(HttpResponse response) const {
  make([kept = std::make_shared<HttpResponse>(std::move(response))] { return std::move(*kept); });
}

struct HttpServer::Impl : HttpConnection::Host {
  Impl(const HttpServerOptions& o, HttpHandler& h) : options(o), handler(h), acceptor(context) {}

  Status open();
  void run();
  void accept();
  void stop();

  void handle(HttpRequest request, Respond respond) override {
    handler.handle(std::move(request), std::move(respond));
  }
  void gone(uint64_t connection) override { handler.connection_closed(connection); }
  void closed(uint64_t connection) override { connections.erase(connection); }
  bool accepts_requests() const override { return acceptor.is_open(); }
  std::shared_ptr<Gate> gate() override { return way_in; }

  const HttpServerOptions options;
  HttpHandler& handler;
  asio::io_context context{1};
  std::shared_ptr<Gate> way_in = std::make_shared<Gate>(context);
  tcp::acceptor acceptor;
  uint16_t port = 0;
  uint64_t last_connection = 0;
  std::unordered_map<uint64_t, std::shared_ptr<HttpConnection>> connections;
  os::Thread thread;
};

Status HttpServer::Impl::open() {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return Error{ErrorCode::invalid, "'" + options.address + "' is no IP address to listen on"};
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(options, error);
  port = acceptor.local_endpoint().port();
  return Ok{};
}

void HttpServer::Impl::run() {
  accept();
  context.run();
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    // Out of descriptors: a moment later some may be free.
    if (!error && connections.size() < options.connections_max) {
      const uint64_t id = ++last_connection;
      const auto connection =
          std::make_shared<HttpConnection>(std::move(socket), id, options, *this);
      connections.emplace(id, connection);
      connection->start();
    }
    accept();
  });
}

void HttpServer::Impl::stop() {
  error_code ignored;
  acceptor.close(ignored);
  const auto all = connections;
  for (const auto& [id, connection] : all) connection->close();
  context.stop();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  asio::post(impl_->context, [this] { impl_->stop(); });
  impl_->thread.join();
  impl_->way_in->shut();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options,
                                                       HttpHandler& handler) {
  auto impl = std::make_unique<Impl>(options, handler);
  TIDEMILL_CHECK(impl->open());
  Impl* me = impl.get();
  impl->thread = os::Thread("tm-net", [me] { me->run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const { return impl_->port; }

void HttpServer::stop_listening() {
  asio::post(impl_->context, [me = impl_.get()] {
    error_code ignored;
    me->acceptor.close(ignored);
    const auto all = me->connections;
    for (const auto& [id, connection] : all) connection->close_if_idle();
  });
}

}  // namespace tidemill::net
