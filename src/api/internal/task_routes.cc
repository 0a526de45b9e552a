// What producers and people ask about tasks: spawn, wait, look, cancel, retry, bury.
#include <array>
#include <utility>
#include <variant>

#include "api/internal/guard.h"
#include "api/internal/route.h"
#include "nlohmann/json.hpp"
#include "wire/task_json.h"

namespace tidemill::api {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kPageMost = 1'000;
constexpr Duration kWaitMost = minutes(5);

machine::TaskSpec spec_of(wire::NewTask&& task, WallTime now) {
  machine::TaskSpec spec;
  spec.work = std::move(task.work);
  spec.run_at = task.run_at;
  if (task.delay.ns > 0) spec.run_at = std::max(spec.run_at, now + task.delay);
  spec.deadline = task.deadline;
  spec.concurrency_key = std::move(task.concurrency_key);
  spec.idempotency_key = std::move(task.idempotency_key);
  spec.after = std::move(task.after);
  spec.after_any_outcome = task.after_any_outcome;
  return spec;
}

Status spawn(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(std::vector<wire::NewTask> tasks, wire::parse_new_tasks(call.request.body));
  machine::SpawnTasks command;
  command.tasks.reserve(tasks.size());
  const WallTime now = services.wall_now();
  for (wire::NewTask& task : tasks) command.tasks.push_back(spec_of(std::move(task), now));
  submit(services, call.respond, std::move(command), [note = call.note](machine::ReplyBody& reply) {
    std::vector<wire::SpawnedTask> spawned;
    for (const auto& one : std::get<machine::Spawned>(reply).tasks) {
      spawned.push_back({one.id, one.existing});
      if (note) note->affects("task " + std::to_string(one.id.raw));
    }
    return wire::to_json(spawned);
  });
  return Ok{};
}

// Registered first, then read: what ends in between is told by one of the two.
Status wait(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(wire::WaitRequest request, wire::parse_wait_request(call.request.body));
  using Board = engine::OutcomeBoard;
  const auto wait_for =
      request.wait_for == wire::WaitRequest::For::any ? Board::For::any : Board::For::all;
  const Board::Ticket ticket = services.board.wait(
      request.ids, wait_for, [respond = call.respond](std::vector<Board::Told> told) {
        auto kept = std::make_shared<std::vector<Board::Told>>(std::move(told));
        respond.make([kept] {
          std::vector<wire::TaskOutcome> outcomes;
          for (Board::Told& t : *kept) {
            outcomes.push_back(
                {t.id, t.outcome, t.unknown, std::move(t.result), std::move(t.error)});
          }
          return json_response(wire::to_json(outcomes));
        });
      });
  Board& board = services.board;
  for (const TaskId id : request.ids) {
    services.queries.task(id, [&board, ticket, id](Result<std::optional<TaskRow>> row) {
      if (!row.ok()) return;  // the board may still be told
      Board::Told told{.id = id, .unknown = !row->has_value(), .result = {}, .error = {}};
      if (*row) {
        told.outcome = (*row)->outcome;
        told.result = (*row)->result;
        told.error = (*row)->error;
      }
      board.found(ticket, std::move(told));
    });
  }
  services.queries.after(std::min(request.at_most, kWaitMost),
                         [&board, ticket] { board.expire(ticket); });
  return Ok{};
}

Status show(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  services.queries.task(
      TaskId{id}, [respond = call.respond, id](Result<std::optional<TaskRow>> row) {
        if (!row.ok()) return respond.send(error_response(row.error()));
        if (!*row) {
          return respond.send(error_response(
              {ErrorCode::not_found, "there is no task " + std::to_string(id) + " (any more)"}));
        }
        respond.send(json_response(wire::to_json(**row)));
      });
  return Ok{};
}

Result<TaskFilter> filter_of(const net::HttpRequest& request) {
  TaskFilter filter;
  filter.queue = query_value(request, "queue");
  const std::string outcome = query_value(request, "outcome");
  if (!outcome.empty()) {
    for (const Outcome o : {Outcome::open, Outcome::done, Outcome::failed, Outcome::cancelled}) {
      if (outcome == wire::outcome_text(o)) filter.outcome = o;
    }
    if (!filter.outcome) {
      return Error{ErrorCode::invalid,
                   "outcome: '" + outcome + "' is none of open, done, failed, cancelled"};
    }
  }
  TIDEMILL_TRY(filter.after.raw, query_number(request, "after", 0));
  TIDEMILL_TRY(const uint64_t limit, query_number(request, "limit", 100));
  if (limit == 0 || limit > kPageMost) {
    return Error{ErrorCode::invalid,
                 "limit: expected a number from 1 to " + std::to_string(kPageMost)};
  }
  filter.limit = static_cast<uint32_t>(limit);
  return filter;
}

Status list(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(TaskFilter filter, filter_of(call.request));
  services.queries.tasks(std::move(filter), [respond =
                                                 call.respond](Result<std::vector<TaskRow>> rows) {
    respond.send(rows.ok() ? json_response(wire::to_json(*rows)) : error_response(rows.error()));
  });
  return Ok{};
}

Status cancel(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  machine::CancelWork command{.work = WorkRef::of(TaskId{id})};
  const std::string now = query_value(call.request, "now");
  if (now == "true") command.urgency = machine::CancelWork::Urgency::now;
  submit(services, call.respond, command, [](machine::ReplyBody& reply) {
    return Json({{"at_once", std::get<machine::Cancelled>(reply).at_once}}).dump();
  });
  return Ok{};
}

Status retry(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  submit(services, call.respond, machine::RetryWork{WorkRef::of(TaskId{id})},
         [](machine::ReplyBody& reply) {
           const auto& retried = std::get<machine::Retried>(reply);
           return Json({{"round", retried.round}, {"barrier_had_fired", retried.barrier_had_fired}})
               .dump();
         });
  return Ok{};
}

Status bury(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(const uint64_t id, id_word(call, 0));
  std::string reason = query_value(call.request, "reason");
  if (reason.empty()) reason = "buried by a person";
  submit(services, call.respond, machine::BuryTask{TaskId{id}, std::move(reason)}, nothing_to_tell);
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"POST", "/v1/tasks", spawn, Access::produce},
    Route{"GET", "/v1/tasks", list},
    Route{"POST", "/v1/tasks/wait", wait, Access::read},
    Route{"GET", "/v1/tasks/*", show},
    Route{"POST", "/v1/tasks/*/cancel", cancel, Access::produce},
    Route{"POST", "/v1/tasks/*/retry", retry, Access::produce},
    Route{"POST", "/v1/tasks/*/bury", bury, Access::produce},
};

}  // namespace

std::span<const Route> task_routes() { return kRoutes; }

}  // namespace tidemill::api
