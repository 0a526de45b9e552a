#pragma once
// Routes: which function answers which request. One file per group of them. Called on the HTTP
// server's thread; none may block.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_service.h"
#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::api {

class AuditNote;  // guard.h

struct Call {
  net::HttpRequest request;
  net::Respond respond;
  std::vector<std::string> words;  // what stood where the pattern has `*`
  ExchangeDoor& exchanges;
  std::shared_ptr<const TokenRecord> token;  // it came with; null: none is asked for
  std::shared_ptr<AuditNote> note;           // what goes on record of it; null: nothing
};

// Which kinds of tokens may ask it. An admin's may ask everything.
enum class Access : uint8_t {
  by_method,   // GET as `read`, everything else as `administer`
  open,        // no token is asked for
  read,        // client, read-only
  fetch,       // and worker
  produce,     // client
  work,        // worker
  administer,  // nobody else
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/tasks/*/cancel"
  // An error is answered as such; otherwise the handler has answered, or will.
  Status (*handle)(const HttpServices&, Call&);
  Access access = Access::by_method;
};

std::span<const Route> array_routes();
std::span<const Route> exchange_routes();
std::span<const Route> execution_routes();
std::span<const Route> queue_routes();
std::span<const Route> system_routes();
std::span<const Route> task_routes();
std::span<const Route> token_routes();

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
