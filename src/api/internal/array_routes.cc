// What producers and people ask about arrays: spawn, how far it is (or wait for its end), results
// by index, cancel, retry of one index.
#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "api/internal/guard.h"
#include "api/internal/route.h"
#include "nlohmann/json.hpp"
#include "wire/array_json.h"

namespace tidemill::api {

namespace {

using Json = nlohmann::ordered_json;
using Board = engine::OutcomeBoard;

constexpr uint64_t kResultsMost = 10'000;
constexpr Duration kArrayWaitMost = minutes(5);

Status spawn_array(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(wire::NewArray array, wire::parse_new_array(call.request.body));
  machine::SpawnArray command;
  command.array = {.work = std::move(array.work),
                   .count = array.count,
                   .items = std::move(array.items),
                   .max_in_flight = array.max_in_flight,
                   .max_failed = array.max_failed};
  submit(services, call.respond, std::move(command), [note = call.note](machine::ReplyBody& reply) {
    const ArrayId id = std::get<machine::ArraySpawned>(reply).id;
    if (note) note->affects("array " + std::to_string(id.raw));
    return wire::to_json(id);
  });
  return Ok{};
}

net::HttpResponse array_response(const Result<std::optional<ArrayRow>>& row, ArrayId id) {
  if (!row.ok()) return error_response(row.error());
  if (!*row) {
    return error_response(
        {ErrorCode::not_found, "there is no array " + std::to_string(id.raw) + " (any more)"});
  }
  return json_response(wire::to_json(**row));
}

void tell_array(engine::Queries& queries, const net::Respond& respond, ArrayId id) {
  queries.array(id, [respond, id](Result<std::optional<ArrayRow>> row) {
    respond.send(array_response(row, id));
  });
}

// Registered first, then read, as with tasks.
Status show_array(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t raw, id_word(call, 0));
  TIDEMILL_TRY(const uint64_t wait_ms, query_number(call.request, "wait_ms", 0));
  const ArrayId id{raw};
  engine::Queries& queries = services.queries;
  if (wait_ms == 0) {
    tell_array(queries, call.respond, id);
    return Ok{};
  }
  Board& board = services.board;
  const Board::Ticket ticket =
      board.wait_array(id, [&queries, respond = call.respond, id](std::vector<Board::Told>) {
        tell_array(queries, respond, id);
      });
  queries.array(id, [&board, ticket, id](Result<std::optional<ArrayRow>> row) {
    if (row.ok() && (!*row || (*row)->finished)) board.found(ticket, Board::ended(id));
  });
  const uint64_t most =
      std::min(wait_ms, static_cast<uint64_t>(kArrayWaitMost.whole_milliseconds()));
  queries.after(milliseconds(static_cast<int64_t>(most)),
                [&board, ticket] { board.expire(ticket); });
  return Ok{};
}

Status results(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  TIDEMILL_TRY(const uint64_t first, query_number(call.request, "first", 0));
  TIDEMILL_TRY(const uint64_t limit, query_number(call.request, "limit", 1'000));
  if (limit == 0 || limit > kResultsMost) {
    return Error{ErrorCode::invalid,
                 "limit: expected a number from 1 to " + std::to_string(kResultsMost)};
  }
  services.queries.outcomes(
      ArrayId{id}, first, static_cast<uint32_t>(limit),
      [respond = call.respond](Result<std::vector<IndexRow>> rows) {
        auto kept = std::make_shared<Result<std::vector<IndexRow>>>(std::move(rows));
        respond.make([kept] {
          return kept->ok() ? json_response(wire::to_json(**kept)) : error_response(kept->error());
        });
      });
  return Ok{};
}

void cancel_range(const HttpServices& services, Call& call, const WorkRef& work) {
  machine::CancelWork command{.work = work};
  if (query_value(call.request, "now") == "true") {
    command.urgency = machine::CancelWork::Urgency::now;
  }
  submit(services, call.respond, command, [](machine::ReplyBody& reply) {
    return Json({{"at_once", std::get<machine::Cancelled>(reply).at_once}}).dump();
  });
}

Status cancel_array(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  cancel_range(services, call, WorkRef::of(ArrayId{id}, 0, limits::kArrayCountMax));
  return Ok{};
}

Result<WorkRef> index_of(const Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  TIDEMILL_TRY(const uint64_t index, number_word(call, 1));
  return WorkRef::of(ArrayId{id}, index);
}

Status cancel_index(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const WorkRef work, index_of(call));
  cancel_range(services, call, work);
  return Ok{};
}

Status retry_index(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const WorkRef work, index_of(call));
  submit(services, call.respond, machine::RetryWork{work}, [](machine::ReplyBody& reply) {
    const auto& retried = std::get<machine::Retried>(reply);
    return Json({{"round", retried.round}, {"barrier_had_fired", retried.barrier_had_fired}})
        .dump();
  });
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"POST", "/v1/arrays", spawn_array, Access::produce},
    Route{"GET", "/v1/arrays/*", show_array},
    Route{"GET", "/v1/arrays/*/results", results},
    Route{"POST", "/v1/arrays/*/cancel", cancel_array, Access::produce},
    Route{"POST", "/v1/arrays/*/indexes/*/cancel", cancel_index, Access::produce},
    Route{"POST", "/v1/arrays/*/indexes/*/retry", retry_index, Access::produce},
};

}  // namespace

std::span<const Route> array_routes() { return kRoutes; }

}  // namespace tidemill::api
