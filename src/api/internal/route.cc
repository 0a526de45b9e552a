#include "api/internal/route.h"

#include <charconv>
#include <optional>
#include <utility>
#include <variant>

#include "nlohmann/json.hpp"

namespace tidemill::api {

namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return 400;
    case ErrorCode::denied:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::timeout:
      return 504;
    case ErrorCode::disk_full:
      return 507;
    case ErrorCode::corrupt:
    case ErrorCode::io:
      break;
  }
  return 500;
}

ErrorCode code_of(machine::Refused::Why why) {
  switch (why) {
    case machine::Refused::Why::invalid:
      return ErrorCode::invalid;
    case machine::Refused::Why::too_large:
      return ErrorCode::too_large;
    case machine::Refused::Why::not_found:
      return ErrorCode::not_found;
    case machine::Refused::Why::wrong_state:
    case machine::Refused::Why::key_conflict:
      return ErrorCode::conflict;
    case machine::Refused::Why::overloaded:
      break;
  }
  return ErrorCode::unavailable;
}

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [at, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

net::HttpResponse reply_response(Result<machine::ReplyBody>& reply, const WriteReply& write) {
  if (!reply.ok()) return error_response(reply.error());
  if (const auto* refused = std::get_if<machine::Refused>(&*reply)) {
    return error_response(error_of(*refused));
  }
  return json_response(write(*reply));
}

}  // namespace

net::HttpResponse json_response(std::string body) {
  net::HttpResponse response;
  response.body = std::move(body);
  response.body += '\n';
  return response;
}

net::HttpResponse error_response(const Error& error) {
  const nlohmann::ordered_json body = {
      {"error", {{"code", error_code_name(error.code)}, {"message", error.what}}}};
  net::HttpResponse response =
      json_response(body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  response.status = status_of(error.code);
  if (error.code == ErrorCode::unavailable) response.headers.push_back({"Retry-After", "1"});
  return response;
}

Error error_of(const machine::Refused& refused) { return {code_of(refused.why), refused.text}; }

void submit(const HttpServices& services, const net::Respond& respond, machine::CommandBody command,
            WriteReply write) {
  services.engine.submit(
      std::move(command), [respond, write = std::move(write)](Result<machine::ReplyBody> reply) {
        auto kept = std::make_shared<Result<machine::ReplyBody>>(std::move(reply));
        respond.make([kept, write] { return reply_response(*kept, write); });
      });
}

std::string nothing_to_tell(machine::ReplyBody&) { return "{}"; }

Result<uint64_t> id_word(const Call& call, size_t word) {
  const std::optional<uint64_t> id = whole_number(call.words.at(word));
  if (!id || *id == 0) {
    return Error{ErrorCode::invalid, "'" + call.words[word] + "' is no id: expected digits"};
  }
  return *id;
}

Result<uint64_t> number_word(const Call& call, size_t word) {
  const std::optional<uint64_t> number = whole_number(call.words.at(word));
  if (!number) return Error{ErrorCode::invalid, "'" + call.words[word] + "' is no number"};
  return *number;
}

std::string query_value(const net::HttpRequest& request, std::string_view name) {
  std::string_view query = request.query();
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? "" : net::percent_decoded(pair.substr(equals + 1));
  }
  return "";
}

Result<uint64_t> query_number(const net::HttpRequest& request, std::string_view name,
                              uint64_t otherwise) {
  const std::string text = query_value(request, name);
  if (text.empty()) return otherwise;
  const std::optional<uint64_t> value = whole_number(text);
  if (!value) {
    return Error{ErrorCode::invalid, std::string(name) + ": expected a whole number"};
  }
  return *value;
}

}  // namespace tidemill::api
