// What operators ask of queues: configure, pause, resume.
#include <array>
#include <utility>

#include "api/internal/route.h"
#include "wire/queue_json.h"

namespace tidemill::api {

namespace {

void configure(const HttpServices& services, Call call) {
  Result<QueueConfig> config = wire::parse_queue_config(call.request.body);
  if (!config.ok()) return call.respond.send(error_response(config.error()));
  config->name = call.words[0];
  submit(services, call, machine::ConfigureQueue{std::move(*config)}, nothing_to_tell);
}

void pause(const HttpServices& services, Call call) {
  submit(services, call, machine::PauseQueue{call.words[0]}, nothing_to_tell);
}

void resume(const HttpServices& services, Call call) {
  submit(services, call, machine::ResumeQueue{call.words[0]}, nothing_to_tell);
}

constexpr std::array kRoutes = {
    Route{"PUT", "/v1/queues/*", configure},
    Route{"POST", "/v1/queues/*/pause", pause},
    Route{"POST", "/v1/queues/*/resume", resume},
};

}  // namespace

std::span<const Route> queue_routes() { return kRoutes; }

}  // namespace tidemill::api
