#include "api/token_lines.h"

#include <utility>
#include <variant>

#include "api/internal/route.h"
#include "wire/token_json.h"
#include "wire/token_line.h"

namespace tidemill::api {

TokenLines::TokenLines(engine::Engine& engine, std::function<WallTime()> wall_now,
                       std::function<std::string()> new_secret)
    : engine_(engine), wall_now_(std::move(wall_now)), new_secret_(std::move(new_secret)) {}

std::string TokenLines::handle(const std::string& line) {
  const Result<wire::TokenLine> asked = wire::parse_token_line(line);
  if (!asked.ok()) return wire::token_answer(asked.error());
  return wire::token_answer(asked->verb == wire::TokenLine::Verb::add ? add(asked->rest)
                                                                      : revoke(asked->rest));
}

Result<std::string> TokenLines::add(std::string_view json) {
  TIDEMILL_TRY(const wire::NewToken wanted, wire::parse_new_token(json));
  wire::MadeToken made{.record = {}, .secret = new_secret_()};
  made.record = wire::record_of(wanted, made.secret, wall_now_());
  TIDEMILL_CHECK(decide(machine::AddToken{made.record}));
  return wire::to_json(made);
}

Result<std::string> TokenLines::revoke(std::string_view name) {
  TIDEMILL_CHECK(decide(machine::RevokeToken{std::string(name)}));
  return std::string("{}");
}

Status TokenLines::decide(machine::CommandBody command) {
  TIDEMILL_TRY(const machine::ReplyBody reply, engine_.ask(std::move(command)));
  if (const auto* refused = std::get_if<machine::Refused>(&reply)) return error_of(*refused);
  return Ok{};
}

}  // namespace tidemill::api
