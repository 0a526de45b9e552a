#pragma once
// ExchangeOrder: a worker has up to two exchanges under way, each over a connection of its own, so
// they may arrive in another order than they were sent; the machine takes those of a session by
// their numbers. One that is early waits here for the one before it, which comes, or comes again.
// Owned by the HttpService; the HTTP server's thread only.
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "model/exchange.h"
#include "net/http_server.h"

namespace tidemill::api {

class ExchangeOrder {
 public:
  struct Arrived {
    ExchangeRequest request;
    net::Respond respond;
  };

  // The first exchange of a session is answered: the next is number 2.
  void opened(SessionId session);
  // The server does not know it any more.
  void forget(SessionId session) { sessions_.erase(session); }
  // What may be decided now, in order: nothing, when it came too early. What repeats an earlier
  // number, or belongs to a session of another life of the server, is the machine's to answer.
  std::vector<Arrived> arrive(Arrived arrived);

 private:
  struct Session {
    uint64_t next = 2;
    std::map<uint64_t, Arrived> early;  // by number
  };
  std::unordered_map<SessionId, Session> sessions_;
};

}  // namespace tidemill::api
