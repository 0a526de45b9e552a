#include "api/http_service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/internal/exchange_body.h"
#include "api/internal/exchange_order.h"
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
  const std::array all = {task_routes(), exchange_routes(), execution_routes(), queue_routes(),
                          system_routes()};
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
    : services_(std::move(services)), order_(std::make_unique<ExchangeOrder>()) {}

HttpService::~HttpService() = default;

void HttpService::handle(net::HttpRequest request, net::Respond respond) {
  Match found = match(request);
  if (found.route == nullptr) return respond.send(no_route(request, found));
  if (found.route->pattern == kExchangePath) return exchange(request, std::move(respond));
  found.route->handle(services_, {std::move(request), std::move(respond), std::move(found.words)});
}

// Here, because it is here that connections and the order of exchanges are known.
void HttpService::exchange(const net::HttpRequest& request, net::Respond respond) {
  Result<ExchangeRequest> parsed = parse_exchange(request);
  if (!parsed.ok()) return respond.send(error_response(parsed.error()));
  if (parsed->session) note_session(request.connection, parsed->session);
  for (ExchangeOrder::Arrived& next : order_->arrive({std::move(*parsed), std::move(respond)})) {
    submit_exchange(services_, std::move(next.respond), std::move(next.request),
                    [this](const ExchangeReply& reply) {
                      if (reply.session_unknown) {
                        order_->forget(reply.session);
                      } else if (reply.number == 1) {
                        order_->opened(reply.session);
                      }
                    });
  }
}

void HttpService::note_session(uint64_t connection, SessionId session) {
  SessionId& noted = sessions_[connection];
  if (noted == session) return;
  if (noted) connection_closed(connection);  // another worker, or a new life of this one
  sessions_[connection] = session;
  ++connections_of_[session];
}

void HttpService::connection_closed(uint64_t connection) {
  const auto found = sessions_.find(connection);
  if (found == sessions_.end()) return;
  const SessionId session = found->second;
  sessions_.erase(found);
  const auto count = connections_of_.find(session);
  if (count == connections_of_.end() || --count->second > 0) return;
  connections_of_.erase(count);
  services_.engine.submit(machine::CloseSession{session}, nullptr);
}

}  // namespace tidemill::api
