// The machine alone, without store and threads: what deciding costs. Each benchmark drives whole
// turns of an in-process worker and checks that everything it spawned has ended.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"

namespace tidemill::machine {
namespace {

// Nothing is looked up in these runs.
class NoRows : public Rows {
 public:
  const KeyRecord* key(const std::string&, const std::string&) const override { return nullptr; }
  const HistoryRecord* finished_task(TaskId) const override { return nullptr; }
  const TaskRecord* stored_task(TaskId) const override { return nullptr; }
  const ArrayRecord* finished_array(ArrayId) const override { return nullptr; }
  const ExecutionRecord* finished_execution(ExecutionId) const override { return nullptr; }
  const std::vector<StepRecord>* finished_steps(ExecutionId) const override { return nullptr; }
  playbook::PlanPtr plan(const Sha256&) const override { return nullptr; }
};

class Driver {
 public:
  Driver() : machine_({}) {
    Exchange open = exchange();
    open.request.session = {};
    open.request.kinds = {"noop"};
    open.request.free_places = 0;
    turn({{Tag{1}, std::move(open)}});
    session_ = reply().session;
  }

  void turn(std::vector<Command> commands) {
    now_.steady = now_.steady + microseconds(100);
    now_.wall = now_.wall + microseconds(100);
    machine_.apply(Turn{++turn_}, now_, commands, rows_, out_);
  }
  const ExchangeReply& reply() const {
    return std::get<ExchangeReply>(out_.replies.back().body);
  }
  Exchange exchange() {
    Exchange command;
    command.in_process = true;
    command.request.session = session_;
    command.request.number = ++number_;
    command.request.last_reply = number_ - 1;
    command.request.free_places = 1'024;
    command.request.wait = false;
    return command;
  }
  // Answers everything of the last reply as done in one exchange, until nothing comes any more.
  uint64_t drain() {
    turn({{Tag{1}, exchange()}});
    uint64_t done = 0;
    while (!reply().assignments.empty()) {
      Exchange command = exchange();
      for (const Assignment& a : reply().assignments) {
        for (uint64_t i = 0; i < a.work.count; ++i) {
          Report report{.kind = Report::Kind::done, .work = a.work, .epoch = a.epoch};
          if (a.work.array) report.work = WorkRef::of(a.work.array, a.work.first + i);
          command.request.reports.push_back(std::move(report));
        }
      }
      done += command.request.reports.size();
      std::vector<Command> commands;
      commands.push_back({Tag{1}, std::move(command)});
      turn(std::move(commands));
    }
    return done;
  }
  void spawn_array(uint64_t count) {
    SpawnArray command;
    command.array.work.kind = "noop";
    command.array.work.needs_slot = false;
    command.array.count = count;
    turn({{Tag{1}, std::move(command)}});
  }
  void spawn_tasks(uint64_t count) {
    SpawnTasks command;
    command.tasks.resize(count);
    for (TaskSpec& task : command.tasks) {
      task.work.kind = "noop";
      task.work.needs_slot = false;
      task.work.input = input_;
    }
    std::vector<Command> commands;
    commands.push_back({Tag{1}, std::move(command)});
    turn(std::move(commands));
  }
  MachineCounts counts() const { return machine_.counts(); }

 private:
  Machine machine_;
  NoRows rows_;
  TurnOutput out_;
  Now now_{.steady = {1}, .wall = {1'700'000'000'000'000'000}};
  uint64_t turn_ = 0;
  uint64_t number_ = 0;
  SessionId session_;
  SharedBytes input_ = std::make_shared<const std::string>(100, 'x');
};

void fail_unless(benchmark::State& state, bool good) {
  if (!good) state.SkipWithError("not everything that was spawned has ended");
}

// Iterations of a loop without items; the argument is its length.
void array_iterations(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    Driver driver;
    driver.spawn_array(count);
    fail_unless(state, driver.drain() == count && driver.counts().arrays == 0);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(array_iterations)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// Spawn, hand-out and outcome of single tasks; the argument is how many a spawn brings.
void single_tasks(benchmark::State& state) {
  const auto batch = static_cast<uint64_t>(state.range(0));
  Driver driver;
  for (auto _ : state) {
    driver.spawn_tasks(batch);
    fail_unless(state, driver.drain() == batch);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(single_tasks)->Arg(1)->Arg(16)->Arg(256)->Arg(1'000);

// The same in front of a backlog that is never reached.
void tasks_with_backlog(benchmark::State& state) {
  Driver driver;
  for (int64_t i = 0; i < state.range(0); i += 1'000) driver.spawn_tasks(1'000);
  int64_t ended = 0;
  for (auto _ : state) {
    driver.spawn_tasks(1'000);
    driver.turn({{Tag{1}, driver.exchange()}});
    Exchange command = driver.exchange();
    for (const Assignment& a : driver.reply().assignments) {
      command.request.reports.push_back(
          {.kind = Report::Kind::done, .work = a.work, .epoch = a.epoch});
    }
    ended += static_cast<int64_t>(command.request.reports.size());
    command.request.draining = true;
    std::vector<Command> commands;
    commands.push_back({Tag{1}, std::move(command)});
    driver.turn(std::move(commands));
  }
  state.SetItemsProcessed(ended);
}
BENCHMARK(tasks_with_backlog)->Arg(200'000);

void spawn_ten_million_indexes(benchmark::State& state) {
  for (auto _ : state) {
    Driver driver;
    const size_t before = mallinfo2().uordblks;
    driver.spawn_array(10'000'000);
    state.counters["bytes"] = static_cast<double>(mallinfo2().uordblks - before);
  }
}
BENCHMARK(spawn_ten_million_indexes);

// The most memory the machine holds for one index of a loop while it runs.
void memory_of_a_loop(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    Driver driver;
    const size_t before = mallinfo2().uordblks;
    driver.spawn_array(count);
    size_t most = 0;
    uint64_t done = 0;
    driver.turn({{Tag{1}, driver.exchange()}});
    while (!driver.reply().assignments.empty()) {
      Exchange command = driver.exchange();
      for (const Assignment& a : driver.reply().assignments) {
        for (uint64_t i = 0; i < a.work.count; ++i) {
          command.request.reports.push_back({.kind = Report::Kind::done,
                                             .work = WorkRef::of(a.work.array, a.work.first + i),
                                             .epoch = a.epoch});
        }
      }
      done += command.request.reports.size();
      std::vector<Command> commands;
      commands.push_back({Tag{1}, std::move(command)});
      driver.turn(std::move(commands));
      most = std::max(most, mallinfo2().uordblks - before);
    }
    fail_unless(state, done == count);
    state.counters["bytes_per_index"] = static_cast<double>(most) / static_cast<double>(count);
  }
}
BENCHMARK(memory_of_a_loop)->Arg(100'000);

}  // namespace
}  // namespace tidemill::machine

BENCHMARK_MAIN();
