#include "api/internal/exchange_door.h"

#include <utility>
#include <variant>

#include "api/internal/route.h"
#include "wire/exchange_json.h"

namespace tidemill::api {

namespace {

// By what it is, not by its name: a new token may have the name of one that was revoked.
Sha256 identity_of(const std::shared_ptr<const TokenRecord>& token) {
  return token ? token->hash : Sha256{};
}

}  // namespace

Status ExchangeDoor::take(const HttpServices& services, Call& call, ExchangeRequest request) {
  if (!request.session) {
    open(services, call, std::move(request));
    return Ok{};
  }
  const auto owner = owners_.find(request.session);
  if (owner != owners_.end() && identity_of(owner->second.token) != identity_of(call.token)) {
    return Error{ErrorCode::denied, "session " + std::to_string(request.session.raw) +
                                        " was opened with another token; open a new one"};
  }
  note_session(services, call.request.connection, request.session);
  for (ExchangeOrder::Arrived& next : order_.arrive({std::move(request), call.respond})) {
    submit_next(services, std::move(next));
  }
  return Ok{};
}

// Of exchanges only the first of a session goes on record, and its end.
void ExchangeDoor::open(const HttpServices& services, Call& call, ExchangeRequest request) {
  machine::Exchange command{.request = std::move(request)};
  if (call.token) {
    command.token = call.token->name;
    command.queues = call.token->queues;
  }
  const std::shared_ptr<AuditNote> note = note_of(services, call.request, call.token.get());
  if (note) call.respond = noted(std::move(call.respond), note);
  Owner owner{call.token, call.request.certificate, call.request.peer};
  submit(services, call.respond, std::move(command),
         [this, note, owner = std::move(owner)](machine::ReplyBody& reply) {
           const auto& answer = std::get<ExchangeReply>(reply);
           opened(answer.session, owner, note.get());
           return wire::to_json(answer);
         });
}

void ExchangeDoor::opened(SessionId session, Owner owner, AuditNote* note) {
  order_.opened(session);
  owners_[session] = std::move(owner);
  if (note != nullptr) note->affects("session " + std::to_string(session.raw));
}

void ExchangeDoor::submit_next(const HttpServices& services, ExchangeOrder::Arrived next) {
  submit(services, next.respond, machine::Exchange{.request = std::move(next.request)},
         [this](machine::ReplyBody& reply) {  // on the server's thread, before it leaves
           const auto& answer = std::get<ExchangeReply>(reply);
           if (answer.session_unknown) {
             order_.forget(answer.session);
             owners_.erase(answer.session);
           }
           return wire::to_json(answer);
         });
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
  close_session(services, session);
}

// It may come back in the grace; that it was gone is on record then.
void ExchangeDoor::close_session(const HttpServices& services, SessionId session) {
  services.engine.submit(machine::CloseSession{session}, nullptr);
  const auto owner = owners_.find(session);
  if (owner == owners_.end()) return;
  net::HttpRequest end{.method = "CLOSE", .target = "/v1/exchange"};
  end.peer = owner->second.peer;
  end.certificate = owner->second.certificate;
  const auto note = note_of(services, end, owner->second.token.get());
  if (!note) return;
  note->affects("session " + std::to_string(session.raw));
  note->answered(200);
}

}  // namespace tidemill::api
