#include "client/http_exchange.h"

#include <utility>

#include "client/internal/http_answer.h"
#include "model/limits.h"
#include "wire/blob_json.h"
#include "wire/exchange_json.h"
#include "wire/execution_json.h"

namespace tidemill::client {

namespace {

// A third of the lease is waited at the server; twice the lease is a server that is gone.
constexpr Duration kExchangeTime = limits::kLease * 2;

Result<SharedBytes> body_of(net::HttpResponse& response) {
  return SharedBytes(std::make_shared<const std::string>(std::move(response.body)));
}

std::string place_of(const ResultRef& ref) {
  switch (ref.place) {
    case ResultRef::Place::task:
      return "/v1/tasks/" + std::to_string(ref.task.raw) + "/result";
    case ResultRef::Place::array:
      return "/v1/arrays/" + std::to_string(ref.array.raw) + "/result";
    case ResultRef::Place::blob:
    case ResultRef::Place::none:
      break;
  }
  return "/v1/blobs/" + hex(ref.blob);
}

}  // namespace

template <class T>
void HttpExchange::ask(std::string method, std::string target, std::string body,
                       std::function<Result<T>(net::HttpResponse&)> read,
                       std::function<void(Result<T>)> tell) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  client_.send(
      std::move(request), kExchangeTime,
      [this, read = std::move(read), tell = std::move(tell)](Result<net::HttpResponse> response) {
        Result<net::HttpResponse> good = checked(std::move(response));
        auto answer = std::make_shared<Result<T>>(good.ok() ? read(*good)
                                                            : Result<T>(std::move(good).error()));
        loop_.post([tell, answer] { tell(std::move(*answer)); });
      });
}

void HttpExchange::exchange(ExchangeRequest request, OnReply on_reply) {
  ask<ExchangeReply>(
      "POST", "/v1/exchange", wire::to_json(request),
      [](net::HttpResponse& response) { return wire::parse_exchange_reply(response.body); },
      [this, tell = std::move(on_reply)](Result<ExchangeReply> reply) {
        const bool denied = !reply.ok() && reply.error().code == ErrorCode::denied;
        if (denied && on_denied_) on_denied_(reply.error());
        tell(std::move(reply));
      });
}

void HttpExchange::fetch_result(const ResultRef& ref, OnBytes on_bytes) {
  ask<SharedBytes>("GET", place_of(ref), "", body_of, std::move(on_bytes));
}

void HttpExchange::fetch_plan(const Sha256& hash, OnBytes on_text) {
  ask<SharedBytes>("GET", "/v1/playbooks/" + hex(hash), "", body_of, std::move(on_text));
}

void HttpExchange::fetch_execution(ExecutionId id, OnExecution on_execution) {
  ask<wire::ExecutionInfo>(
      "GET", "/v1/executions/" + std::to_string(id.raw), "",
      [](net::HttpResponse& response) { return wire::parse_execution_info(response.body); },
      std::move(on_execution));
}

void HttpExchange::put_plan(const Sha256& hash, std::string text, OnDone on_done) {
  ask<Ok>(
      "PUT", "/v1/playbooks/" + hex(hash), std::move(text),
      [](net::HttpResponse&) { return Status(Ok{}); }, std::move(on_done));
}

void HttpExchange::put_blob(SharedBytes bytes, OnRef on_ref) {
  ask<ResultRef>(
      "POST", "/v1/blobs", *bytes,
      [](net::HttpResponse& response) { return wire::parse_blob(response.body); },
      std::move(on_ref));
}

}  // namespace tidemill::client
