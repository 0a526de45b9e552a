#pragma once
// What a request and an answer of HTTP are to everybody but the HTTP library.
// Values; any thread.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemill::net {

struct HttpHeader {
  std::string name;  // in lower case
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string target;  // path and query, as sent
  std::vector<HttpHeader> headers;
  std::string body;
  uint64_t connection = 0;  // of a server: which one it came over, from 1
  std::string peer;         // of a server: the address of who asks
  std::string certificate;  // of a server: the common name in the certificate it has shown, or ""

  // The value of the first header of this name, "" when there is none. `name` in lower case.
  std::string_view header(std::string_view name) const;
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // Of `?a=1&b=2`, not decoded; "" without one.
  std::string_view query() const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<HttpHeader> headers;
  std::string body;
};

// "%41+b" → "A b". What is no escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace tidemill::net
