#include "sim/producer.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace tidemill::sim {

Producer::Producer(World& world, const Options& options, Server& server, Checker& checker,
                   std::vector<Sha256> plans, uint32_t commands)
    : world_(world),
      options_(options),
      server_(server),
      checker_(checker),
      plans_(std::move(plans)),
      left_(commands) {}

void Producer::start() {
  world_.after(world_.random().duration(nanoseconds(0), options_.think_max), [this] { next(); });
}

void Producer::next() {
  if (left_ == 0) return;
  --left_;
  machine::CommandBody command = random_command();
  server_.request(command, [this, command](const machine::ReplyBody& reply) {
    acknowledged(command, reply);
  });
  start();
}

void Producer::acknowledged(const machine::CommandBody& command, const machine::ReplyBody& reply) {
  if (const auto* spawned = std::get_if<machine::Spawned>(&reply)) {
    checker_.spawned(*spawned);
    for (const auto& one : spawned->tasks) tasks_.push_back(one.id);
  } else if (const auto* array = std::get_if<machine::ArraySpawned>(&reply)) {
    const uint64_t count = std::get<machine::SpawnArray>(command).array.count;
    checker_.array_spawned(array->id, count);
    arrays_.emplace_back(array->id, count);
  } else if (const auto* started = std::get_if<machine::ExecutionStarted>(&reply)) {
    checker_.execution_started(started->id);
    executions_.push_back(started->id);
  }
}

machine::CommandBody Producer::random_command() {
  Random& r = world_.random();
  const uint64_t what = r.below(100);
  if (what < 40) return random_tasks();
  if (what < 55) return random_array();
  if (what < 70 && !plans_.empty()) {
    return machine::StartExecution{.name = "sim",
                                   .file = "sim.yaml",
                                   .plan = plans_[r.below(plans_.size())],
                                   .workload = std::make_shared<const std::string>("{}")};
  }
  if (what < 80) {
    return machine::CancelWork{random_work(), r.chance(30) ? machine::CancelWork::Urgency::now
                                                           : machine::CancelWork::Urgency::ask};
  }
  if (what < 90) return machine::RetryWork{random_work()};
  if (what < 93 && !executions_.empty()) {
    return machine::CancelExecution{executions_[r.below(executions_.size())]};
  }
  QueueConfig config{.name = fmt::format("q{}", r.below(3))};
  config.concurrency = r.chance(50) ? 0 : static_cast<uint32_t>(r.between(1, 4));
  config.key_concurrency = r.chance(50) ? 0 : static_cast<uint32_t>(r.between(1, 2));
  config.order = r.chance(50) ? Order::fair : Order::fifo;
  if (r.chance(30)) config.ageing = milliseconds(static_cast<int64_t>(r.between(1, 500)));
  return machine::ConfigureQueue{config};
}

WorkRef Producer::random_work() {
  Random& r = world_.random();
  if (!arrays_.empty() && r.chance(40)) {
    const auto& [id, count] = arrays_[r.below(arrays_.size())];
    return WorkRef::of(id, r.below(count));
  }
  return WorkRef::of(tasks_.empty() ? TaskId{999} : tasks_[r.below(tasks_.size())]);
}

machine::SpawnTasks Producer::random_tasks() {
  Random& r = world_.random();
  machine::SpawnTasks spawn;
  const uint64_t count = r.between(1, 5);
  for (uint64_t i = 0; i < count; ++i) {
    machine::TaskSpec t;
    t.work.queue = fmt::format("q{}", r.below(3));
    t.work.kind = "work";
    t.work.input = std::make_shared<const std::string>(fmt::format("{}", r.below(4)));
    t.work.priority = static_cast<int32_t>(r.below(3));
    t.work.needs_slot = r.chance(50);
    t.work.retry.max_attempts = static_cast<uint32_t>(r.between(1, 4));
    t.work.retry.max_crashes = static_cast<uint32_t>(r.between(1, 5));
    t.work.retry.delay = milliseconds(static_cast<int64_t>(r.between(1, 400)));
    t.work.retry.jitter_percent = static_cast<uint32_t>(r.below(60));
    t.work.attempt_timeout = milliseconds(static_cast<int64_t>(r.between(50, 2'000)));
    if (r.chance(20)) t.run_at = world_.now().wall + r.duration(milliseconds(1), seconds(3));
    if (r.chance(20)) t.concurrency_key = fmt::format("k{}", r.below(2));
    if (r.chance(15)) t.idempotency_key = fmt::format("i{}", r.below(5));
    if (!tasks_.empty() && r.chance(20)) t.after.push_back(tasks_[r.below(tasks_.size())]);
    t.after_any_outcome = r.chance(50);
    spawn.tasks.push_back(std::move(t));
  }
  return spawn;
}

machine::SpawnArray Producer::random_array() {
  Random& r = world_.random();
  machine::SpawnArray spawn;
  machine::ArraySpec& a = spawn.array;
  a.work.queue = fmt::format("q{}", r.below(3));
  a.work.kind = "work";
  a.work.input = std::make_shared<const std::string>("{}");
  a.work.priority = static_cast<int32_t>(r.below(3));
  a.work.needs_slot = r.chance(50);
  a.work.retry.max_attempts = static_cast<uint32_t>(r.between(1, 3));
  a.work.retry.max_crashes = static_cast<uint32_t>(r.between(1, 5));
  a.work.retry.delay = milliseconds(static_cast<int64_t>(r.between(1, 300)));
  a.work.attempt_timeout = milliseconds(static_cast<int64_t>(r.between(50, 2'000)));
  a.count = r.between(1, 40);
  if (r.chance(50)) {
    for (uint64_t i = 0; i < a.count; ++i) a.items.push_back(fmt::format("{}", i));
  }
  if (r.chance(50)) a.max_in_flight = static_cast<uint32_t>(r.between(1, 5));
  if (r.chance(20)) a.max_failed = r.below(3);
  return spawn;
}

}  // namespace tidemill::sim
