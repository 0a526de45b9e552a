#pragma once
// ExchangeDoor: where the exchanges of workers come in. It hands them to the engine in the order of
// their numbers, and tells it of a session whose last connection is closed. Owned by the
// HttpService; the HTTP server's thread only.
#include <cstdint>
#include <unordered_map>

#include "api/http_service.h"
#include "api/internal/exchange_order.h"

namespace tidemill::api {

class ExchangeDoor {
 public:
  void take(const HttpServices& services, uint64_t connection, ExchangeOrder::Arrived arrived);
  void connection_closed(const HttpServices& services, uint64_t connection);

 private:
  void note_session(const HttpServices& services, uint64_t connection, SessionId session);

  ExchangeOrder order_;
  // A session is closed when the last of its connections is.
  std::unordered_map<uint64_t, SessionId> sessions_;
  std::unordered_map<SessionId, uint32_t> connections_of_;
};

}  // namespace tidemill::api
