#pragma once
// The exchange behind its route: the request read, the command, the reply written. Called on the
// HTTP server's thread.
#include <string_view>

#include "api/http_service.h"
#include "model/exchange.h"

namespace tidemill::api {

inline constexpr std::string_view kExchangePath = "/v1/exchange";

// Errors: invalid, too_large.
Result<ExchangeRequest> parse_exchange(const net::HttpRequest& request);
// `on_reply` is told on the server's thread, before the reply leaves.
using OnReply = std::function<void(const ExchangeReply&)>;
void submit_exchange(const HttpServices& services, net::Respond respond, ExchangeRequest request,
                     OnReply on_reply);

}  // namespace tidemill::api
