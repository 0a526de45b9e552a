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
  append_counter(out, "tidemill_requests_without_token_total", "Requests answered with 401.",
                 std::to_string(services.check.refused->without_token));
  append_counter(out, "tidemill_requests_of_wrong_kind_total", "Requests answered with 403.",
                 std::to_string(services.check.refused->wrong_kind));
  if (services.audit_counts) {
    const AuditCounts audit = services.audit_counts();
    append_counter(out, "tidemill_audit_lines_total", "Lines written to the audit log.",
                   std::to_string(audit.written));
    append_counter(out, "tidemill_audit_lines_lost_total", "Lines that could not be kept.",
                   std::to_string(audit.lost));
    out +=
        "# HELP tidemill_audit_failing 1 while the audit log cannot be written.\n"
        "# TYPE tidemill_audit_failing gauge\ntidemill_audit_failing ";
    out += audit.failing ? "1\n" : "0\n";
  }
  net::HttpResponse response = text_response(200, std::move(out));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  call.respond.send(std::move(response));
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"GET", "/healthz", health, Access::open},
    Route{"GET", "/readyz", readiness, Access::open},
    Route{"GET", "/metrics", metrics},
};

}  // namespace

std::span<const Route> system_routes() { return kRoutes; }

}  // namespace tidemill::api
