#include "worker/tools/http.h"

#include <utility>

#include "playbook/json.h"
#include "worker/tools/internal/http_thread.h"

namespace tidemill::worker {

namespace {

using playbook::Map;
using playbook::Value;

constexpr size_t kBodyShown = 200;  // of an answer, in a message

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// Lines "Name: value" as a map; a name that comes again has its values joined.
Map headers_of(std::string_view lines) {
  Map out;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (const Value* before = out.find(name)) {
      out.set(name, before->as_string() + ", " + std::string(value));
    } else {
      out.append_distinct(std::move(name), Value(value));
    }
  }
  return out;
}

// application/json, application/problem+json; charset=utf-8
bool is_json(std::string_view content_type) {
  std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
  for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

bool worth_retrying(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

// As one line of UTF-8 without control characters: a server does not steer a terminal.
std::string beginning(std::string_view body) {
  const std::string_view text = trimmed(body);
  std::string quoted;
  playbook::write_json_string(text.substr(0, kBodyShown), quoted);
  std::string shown = playbook::parse_json(quoted)->as_string();
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return shown + (text.size() > kBodyShown ? "…" : "");
}

std::string subject(const HttpResponse& response) {
  return std::string(response.method) + " " + shown_url(response.url);
}

// What result a call gets for an answer.
ToolResult result_of(const HttpResponse& response, bool noetl) {
  ToolResult out;
  out.bytes_in = response.bytes_in;
  out.bytes_out = response.bytes_out;
  out.error = response.error;
  if (response.status == 0) return out;
  out.http_status = response.status;
  Value body;
  std::string not_json;
  if (is_json(response.content_type)) {
    auto parsed = trimmed(response.body).empty() ? Result<Value>(Value::null())
                                                 : playbook::parse_json_lazily(response.body);
    if (parsed.ok()) {
      body = std::move(parsed).value();
    } else {
      not_json = parsed.error().what;
    }
  }
  if (body.is_undefined()) body = Value(response.body);
  Map data;
  data.reserve(3);
  data.append_distinct("status_code", Value(response.status));
  data.append_distinct("headers", Value(headers_of(response.headers)));
  data.append_distinct("data", std::move(body));
  out.data = Value(std::move(data));
  if (response.status < 200 || response.status > 299) {
    out.error = TaskError{"http",
                          subject(response) + " answered " + std::to_string(response.status) +
                              ": " + beginning(response.body),
                          worth_retrying(response.status)};
  } else if (!not_json.empty() && !noetl) {
    out.error = TaskError{"body",
                          subject(response) + " announced JSON and sent something else (" +
                              not_json + "): " + beginning(response.body),
                          true};
  }
  return out;
}

class HttpRunner final : public ToolRunner {
 public:
  HttpRunner(os::EventLoop& loop, HttpOptions options)
      : http_(loop, {.ca_file = std::move(options.ca_file)}) {}

  void start(const ToolCall& call, OnDone on_done) override {
    auto request = make_http_request(call.config, call.auth, call.timeout);
    if (!request.ok()) {
      ToolResult refused;
      refused.error = TaskError{"config", std::move(request.error().what), false};
      return on_done(std::move(refused));
    }
    http_.start(call.id, std::move(request).value(),
                [noetl = call.noetl, done = std::move(on_done)](const HttpResponse& response) {
                  done(result_of(response, noetl));
                });
  }
  void cancel(CallId id) override { http_.cancel(id); }

 private:
  HttpThread http_;
};

}  // namespace

std::unique_ptr<ToolRunner> make_http_runner(os::EventLoop& loop, HttpOptions options) {
  return std::make_unique<HttpRunner>(loop, std::move(options));
}

}  // namespace tidemill::worker
