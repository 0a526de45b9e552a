#pragma once
// ExchangeDoor: where the exchanges of workers come in. It hands them to the engine in the order of
// their numbers, and tells it of a session whose last connection is closed. A session is
// of the token it was opened with. Owned by the HttpService; the HTTP server's thread only.
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/http_service.h"
#include "api/internal/exchange_order.h"
#include "api/internal/guard.h"

namespace tidemill::api {

class ExchangeDoor {
 public:
  // Errors: denied, when the session is another token's.
  Status take(const HttpServices& services, Call& call, ExchangeRequest request);
  void connection_closed(const HttpServices& services, uint64_t connection);

 private:
  struct Owner {
    std::shared_ptr<const TokenRecord> token;
    std::string certificate;
    std::string peer;
  };

  void open(const HttpServices& services, Call& call, ExchangeRequest request);
  void opened(SessionId session, Owner owner, AuditNote* note);
  void submit_next(const HttpServices& services, ExchangeOrder::Arrived next);
  void note_session(const HttpServices& services, uint64_t connection, SessionId session);
  void close_session(const HttpServices& services, SessionId session);

  ExchangeOrder order_;
  // A session is closed when the last of its connections is.
  std::unordered_map<uint64_t, SessionId> sessions_;
  std::unordered_map<SessionId, uint32_t> connections_of_;
  std::unordered_map<SessionId, Owner> owners_;
};

}  // namespace tidemill::api
