#include "worker/tools/internal/http_request.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "model/limits.h"
#include "playbook/json.h"
#include "playbook/template.h"
#include "worker/tools/internal/base64.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

constexpr double kTimeoutMax = 7 * 24 * 3600.0;  // seconds

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(static_cast<char>(c)) ==
               std::string_view::npos;
  });
}

std::string text_of(const Value& v, const char* key) {
  const Value found = v.get(key);
  return found.is_string() || found.is_number() ? playbook::render_text(found) : "";
}

// A value that could end a header line would let data write headers.
Status add_header(HttpRequest& out, std::string_view name, const Value& value) {
  const std::string text = playbook::render_text(value);
  if (!is_token(name)) {
    return Error{ErrorCode::invalid, "\"" + std::string(name) + "\" is no name of a header"};
  }
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return Error{ErrorCode::invalid,
                 "header " + std::string(name) + " has a line break in its value"};
  }
  // A header without value is written with a semicolon; a colon alone would remove it.
  out.headers.push_back(text.empty() ? std::string(name) + ";" : std::string(name) + ": " + text);
  return Ok{};
}

void add_pair(std::string& out, std::string_view name, const Value& value) {
  if (!out.empty()) out += '&';
  out += url_encode(name) + "=" + url_encode(playbook::render_text(value));
}

// `a=1&b=2&b=3` of a map; a list repeats its name, null leaves it out.
std::string encode_pairs(const playbook::Map& map) {
  std::string out;
  for (const auto& [name, value] : map) {
    if (value.is_null() || value.is_undefined()) continue;
    if (!value.is_list()) {
      add_pair(out, name, value);
      continue;
    }
    for (const Value& item : value.as_list()) add_pair(out, name, item);
  }
  return out;
}

Status add_params(HttpRequest& out, const Value& params) {
  if (params.is_undefined() || params.is_null()) return Ok{};
  if (!params.is_map()) return Error{ErrorCode::invalid, "`params` must be a map"};
  const std::string query = encode_pairs(params.as_map());
  if (query.empty()) return Ok{};
  const size_t hash = out.url.find('#');
  std::string tail = hash == std::string::npos ? "" : out.url.substr(hash);
  if (hash != std::string::npos) out.url.resize(hash);
  const bool has_query = out.url.find('?') != std::string::npos;
  out.url += (has_query ? "&" : "?") + query + tail;
  return Ok{};
}

Status add_headers(HttpRequest& out, const Value& headers) {
  if (headers.is_undefined() || headers.is_null()) return Ok{};
  if (!headers.is_map()) return Error{ErrorCode::invalid, "`headers` must be a map"};
  for (const auto& [name, value] : headers.as_map()) {
    if (!value.is_null()) TIDEMILL_CHECK(add_header(out, name, value));
  }
  return Ok{};
}

// `data` as text is sent as it is, as a map it is a form; `json` and `payload` are JSON.
Status add_body(HttpRequest& out, const Value& config) {
  const Value data = config.get("data");
  Value json = config.get("json");
  if (json.is_undefined()) json = config.get("payload");
  const char* type = nullptr;
  if (!json.is_undefined() && !json.is_null()) {
    out.body = playbook::to_json(json);
    type = "application/json";
  } else if (data.is_map() && out.method != "GET") {
    out.body = encode_pairs(data.as_map());
    type = "application/x-www-form-urlencoded";
  } else if (data.is_map()) {
    // Of a GET there is nothing to send a form in, so it joins the query.
    return add_params(out, data);
  } else if (data.is_list()) {
    out.body = playbook::to_json(data);
    type = "application/json";
  } else if (!data.is_undefined() && !data.is_null()) {
    out.body = playbook::render_text(data);
    type = "text/plain; charset=utf-8";
  }
  if (out.body && out.body->size() > limits::kInputMax) {
    return Error{ErrorCode::too_large, "the body is larger than 16 MiB"};
  }
  if (type && !has_header(out, "content-type"))
    out.headers.push_back(std::string("Content-Type: ") + type);
  return Ok{};
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::sscanf(std::string(text.substr(i + 1, 2)).c_str(), "%2x", &value) == 1) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Takes `user:password@` out of an address. "" when there is none.
std::string take_user(std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos || url.find('@') == std::string::npos) return "";
  const size_t begin = scheme + 3;
  const size_t end = url.find_first_of("/?#", begin);
  const size_t at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) return "";
  std::string user = percent_decoded(std::string_view(url).substr(begin, at - begin));
  url.erase(begin, at + 1 - begin);
  return user;
}

