#pragma once
// HttpExchange: wire::Exchange over HTTP. Exchanges wait at the server for work, so two may be
// under way; each has a connection. JSON is read and written on the client's own thread; callbacks
// are posted to the worker's event loop, which must outlive this. Made and destroyed by main.
#include <functional>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "os/event_loop.h"
#include "wire/exchange.h"

namespace tidemill::client {

class HttpExchange : public wire::Exchange {
 public:
  // `on_denied` is told, on the worker's thread, when the server does not let the worker in.
  HttpExchange(net::HttpClientOptions server, os::EventLoop& loop,
               std::function<void(const Error&)> on_denied)
      : on_denied_(std::move(on_denied)), loop_(loop), client_(std::move(server)) {}

  void exchange(ExchangeRequest request, OnReply on_reply) override;
  void fetch_result(const ResultRef& ref, OnBytes on_bytes) override;
  void fetch_plan(const Sha256& hash, OnBytes on_text) override;
  void fetch_execution(ExecutionId id, OnExecution on_execution) override;
  void put_plan(const Sha256& hash, std::string text, OnDone on_done) override;
  void put_blob(SharedBytes bytes, OnRef on_ref) override;

 private:
  // Asks; what `read` makes of a good answer, or the error, goes to the worker's thread.
  template <class T>
  void ask(std::string method, std::string target, std::string body,
           std::function<Result<T>(net::HttpResponse&)> read, std::function<void(Result<T>)> tell);

  const std::function<void(const Error&)> on_denied_;
  os::EventLoop& loop_;
  net::HttpClient client_;
};

}  // namespace tidemill::client
