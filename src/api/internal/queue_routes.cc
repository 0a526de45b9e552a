// What operators ask of queues: configure, pause, resume.
#include <array>
#include <utility>

#include "api/internal/route.h"
#include "wire/queue_json.h"

namespace tidemill::api {

namespace {

Status configure(const HttpServices& services, Call& call) {
  TIDEMILL_TRY(QueueConfig config, wire::parse_queue_config(call.request.body));
  config.name = call.words[0];
  submit(services, call.respond, machine::ConfigureQueue{std::move(config)}, nothing_to_tell);
  return Ok{};
}

Status pause(const HttpServices& services, Call& call) {
  submit(services, call.respond, machine::PauseQueue{call.words[0]}, nothing_to_tell);
  return Ok{};
}

Status resume(const HttpServices& services, Call& call) {
  submit(services, call.respond, machine::ResumeQueue{call.words[0]}, nothing_to_tell);
  return Ok{};
}

constexpr std::array kRoutes = {
    Route{"PUT", "/v1/queues/*", configure},
    Route{"POST", "/v1/queues/*/pause", pause},
    Route{"POST", "/v1/queues/*/resume", resume},
};

}  // namespace

std::span<const Route> queue_routes() { return kRoutes; }

}  // namespace tidemill::api
