// What people ask of executions: start, look, list, cancel, retry.
#include <array>
#include <utility>
#include <variant>

#include "api/internal/guard.h"
#include "api/internal/route.h"
#include "nlohmann/json.hpp"
#include "wire/execution_json.h"

namespace tidemill::api {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kPageMost = 1'000;

// The text is durable before the execution that names it starts.
Status start(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(wire::NewExecution wanted, wire::parse_new_execution(call.request.body));
  const Sha256 plan = sha256(wanted.playbook);
  machine::StartExecution command{
      .name = std::move(wanted.name),
      .file = std::move(wanted.file),
      .plan = plan,
      .workload = std::make_shared<const std::string>(std::move(wanted.workload))};
  services.queries.put_plan(plan, std::move(wanted.playbook),
                            [services, respond = call.respond, note = call.note,
                             command = std::move(command)](Result<Ok> stored) {
                              if (!stored.ok()) return respond.send(error_response(stored.error()));
                              submit(services, respond, command, [note](machine::ReplyBody& reply) {
                                const ExecutionId id =
                                    std::get<machine::ExecutionStarted>(reply).id;
                                if (note) note->affects("execution " + std::to_string(id.raw));
                                return Json({{"id", std::to_string(id.raw)}}).dump();
                              });
                            });
  return Ok{};
}

Status show(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  services.queries.execution(
      ExecutionId{id}, [respond = call.respond, id](Result<std::optional<ExecutionRecord>> record) {
        if (!record.ok()) return respond.send(error_response(record.error()));
        if (!*record) {
          return respond.send(error_response(
              {ErrorCode::not_found, "there is no execution " + std::to_string(id)}));
        }
        respond.send(json_response(wire::to_json(**record)));
      });
  return Ok{};
}

Status steps(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  services.queries.steps(ExecutionId{id},
                         [respond = call.respond](Result<std::vector<StepRecord>> records) {
                           respond.send(records.ok() ? json_response(wire::to_json(*records))
                                                     : error_response(records.error()));
                         });
  return Ok{};
}

Status list(const HttpServices& services, Call& call) {
  const Result<uint64_t> after = query_number(call.request, "after", 0);
  const Result<uint64_t> limit = query_number(call.request, "limit", 100);
  if (!after.ok()) return std::move(after).error();
  if (!limit.ok() || *limit == 0 || *limit > kPageMost) {
    return Error{ErrorCode::invalid, "limit: expected a number from 1 to 1000"};
  }
  services.queries.executions(ExecutionId{*after}, static_cast<uint32_t>(*limit),
                              [respond = call.respond](Result<std::vector<ExecutionRecord>> found) {
                                respond.send(found.ok() ? json_response(wire::to_json(*found))
                                                        : error_response(found.error()));
                              });
  return Ok{};
}

Status cancel(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  submit(services, call.respond, machine::CancelExecution{ExecutionId{id}}, nothing_to_tell);
  return Ok{};
}

Status retry(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  submit(services, call.respond, machine::RetryExecution{ExecutionId{id}}, nothing_to_tell);
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"POST", "/v1/executions", start, Access::produce},
    Route{"GET", "/v1/executions", list},
    Route{"GET", "/v1/executions/*", show, Access::fetch},
    Route{"GET", "/v1/executions/*/steps", steps},
    Route{"POST", "/v1/executions/*/cancel", cancel, Access::produce},
    Route{"POST", "/v1/executions/*/retry", retry, Access::produce},
};

}  // namespace

std::span<const Route> execution_routes() { return kRoutes; }

}  // namespace tidemill::api
