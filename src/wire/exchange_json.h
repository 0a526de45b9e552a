#pragma once
// The exchange as JSON (docs/protocol.md): what a worker sends and what it gets. Fields that have
// their usual value are left out. Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/exchange.h"

namespace tidemill::wire {

std::string to_json(const ExchangeRequest& request);
// Errors: invalid, naming the path of what is wrong.
Result<ExchangeRequest> parse_exchange_request(std::string_view json);

std::string to_json(const ExchangeReply& reply);
Result<ExchangeReply> parse_exchange_reply(std::string_view json);

}  // namespace tidemill::wire
