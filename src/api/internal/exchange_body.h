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
void submit_exchange(const HttpServices& services, net::Respond respond, ExchangeRequest request);

}  // namespace tidemill::api
