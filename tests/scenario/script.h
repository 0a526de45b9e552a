#pragma once
// Script: reads a scenario and does what it says. The language is in tests/scenario/README.md.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/scenario/worker.h"
#include "tests/scenario/world.h"

namespace tidemill::scenario {

class Script {
 public:
  explicit Script(World& world, const Config& config);
  // Runs every line; failures name the file and the line.
  void run(const std::string& file, const std::string& text);
  // Whether the scenario's `configs` line leaves this configuration out.
  static bool leaves_out(const std::string& text, const std::string& config);

 private:
  using Words = std::vector<std::string>;
  using Options = std::map<std::string, std::string>;
  struct Line {
    Words words;
    Options options;  // key=value
  };
  static Line parse(const std::string& line);
  void run_line(const Line& line);

  // ---- what happens ----
  void queue(const Line& line);
  void token(const Line& line);
  void spawn(const Line& line);
  void array(const Line& line);
  void barrier(const Line& line);
  void worker(const Line& line);
  void claim(const Line& line);
  void report(const Line& line);
  void act_on_work(const Line& line);
  void act_on_worker(const Line& line);

  // ---- what is expected ----
  void expect(const Line& line);
  void expect_worker(Worker& worker, const Words& words);
  void expect_task(const std::string& name, const Line& line);
  void expect_array(const std::string& name, const Line& line);
  void expect_refused(const Line& line);
  void expect_counts(const Line& line);

  const machine::ReplyBody* ask(machine::CommandBody body);
  Worker& worker_named(const std::string& name);
  Unit unit(const std::string& name) const;      // a, A/3
  WorkRef work(const std::string& name) const;   // a, A/3, A (all of it)
  std::string name_of(const Unit& unit) const;
  std::string names_of(const std::vector<Unit>& units) const;
  Duration duration(const std::string& text) const;
  WorkSpec work_spec(const Line& line) const;
  machine::TaskSpec task_spec(const Line& line) const;
  std::string state_of(TaskId id) const;

  World& world_;
  std::map<std::string, std::function<void(const Line&)>> verbs_;
  std::map<std::string, TaskId> tasks_;
  std::map<std::string, ArrayId> arrays_;
  std::map<std::string, uint64_t> array_counts_;
  std::map<std::string, BarrierId> barriers_;
  std::map<std::string, std::vector<std::string>> token_queues_;
  std::map<std::string, Worker> workers_;
  std::vector<ReportAnswer> answers_;
  machine::Refused refused_;
  bool was_refused_ = false;
  bool existing_ = false;
  machine::Cancelled cancelled_;
  machine::Retried retried_;
};

}  // namespace tidemill::scenario
