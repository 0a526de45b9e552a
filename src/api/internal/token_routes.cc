// Tokens: made, listed, revoked. The secret of a new one stands in its answer and nowhere else.
#include <array>
#include <utility>

#include "api/internal/guard.h"
#include "api/internal/route.h"
#include "wire/token_json.h"

namespace tidemill::api {

namespace {

Status add_token(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const wire::NewToken wanted, wire::parse_new_token(call.request.body));
  wire::MadeToken made{.record = {}, .secret = services.new_secret()};
  made.record = wire::record_of(wanted, made.secret, services.wall_now());
  if (call.note) call.note->affects("token " + made.record.name);
  submit(services, call.respond, machine::AddToken{made.record},
         [made](machine::ReplyBody&) { return wire::to_json(made); });
  return Ok{};
}

Status list_tokens(const HttpServices& services, Call& call) {
  call.respond.send(json_response(wire::to_json(services.check.tokens.all())));
  return Ok{};
}

Status revoke_token(const HttpServices& services, Call& call) {
  submit(services, call.respond, machine::RevokeToken{call.words[0]}, nothing_to_tell);
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"POST", "/v1/tokens", add_token, Access::administer},
    Route{"GET", "/v1/tokens", list_tokens, Access::administer},
    Route{"DELETE", "/v1/tokens/*", revoke_token, Access::administer},
};

}  // namespace

std::span<const Route> token_routes() { return kRoutes; }

}  // namespace tidemill::api
