#pragma once
// HttpServer: HTTP/1.1 on one port and one thread of its own. It reads requests within limits
// (size, time, number of connections), hands each to the handler, and writes the answers, which may
// come later and from any thread: a request that waits costs a few kilobytes and no thread. Over
// one connection requests are answered in order, one at a time. Made and destroyed by main.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"
#include "net/tls.h"

namespace tidemill::net {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;                      // 0: any free one
  uint64_t body_max = 64 * 1024 * 1024;   // bytes; above: 413
  uint32_t head_max = 16 * 1024;          // bytes of request line and headers; above: 431
  uint32_t connections_max = 10'000;      // above: a connection is closed at once
  Duration head_time = seconds(60);       // to send the head, waiting between requests included
  Duration body_time = seconds(60);       // to send the body, and to take the answer
  Duration handshake_time = seconds(10);  // to agree on the encryption
  std::shared_ptr<const Tls> tls;         // null: not encrypted
};

// Answers one request, once; a second answer is ignored, and one to a connection that is gone goes
// nowhere. Any thread; may be copied, kept and called later, also when the server is gone.
class Respond {
 public:
  using Make = std::function<HttpResponse()>;
  explicit Respond(std::function<void(Make)> on_server_thread)
      : on_server_thread_(std::move(on_server_thread)) {}

  void send(HttpResponse response) const;
  // `make` runs on the server's thread: who answers from a thread that has other things to do lets
  // the text be written there.
  void make(Make make) const { on_server_thread_(std::move(make)); }

 private:
  std::function<void(Make)> on_server_thread_;
};

// Both are called on the server's thread and must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void handle(HttpRequest request, Respond respond) = 0;
  // The peer is gone, or the server stops; nothing more comes over it. Also while it waits for an
  // answer.
  virtual void connection_closed(uint64_t connection) = 0;
};

class HttpServer {
 public:
  // Errors: io, denied, conflict (the port is taken), invalid (no such address).
  static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options,
                                                    HttpHandler& handler);
  // Closes what is open: answers that have not left are lost. The handler is called no more.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // Takes no new connection and answers no new request; those being answered still are. Any thread.
  void stop_listening();

  struct Impl;

 private:
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::net
