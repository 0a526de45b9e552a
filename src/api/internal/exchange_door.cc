#include "api/internal/exchange_door.h"

#include <utility>
#include <variant>

#include "api/internal/route.h"
#include "wire/exchange_json.h"

namespace tidemill::api {

void ExchangeDoor::take(const HttpServices& services, uint64_t connection,
                        ExchangeOrder::Arrived arrived) {
  if (arrived.request.session) note_session(services, connection, arrived.request.session);
  for (ExchangeOrder::Arrived& next : order_.arrive(std::move(arrived))) {
    submit(services, next.respond, machine::Exchange{.request = std::move(next.request)},
           [this](machine::ReplyBody& reply) {  // on the server's thread, before it leaves
             const auto& answer = std::get<ExchangeReply>(reply);
             if (answer.session_unknown) {
               order_.forget(answer.session);
             } else if (answer.number == 1) {
               order_.opened(answer.session);
             }
             return wire::to_json(answer);
           });
  }
}

void ExchangeDoor::note_session(const HttpServices& services, uint64_t connection,
                                SessionId session) {
  SessionId& noted = sessions_[connection];
  if (noted == session) return;
  if (noted) connection_closed(services, connection);  // another worker, or a new life of this one
  sessions_[connection] = session;
  ++connections_of_[session];
}

void ExchangeDoor::connection_closed(const HttpServices& services, uint64_t connection) {
  const auto found = sessions_.find(connection);
  if (found == sessions_.end()) return;
  const SessionId session = found->second;
  sessions_.erase(found);
  const auto count = connections_of_.find(session);
  if (count == connections_of_.end() || --count->second > 0) return;
  connections_of_.erase(count);
  services.engine.submit(machine::CloseSession{session}, nullptr);
}

}  // namespace tidemill::api
