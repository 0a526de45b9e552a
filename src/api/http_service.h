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
#include "engine/token_book.h"
#include "net/http_server.h"

namespace tidemill::api {

class ExchangeDoor;

// What the log of changes has to tell of itself.
struct AuditCounts {
  uint64_t written = 0;  // lines
  uint64_t lost = 0;
  bool failing = false;
};

// Of requests that were not let in.
struct RefusedCounts {
  uint64_t without_token = 0;  // 401
  uint64_t wrong_kind = 0;     // 403
};

// By what requests are let in.
struct TokenCheck {
  engine::TokenBook& tokens;
  bool required = false;  // also while there is none
  std::function<WallTime()> wall_now;
  RefusedCounts* refused = nullptr;  // the service's own
};

// What the routes work on.
struct HttpServices {
  engine::Engine& engine;
  engine::Queries& queries;
  engine::OutcomeBoard& board;
  std::function<WallTime()> wall_now;
  std::function<bool()> ready;  // takes work: not before recovery, not while it stops
  TokenCheck check;
  std::function<std::string()> new_secret;
  std::function<void(std::string_view)> audit;  // takes a line; empty: none are kept
  std::function<AuditCounts()> audit_counts;
};

class HttpService : public net::HttpHandler {
 public:
  explicit HttpService(HttpServices services);
  ~HttpService() override;

  void handle(net::HttpRequest request, net::Respond respond) override;
  void connection_closed(uint64_t connection) override;

 private:
  RefusedCounts refused_;
  HttpServices services_;
  std::unique_ptr<ExchangeDoor> exchanges_;
};

}  // namespace tidemill::api
