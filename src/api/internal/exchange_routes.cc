// What workers ask: the exchange, and what they need to run a step of a playbook.
#include <array>
#include <utility>
#include <variant>

#include "api/internal/exchange_door.h"
#include "api/internal/route.h"
#include "model/limits.h"
#include "nlohmann/json.hpp"
#include "wire/exchange_json.h"

namespace tidemill::api {

namespace {

using Json = nlohmann::ordered_json;

Result<Sha256> sha_word(const Call& call) {
  const std::string& text = call.words.at(0);
  Sha256 out{};
  const bool good = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
  if (!good) return Error{ErrorCode::invalid, "'" + text + "' is no SHA-256: 64 digits 0-9a-f"};
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return out;
}

// The answer of a query that is bytes.
engine::Queries::On<SharedBytes> answered_raw(const Call& call, std::string content_type) {
  return [respond = call.respond, content_type](Result<SharedBytes> bytes) {
    if (!bytes.ok()) return respond.send(error_response(bytes.error()));
    net::HttpResponse response;
    response.content_type = content_type;
    response.body = **bytes;
    respond.send(std::move(response));
  };
}

Status exchange(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(ExchangeRequest request, wire::parse_exchange_request(call.request.body));
  return call.exchanges.take(services, call, std::move(request));
}

Status get_plan(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const Sha256 hash, sha_word(call));
  services.queries.plan(hash, answered_raw(call, "application/yaml"));
  return Ok{};
}

Status put_plan(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const Sha256 hash, sha_word(call));
  if (call.request.body.size() > limits::kPlaybookMax) {
    return Error{ErrorCode::too_large, "a playbook has at most 8 MiB"};
  }
  if (sha256(call.request.body) != hash) {
    return Error{ErrorCode::invalid, "the body has another SHA-256 than the path says"};
  }
  services.queries.put_plan(
      hash, std::move(call.request.body), [respond = call.respond](Result<Ok> done) {
        respond.send(done.ok() ? json_response("{}") : error_response(done.error()));
      });
  return Ok{};
}

Status put_blob(const HttpServices& services, Call& call) {
  auto bytes = std::make_shared<const std::string>(std::move(call.request.body));
  services.queries.put_blob(
      bytes, [&engine = services.engine, respond = call.respond](Result<ResultRef> ref) {
        if (!ref.ok()) {
          if (ref.error().code == ErrorCode::disk_full) engine.fail(ref.error());
          return respond.send(error_response(ref.error()));
        }
        respond.send(json_response(Json({{"sha256", hex(ref->blob)}, {"size", ref->size}}).dump()));
      });
  return Ok{};
}

Status get_blob(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const Sha256 hash, sha_word(call));
  services.queries.result({.place = ResultRef::Place::blob, .blob = hash},
                          answered_raw(call, "application/octet-stream"));
  return Ok{};
}

Status task_result(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  services.queries.result({.place = ResultRef::Place::task, .task = TaskId{id}},
                          answered_raw(call, "application/json"));
  return Ok{};
}

Status array_result(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  services.queries.result({.place = ResultRef::Place::array, .array = ArrayId{id}},
                          answered_raw(call, "application/json"));
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"POST", "/v1/exchange", exchange, Access::work},
    Route{"GET", "/v1/playbooks/*", get_plan, Access::fetch},
    Route{"PUT", "/v1/playbooks/*", put_plan, Access::work},
    Route{"POST", "/v1/blobs", put_blob, Access::work},
    Route{"GET", "/v1/blobs/*", get_blob, Access::fetch},
    Route{"GET", "/v1/tasks/*/result", task_result, Access::fetch},
    Route{"GET", "/v1/arrays/*/result", array_result, Access::fetch},
};

}  // namespace

std::span<const Route> exchange_routes() { return kRoutes; }

}  // namespace tidemill::api
