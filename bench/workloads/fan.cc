// bench fan: a task that spawns a thousand others and one after all of them, from spawning the
// first until the outcome of the last is known to who spawned it. One worker of the C++ SDK with
// two slots.
#include <fmt/format.h>

#include <charconv>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "os/clock.h"

namespace tidemill::bench {

namespace {

Result<client::TaskOutcome> outcome_of(client::ServerApi& api, TaskId id) {
  TIDEMILL_TRY(auto outcomes, api.wait({.ids = {id}, .at_most = seconds(60)}));
  if (outcomes.size() != 1 || outcomes[0].outcome != Outcome::done) {
    return Error{ErrorCode::invalid, "a task did not end done"};
  }
  return std::move(outcomes[0]);
}

// From the parent's spawn to the join's outcome.
Result<Duration> one_fan(client::ServerApi& api, uint64_t children) {
  const SteadyTime began = os::steady_now();
  TIDEMILL_TRY(const auto spawned, api.spawn({task_of("fan", std::to_string(children))}));
  TIDEMILL_TRY(const client::TaskOutcome parent, outcome_of(api, spawned[0].id));
  const std::string& text = parent.result.inline_json;
  TaskId join;
  std::from_chars(text.data(), text.data() + text.size(), join.raw);
  TIDEMILL_CHECK(outcome_of(api, join));
  return os::steady_now() - began;
}

}  // namespace

Status fan(const Context& context, const Request& request, Figures& figures) {
  constexpr uint64_t kChildren = 1'000;
  const uint64_t times = request.quick ? 3 : 50;
  const std::string store = request.folder + "/fan.db";
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  TIDEMILL_CHECK(service->start_handlers(1, 2));
  TIDEMILL_CHECK(one_fan(service->api(), 10));  // the worker was just starting
  const Duration server = service->server().cpu();
  const Duration workers = service->workers_cpu();
  std::vector<double> took;
  for (uint64_t i = 0; i < times; ++i) {
    TIDEMILL_TRY(const Duration one, one_fan(service->api(), kChildren));
    took.push_back(one.milliseconds());
  }
  const auto n = static_cast<double>(times);
  figures.add("fan 1 000, median", median(took), "ms",
              "one parent, 1 000 children, one join; bound: 30");
  figures.add("fan 1 000, p95", percentile(took, 0.95), "ms");
  figures.add("server cpu", (service->server().cpu() - server).milliseconds() / n, "ms/fan");
  figures.add("worker cpu", (service->workers_cpu() - workers).milliseconds() / n, "ms/fan");
  TIDEMILL_TRY(const uint64_t done, done_in(store));
  if (done != 12 + times * (kChildren + 2)) {
    return Error{ErrorCode::invalid, fmt::format("{} tasks are done", done)};
  }
  return service->stop();
}

}  // namespace tidemill::bench
