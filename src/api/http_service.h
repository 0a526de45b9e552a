#pragma once
// HttpService: every request of docs/protocol.md. It finds the route, turns the request into a
// command of the machine or a query of committed turns, and the answer into JSON; it has no rules
// of the domain. Borrowing all it is given; its methods are called on the HTTP server's thread.
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/time.h"
#include "engine/engine.h"
#include "engine/outcome_board.h"
#include "engine/queries.h"
#include "model/lease.h"
#include "net/http_server.h"

namespace tidemill::api {

class ExchangeOrder;

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
  void exchange(const net::HttpRequest& request, net::Respond respond);
  void note_session(uint64_t connection, SessionId session);

  HttpServices services_;
  std::unique_ptr<ExchangeOrder> order_;
  // A session is closed when the last of its connections is.
  std::unordered_map<uint64_t, SessionId> sessions_;
  std::unordered_map<SessionId, uint32_t> connections_of_;
};

}  // namespace tidemill::api
