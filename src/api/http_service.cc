#include "api/http_service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/internal/exchange_door.h"
#include "api/internal/guard.h"
#include "api/internal/route.h"

namespace tidemill::api {

namespace {

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> words;
  std::string allowed;  // other methods of this path
};

// "/v1/tasks/*/cancel" and "/v1/tasks/17/cancel" → {"17"}.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& words) {
  words.clear();
  for (;;) {
    const std::string_view want = pattern.substr(0, pattern.find('/'));
    const std::string_view have = path.substr(0, path.find('/'));
    if (want == "*" && !have.empty()) {
      words.push_back(net::percent_decoded(have));
    } else if (want != have) {
      return false;
    }
    const bool last = want.size() == pattern.size();
    if (last != (have.size() == path.size())) return false;
    if (last) return true;
    pattern.remove_prefix(want.size() + 1);
    path.remove_prefix(have.size() + 1);
  }
}

Match match(const net::HttpRequest& request) {
  const std::array all = {task_routes(),  array_routes(), exchange_routes(), execution_routes(),
                          queue_routes(), token_routes(), system_routes()};
  Match out;
  for (const std::span<const Route> routes : all) {
    for (const Route& route : routes) {
      std::vector<std::string> words;
      if (!fits(route.pattern, request.path(), words)) continue;
      if (route.method == request.method) {
        out.route = &route;
        out.words = std::move(words);
        return out;
      }
      out.allowed.append(out.allowed.empty() ? "" : ", ").append(route.method);
    }
  }
  return out;
}

net::HttpResponse no_route(const net::HttpRequest& request, const Match& match) {
  const std::string path(request.path());
  net::HttpResponse response = error_response(
      match.allowed.empty()
          ? Error{ErrorCode::not_found, "there is nothing at " + path + "; see docs/protocol.md"}
          : Error{ErrorCode::invalid,
                  path + " takes " + match.allowed + ", not " + request.method});
  if (!match.allowed.empty()) {
    response.status = 405;
    response.headers.push_back({"Allow", match.allowed});
  }
  return response;
}

}  // namespace

HttpService::HttpService(HttpServices services)
    : services_(std::move(services)), exchanges_(std::make_unique<ExchangeDoor>()) {
  services_.check.refused = &refused_;
}

HttpService::~HttpService() = default;

void HttpService::handle(net::HttpRequest request, net::Respond respond) {
  Match found = match(request);
  Admission admission = admit(services_.check, request, found.route);
  std::shared_ptr<AuditNote> note;
  if (admission.known && found.route != nullptr && is_audited(*found.route)) {
    note = note_of(services_, request, admission.token.get());
  }
  if (note) {
    respond = noted(std::move(respond), note);
    affects_path(*note, *found.route, found.words);
  }
  if (admission.refusal) return respond.send(std::move(*admission.refusal));
  if (found.route == nullptr) return respond.send(no_route(request, found));
  Call call{std::move(request), std::move(respond),         std::move(found.words),
            *exchanges_,        std::move(admission.token), std::move(note)};
  if (const Status status = found.route->handle(services_, call); !status.ok()) {
    call.respond.send(error_response(status.error()));
  }
}

void HttpService::connection_closed(uint64_t connection) {
  exchanges_->connection_closed(services_, connection);
}

}  // namespace tidemill::api
