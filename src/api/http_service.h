#pragma once
// HttpService: every request of docs/protocol.md. It finds the route, turns the request into a
// command of the machine or a query of committed turns, and the answer into JSON; it has no rules
// of the domain. Borrowing all it is given; its methods are called on the HTTP server's thread.
#include <functional>
#include <memory>

#include "base/time.h"
#include "engine/engine.h"
#include "engine/outcome_board.h"
#include "engine/queries.h"
#include "net/http_server.h"

namespace tidemill::api {

class ExchangeDoor;

// What the routes work on.
struct HttpServices {
  engine::Engine& engine;
  engine::Queries& queries;
  engine::OutcomeBoard& board;
  std::function<WallTime()> wall_now;
  std::function<bool()> ready;  // takes work: not before recovery, not while it stops
};

class HttpService : public net::HttpHandler {
 public:
  explicit HttpService(HttpServices services);
  ~HttpService() override;

  void handle(net::HttpRequest request, net::Respond respond) override;
  void connection_closed(uint64_t connection) override;

 private:
  HttpServices services_;
  std::unique_ptr<ExchangeDoor> exchanges_;
};

}  // namespace tidemill::api
