#pragma once
// HttpClient: requests to one server over connections that are kept open, on a thread of its own.
// Any number may be under way; each has a connection for itself. Made and destroyed on one thread;
// send() may be called from any.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"
#include "net/tls.h"

namespace tidemill::net {

// "http://host:port" or "https://host:port" as a client needs it. Errors: invalid.
struct ServerAddress {
  std::string host;
  uint16_t port = 0;
  bool encrypted = false;
};
Result<ServerAddress> parse_server_address(const std::string& url);

struct HttpClientOptions {
  ServerAddress server;
  std::string token;               // sent as a bearer token when it is not empty
  std::shared_ptr<const Tls> tls;  // of an encrypted server
  Duration connect_time = seconds(10);
  uint64_t body_max = 1024ULL * 1024 * 1024;  // bytes of one answer
  uint32_t idle_connections = 64;             // kept open for the next request
};

// What it takes to reach the server at `url`; the files are read when it is encrypted. Errors:
// invalid.
Result<HttpClientOptions> client_options(const std::string& url, const std::string& token,
                                         const ClientTlsFiles& files);

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  // What is under way ends with `unavailable`, on the client's thread, before this returns.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Called once, on the client's thread; must not block. Errors: unavailable (nobody there, or the
  // connection broke: what was asked may have been done), timeout, denied (one side does not trust
  // the other's certificate).
  using OnResponse = std::function<void(Result<HttpResponse>)>;
  void send(HttpRequest request, Duration at_most, OnResponse on_response);
  // send() and wait; not from the client's thread.
  Result<HttpResponse> ask(HttpRequest request, Duration at_most);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::net
