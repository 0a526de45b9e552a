#include "client/tokens.h"

#include "wire/token_line.h"

namespace tidemill::client {

Result<wire::MadeToken> HttpTokens::add(const wire::NewToken& token) {
  TIDEMILL_TRY(const std::string body, api_->post("/v1/tokens", wire::to_json(token)));
  return wire::parse_made_token(body);
}

Result<std::vector<TokenRecord>> HttpTokens::list() {
  TIDEMILL_TRY(const std::string body, api_->get("/v1/tokens"));
  return wire::parse_tokens(body);
}

Status HttpTokens::revoke(const std::string& name) {
  TIDEMILL_CHECK(api_->remove("/v1/tokens/" + name));
  return Ok{};
}

Result<wire::MadeToken> LineTokens::add(const wire::NewToken& token) {
  const std::string json = wire::to_json(token);
  TIDEMILL_TRY(const std::string line, ask_(wire::token_line({wire::TokenLine::Verb::add, json})));
  TIDEMILL_TRY(const std::string body, wire::parse_token_answer(line));
  return wire::parse_made_token(body);
}

Status LineTokens::revoke(const std::string& name) {
  TIDEMILL_TRY(const std::string line,
               ask_(wire::token_line({wire::TokenLine::Verb::revoke, name})));
  TIDEMILL_CHECK(wire::parse_token_answer(line));
  return Ok{};
}

}  // namespace tidemill::client
