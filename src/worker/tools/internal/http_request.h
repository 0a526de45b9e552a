#pragma once
// What an http call asks for, made of the tool's rendered configuration and its connection. Pure:
// no I/O; any thread.
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "playbook/value.h"

namespace tidemill::worker {

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   // with its query
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;
  Duration timeout{};
};

// Reads method, url|endpoint, params, headers, data|json|payload, timeout (seconds). `auth` may be
// a base URL (user:password@ becomes Basic), a bearer token, or a map: {type: bearer, token},
// {type: basic, username, password}, {type: header, name, value}, each with an optional base `url`.
// Errors: invalid.
Result<HttpRequest> make_http_request(const playbook::Value& config, const playbook::Value& auth,
                                      std::optional<Duration> timeout);

// Whether one of the request's headers has this name, in whatever case.
bool has_header(const HttpRequest& request, std::string_view name);

// Percent-encodes all but letters, digits and -._~
std::string url_encode(std::string_view text);

// The address without its query and without user and password, for messages and logs.
std::string shown_url(std::string_view url);

}  // namespace tidemill::worker
