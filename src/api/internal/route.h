#pragma once
// Routes: which function answers which request. One file per group of them. Called on the HTTP
// server's thread; none may block.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_service.h"
#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::api {

struct Call {
  net::HttpRequest request;
  net::Respond respond;
  std::vector<std::string> words;  // what stood where the pattern has `*`
  ExchangeDoor& exchanges;
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/tasks/*/cancel"
  // An error is answered as such; otherwise the handler has answered, or will.
  Status (*handle)(const HttpServices&, Call&);
};

std::span<const Route> array_routes();
std::span<const Route> exchange_routes();
std::span<const Route> execution_routes();
std::span<const Route> queue_routes();
std::span<const Route> system_routes();
std::span<const Route> task_routes();

// ---- answers ----

net::HttpResponse json_response(std::string body);
net::HttpResponse error_response(const Error& error);
Error error_of(const machine::Refused& refused);

// Decides the command and answers with what `write` makes of the reply, on the server's thread. A
// refusal is answered as such.
using WriteReply = std::function<std::string(machine::ReplyBody&)>;
void submit(const HttpServices& services, const net::Respond& respond, machine::CommandBody command,
            WriteReply write);
std::string nothing_to_tell(machine::ReplyBody&);  // {}

// ---- what a request says ----

// A word of the path as an id. Errors: invalid.
Result<uint64_t> id_word(const Call& call, size_t word);
// A word of the path as a number, which may be 0. Errors: invalid.
Result<uint64_t> number_word(const Call& call, size_t word);
// The value of a name in the query string, decoded; "" without it.
std::string query_value(const net::HttpRequest& request, std::string_view name);
Result<uint64_t> query_number(const net::HttpRequest& request, std::string_view name,
                              uint64_t otherwise);

}  // namespace tidemill::api
