// What those who keep the server running ask: is it alive, does it take work, what has it done.
#include <array>
#include <utility>

#include "api/internal/route.h"

namespace tidemill::api {

namespace {

net::HttpResponse text_response(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Status health(const HttpServices& services, Call& call) {
  const std::optional<Error> failure = services.engine.failure();
  call.respond.send(failure ? text_response(500, "the engine has stopped: " + failure->what + "\n")
                            : text_response(200, "ok\n"));
  return Ok{};
}

Status readiness(const HttpServices& services, Call& call) {
  call.respond.send(services.ready() ? text_response(200, "ready\n")
                                     : text_response(503, "it takes no work now\n"));
  return Ok{};
}

void append_counter(std::string& out, std::string_view name, std::string_view help,
                    std::string_view value) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name);
  out.append(" counter\n").append(name).append(" ").append(value).append("\n");
}

Status metrics(const HttpServices& services, Call& call) {
  const engine::EngineStats stats = services.engine.stats();
  std::string out;
  append_counter(out, "tidemill_turns_total", "Turns decided.", std::to_string(stats.turns));
  append_counter(out, "tidemill_commands_total", "Commands decided.",
                 std::to_string(stats.commands));
  append_counter(out, "tidemill_commits_total", "Transactions of the store.",
                 std::to_string(stats.commits));
  append_counter(out, "tidemill_changes_total", "Records made durable.",
                 std::to_string(stats.changes));
  append_counter(out, "tidemill_deciding_seconds_total", "Time spent deciding.",
                 std::to_string(stats.deciding.seconds()));
  append_counter(out, "tidemill_committing_seconds_total", "Time spent committing.",
                 std::to_string(stats.committing.seconds()));
  net::HttpResponse response = text_response(200, std::move(out));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  call.respond.send(std::move(response));
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"GET", "/healthz", health},
    Route{"GET", "/readyz", readiness},
    Route{"GET", "/metrics", metrics},
};

}  // namespace

std::span<const Route> system_routes() { return kRoutes; }

}  // namespace tidemill::api
