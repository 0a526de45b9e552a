#include "sim/run.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "playbook/compile.h"
#include "sim/checker.h"
#include "sim/handler.h"
#include "sim/producer.h"
#include "sim/server.h"
#include "sim/worker.h"
#include "sim/world.h"

namespace tidemill::sim {

namespace {

constexpr uint64_t kStepsMax = 2'000'000;         // an endless world is a broken promise too
// Virtual time for everything to come to rest: wall clocks may have jumped back, and back-off uses
// them.
constexpr Duration kRestTime = hours(8);

// All the inhabitants of one world.
class Scene {
 public:
  explicit Scene(const Options& given)
      : options_(given), world_(given.seed), server_(world_, options_, checker_) {
    for (const std::string& text : playbook_texts()) {
      const playbook::Compiled compiled = playbook::compile(text, "sim.yaml");
      TIDEMILL_ASSERT(compiled.plan != nullptr);
      plans_.push_back(compiled.plan);
      hashes_.push_back(compiled.plan->hash);
      TIDEMILL_ASSERT(server_.put_plan(compiled.plan->hash, text).ok());
    }
    const Handler handler = make_handler(options_, world_.random(), plans_);
    for (uint32_t i = 0; i < options_.workers; ++i) {
      workers_.push_back(
          std::make_unique<Worker>(world_, options_, server_, checker_, handler));
    }
    for (uint32_t i = 0; i < options_.producers; ++i) {
      producers_.push_back(std::make_unique<Producer>(world_, options_, server_, checker_, hashes_,
                                                      options_.commands / options_.producers));
    }
  }

  RunResult play() {
    for (auto& worker : workers_) worker->start();
    for (auto& producer : producers_) producer->start();
    schedule_faults();
    while (!producers_done() && go_on()) {
    }
    stop_faults();
    const SteadyTime until = world_.now().steady + kRestTime;
    while (world_.now().steady < until && !come_to_rest(until) && go_on()) {
    }
    if (!checker_.broken()) check_rest();
    return {.broken = checker_.broken(),
            .replay = server_.replay_hash(),
            .outcomes = checker_.outcomes(),
            .steps = world_.steps(),
            .virtual_time = world_.now().steady - SteadyTime{seconds(1'000).ns}};
  }

 private:
  bool go_on() {
    return !checker_.broken() && world_.steps() < kStepsMax && world_.step();
  }

  bool producers_done() const {
    for (const auto& producer : producers_) {
      if (!producer->finished()) return false;
    }
    return true;
  }

  // Nothing is left to do, and nothing comes of what is still on its way or not durable yet.
  bool come_to_rest(SteadyTime latest) {
    while (world_.now().steady < latest && !at_rest() && go_on()) {
    }
    const SteadyTime later = world_.now().steady + seconds(5);
    while (world_.now().steady < later && go_on()) {
    }
    return at_rest();
  }

  bool at_rest() {
    if (!server_.up()) return false;
    const machine::MachineCounts c = server_.machine().counts();
    return c.ready + c.delayed + c.blocked + c.leased + c.arrays + c.executions == 0;
  }

  void check_rest() {
    const auto reader = server_.reader();
    checker_.at_rest(*reader);
    if (!server_.up()) return;
    const machine::MachineCounts c = server_.machine().counts();
    checker_.explain(fmt::format(
        " (ready {}, delayed {}, blocked {}, leased {}, arrays {}, executions {}, sessions {})",
        c.ready, c.delayed, c.blocked, c.leased, c.arrays, c.executions, c.sessions));
  }

  void schedule_faults() {
    Random& r = world_.random();
    const Duration span =
        options_.think_max * static_cast<int64_t>(options_.commands) / (2 * options_.producers);
    const auto some_time = [&] { return r.duration(milliseconds(1), span + milliseconds(200)); };
    for (uint32_t i = 0; i < options_.crashes_server; ++i) {
      world_.after(some_time(), [this] {
        server_.crash();
        for (auto& worker : workers_) worker->server_gone();
      });
    }
    for (uint32_t i = 0; i < options_.crashes_worker; ++i) {
      const uint64_t which = r.below(workers_.size());
      world_.after(some_time(), [this, which] { workers_[which]->crash(); });
    }
    for (uint32_t i = 0; i < options_.clock_jumps; ++i) {
      const Duration by = r.duration(minutes(-90), minutes(90));
      world_.after(some_time(), [this, by] { world_.jump_wall_clock(by); });
    }
  }

  void stop_faults() {
    options_.lose = 0;
    options_.duplicate = 0;
    options_.hang = 0;
  }

  Options options_;
  Checker checker_;
  World world_;
  Server server_;
  std::vector<playbook::PlanPtr> plans_;
  std::vector<Sha256> hashes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Producer>> producers_;
};

}  // namespace

RunResult run(const Options& options) { return Scene(options).play(); }

}  // namespace tidemill::sim
