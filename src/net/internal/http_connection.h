#pragma once
// HttpConnection: one client of the server. It reads a request, hands it over, waits for the answer
// (noticing when the client goes away meanwhile), writes it, and reads the next.
//
//   (handshake ──▶) read ──▶ handler … ──▶ write ──▶ read …     an error, the limit of time, or
//                     ▲                                 │       "Connection: close": closed
//                     └─────────────────────────────────┘
//
// Owned by the server until it closes; the server's thread only.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_server.h"
#include "net/internal/stream.h"
#include "os/sync.h"

namespace tidemill::net {

// The way into the server's thread for answers, which may outlive the server.
class Gate {
 public:
  explicit Gate(asio::io_context& context) : context_(&context) {}
  void post(std::function<void()> f) {
    os::Lock lock(mutex_);
    if (context_ != nullptr) asio::post(*context_, std::move(f));
  }
  void shut() {
    os::Lock lock(mutex_);
    context_ = nullptr;
  }

 private:
  os::Mutex mutex_;
  asio::io_context* context_ GUARDED_BY(mutex_);
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  // What it needs of the server, which outlives it.
  struct Host {
    virtual ~Host() = default;
    virtual void handle(HttpRequest request, Respond respond) = 0;
    virtual void gone(uint64_t connection) = 0;    // the peer sends nothing more; once
    virtual void closed(uint64_t connection) = 0;  // and after gone(); once
    virtual bool accepts_requests() const = 0;
    virtual std::shared_ptr<Gate> gate() = 0;
  };

  HttpConnection(tcp::socket socket, uint64_t id, const HttpServerOptions& options, Host& host);

  void start();
  void close();
  // Closes when nothing is being answered.
  void close_if_idle();

 private:
  using Parser = http::request_parser<http::string_body>;

  void shaken(error_code error);
  void read();
  void take_head(error_code error);
  void read_body();
  void take(error_code error);
  void refuse(error_code error);
  void hand_over();
  void watch_for_the_end();
  void watch_encrypted();
  void tell_gone();
  void respond(uint64_t request, const Respond::Make& make);
  void write(HttpResponse response);
  void written(error_code error);

  const uint64_t id_;
  const HttpServerOptions& options_;
  Host& host_;
  Stream stream_;
  std::string certificate_;  // the common name in it
  beast::flat_buffer in_;
  std::optional<Parser> parser_;
  std::string out_;
  uint64_t request_ = 0;    // number of the one being answered
  bool answering_ = false;  // between the request and the end of its answer
  bool writing_ = false;
  bool watching_ = false;    // a read of the encrypted stream is under way while it is answered
  bool read_waits_ = false;  // for the end of that
  bool keep_alive_ = true;
  bool told_gone_ = false;
  bool closed_ = false;
};

}  // namespace tidemill::net
