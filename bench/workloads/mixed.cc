// bench mixed: ten priorities and tasks whose time is over, all in one queue: whether the urgent
// ones begin first, and what the others cost. One worker of the C++ SDK with two slots.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "os/clock.h"

namespace tidemill::bench {

namespace {

constexpr int kPriorities = 10;
constexpr uint64_t kOfThem = 20;  // every so many waits longer than it may

struct Mix {
  std::vector<client::NewTask> tasks;
  uint64_t too_slow = 0;
};

Mix mix(uint64_t count) {
  Mix out;
  for (uint64_t i = 0; i < count; ++i) {
    const bool too_slow = i % kOfThem == kOfThem - 1;
    client::NewTask task =
        too_slow ? task_of("wait", "60000000", "mixed") : task_of("stamp", "1", "mixed");
    task.work.priority = static_cast<int32_t>(mix64(i) % kPriorities);
    if (too_slow) {
      task.work.attempt_timeout = milliseconds(2);
      task.work.retry.max_attempts = 1;
      ++out.too_slow;
    }
    out.tasks.push_back(std::move(task));
  }
  return out;
}

// In the order in which they began: how many began before one that was more urgent and had waited
// as long.
double overtaken(const Mix& mix, const std::vector<client::TaskOutcome>& outcomes) {
  std::vector<std::pair<int64_t, int32_t>> begun;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const std::string& stamp = outcomes[i].result.inline_json;
    int64_t at = 0;
    std::from_chars(stamp.data(), stamp.data() + stamp.size(), at);
    if (at > 0) begun.emplace_back(at, mix.tasks[i].work.priority);
  }
  std::sort(begun.begin(), begun.end());
  uint64_t wrong = 0;
  int32_t most_urgent_after = kPriorities;
  for (auto one = begun.rbegin(); one != begun.rend(); ++one) {
    if (one->second > most_urgent_after) ++wrong;
    most_urgent_after = std::min(most_urgent_after, one->second);
  }
  return begun.empty() ? 0 : static_cast<double>(wrong) / static_cast<double>(begun.size());
}

}  // namespace

Status mixed(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 400 : 10'000;
  TIDEMILL_TRY(auto service, Service::start(context.self, request.folder + "/mixed.db"));
  TIDEMILL_CHECK(service->start_handlers(1, 2));
  client::ServerApi& api = service->api();
  TIDEMILL_CHECK(api.put("/v1/queues/mixed", R"({"paused": true})"));
  const Mix all = mix(count);
  TIDEMILL_TRY(const auto spawned, api.spawn(all.tasks));
  client::WaitRequest wait{.ids = {}, .at_most = minutes(4)};
  for (const client::SpawnedTask& task : spawned) wait.ids.push_back(task.id);
  const SteadyTime began = os::steady_now();
  TIDEMILL_CHECK(api.post("/v1/queues/mixed/resume"));
  TIDEMILL_TRY(const auto outcomes, api.wait(wait));
  const Duration wall = os::steady_now() - began;
  uint64_t done = 0;
  uint64_t timed_out = 0;
  for (const client::TaskOutcome& one : outcomes) {
    done += one.outcome == Outcome::done ? 1 : 0;
    timed_out += one.outcome == Outcome::failed && one.error.kind == "timeout" ? 1 : 0;
  }
  figures.add("tasks", static_cast<double>(count), "", "ten priorities; one of twenty is too slow");
  figures.add("rate", static_cast<double>(count) / wall.seconds(), "/s", "two slots");
  figures.add("began before a more urgent one", overtaken(all, outcomes) * 100, "%",
              "two slots run side by side, and work is handed out ahead");
  figures.add("timed out", static_cast<double>(timed_out), "", "after 2 ms, as each should");
  if (timed_out != all.too_slow || done != count - all.too_slow) {
    return Error{ErrorCode::invalid, fmt::format("{} done and {} timed out of {}, of which {} are "
                                                 "too slow",
                                                 done, timed_out, count, all.too_slow)};
  }
  return service->stop();
}

}  // namespace tidemill::bench