std::string joined(std::string base, std::string_view path) {
  if (path.empty()) return base;
  while (base.ends_with('/')) base.pop_back();
  if (path.front() != '/' && path.front() != '?') base += '/';
  return base + std::string(path);
}

Status add_basic(HttpRequest& out, const std::string& user) {
  return user.empty() ? Status(Ok{}) : add_header(out, "Authorization", "Basic " + base64(user));
}

Status add_auth(HttpRequest& out, const Value& auth) {
  if (auth.is_undefined() || auth.is_null()) return Ok{};
  if (auth.is_string()) {
    if (auth.as_string().find("://") != std::string::npos) return Ok{};  // a base URL
    return add_header(out, "Authorization", "Bearer " + auth.as_string());
  }
  if (!auth.is_map())
    return Error{ErrorCode::invalid, "the connection of `auth` is neither text nor a map"};
  const std::string type = text_of(auth, "type");
  const std::string token = text_of(auth, "token");
  const std::string user = text_of(auth, "username");
  if (type == "header" || type == "api_key") {
    const std::string name = text_of(auth, "name");
    return add_header(out, name.empty() ? "X-API-Key" : name, auth.get("value"));
  }
  if (type == "basic" || (type.empty() && !user.empty())) {
    return add_basic(out, user + ":" + text_of(auth, "password"));
  }
  if (type == "bearer" || (type.empty() && !token.empty())) {
    return add_header(out, "Authorization", "Bearer " + token);
  }
  if (type.empty()) return Ok{};
  return Error{ErrorCode::invalid,
               "auth type \"" + type + "\"; http knows bearer, basic and header"};
}

std::string base_url(const Value& auth) {
  if (auth.is_string() && auth.as_string().find("://") != std::string::npos)
    return auth.as_string();
  for (const char* key : {"base_url", "url", "endpoint"}) {
    if (std::string url = text_of(auth, key); !url.empty()) return url;
  }
  return "";
}

Status set_url(HttpRequest& out, const Value& config, const Value& auth) {
  out.url = text_of(config, "url");
  if (out.url.empty()) out.url = text_of(config, "endpoint");
  if (out.url.find("://") == std::string::npos) out.url = joined(base_url(auth), out.url);
  if (out.url.empty()) return Error{ErrorCode::invalid, "http needs a `url` (or `endpoint`)"};
  if (!out.url.starts_with("http://") && !out.url.starts_with("https://")) {
    return Error{ErrorCode::invalid,
                 "\"" + shown_url(out.url) + "\" is no http:// or https:// address"};
  }
  return Ok{};
}

Status set_timeout(HttpRequest& out, const Value& config, std::optional<Duration> timeout) {
  out.timeout = timeout.value_or(limits::kHttpTimeout);
  const Value own = config.get("timeout");
  if (own.is_undefined() || own.is_null() || timeout) return Ok{};
  if (!own.is_number() || own.as_real() <= 0 || own.as_real() > kTimeoutMax) {
    return Error{ErrorCode::invalid, "`timeout` is a number of seconds above 0"};
  }
  out.timeout = seconds_f(own.as_real());
  return Ok{};
}

}  // namespace

Result<HttpRequest> make_http_request(const Value& config, const Value& auth,
                                      std::optional<Duration> timeout) {
  HttpRequest out;
  if (std::string method = text_of(config, "method"); !method.empty())
    out.method = std::move(method);
  for (char& c : out.method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (!is_token(out.method))
    return Error{ErrorCode::invalid, "\"" + out.method + "\" is no method"};
  TIDEMILL_CHECK(set_url(out, config, auth));
  const std::string user = take_user(out.url);
  TIDEMILL_CHECK(add_params(out, config.get("params")));
  TIDEMILL_CHECK(add_headers(out, config.get("headers")));
  if (!has_header(out, "authorization")) {
    TIDEMILL_CHECK(add_auth(out, auth));
    if (!has_header(out, "authorization")) TIDEMILL_CHECK(add_basic(out, user));
  }
  TIDEMILL_CHECK(add_body(out, config));
  TIDEMILL_CHECK(set_timeout(out, config, timeout));
  return out;
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

bool has_header(const HttpRequest& request, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const std::string& h) {
    return h.size() > name.size() && (h[name.size()] == ':' || h[name.size()] == ';') &&
           std::equal(name.begin(), name.end(), h.begin(),
                      [&](char a, char b) { return lower(a) == lower(b); });
  });
}

std::string shown_url(std::string_view url) {
  std::string out(url.substr(0, url.find_first_of("?#")));
  (void)take_user(out);
  return out;
}

}  // namespace tidemill::worker
