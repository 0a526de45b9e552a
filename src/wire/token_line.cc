#include "wire/token_line.h"

#include "wire/control_line.h"

namespace tidemill::wire {

namespace {

constexpr std::string_view kAdd = "token-add ";
constexpr std::string_view kRevoke = "token-revoke ";
constexpr std::string_view kOk = "ok ";

}  // namespace

bool is_token_line(std::string_view line) { return line.starts_with("token-"); }

std::string token_line(const TokenLine& line) {
  std::string out(line.verb == TokenLine::Verb::add ? kAdd : kRevoke);
  return out.append(line.rest);
}

Result<TokenLine> parse_token_line(std::string_view line) {
  if (line.starts_with(kAdd)) return TokenLine{TokenLine::Verb::add, line.substr(kAdd.size())};
  if (line.starts_with(kRevoke)) {
    return TokenLine{TokenLine::Verb::revoke, line.substr(kRevoke.size())};
  }
  return Error{ErrorCode::invalid, "expected token-add JSON or token-revoke NAME"};
}

std::string token_answer(const Result<std::string>& json) {
  if (!json.ok()) return format(Result<ControlAnswer>(json.error()));
  return std::string(kOk).append(*json);
}

Result<std::string> parse_token_answer(std::string_view line) {
  if (line.starts_with(kOk)) return std::string(line.substr(kOk.size()));
  TIDEMILL_CHECK(parse_control_answer(line));
  return Error{ErrorCode::invalid, "'" + std::string(line) + "' is no answer"};
}

}  // namespace tidemill::wire
