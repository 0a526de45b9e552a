#pragma once
// World: the real machine over a memory store, with fake workers, driven by a seed. It runs
// compiled playbooks to their end while the order of results, their duplication and restarts of the
// server are drawn from the seed, and after every command it checks that the live state is the one
// a restart would read. Tests say what tools answer (Tools) and look at the records that are left.
// One thread.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "playbook/plan.h"
#include "playbook/routing.h"
#include "playbook/step_scope.h"
#include "store/memory/memory_store.h"
#include "store/store.h"

namespace tidemill::playbook_test {

struct Faults {
  bool restart = false;        // the server is restarted after every command
  bool restart_often = false;  // … now and then
  bool duplicate = false;      // reports are sent twice
  bool lose_attempts = false;  // a worker forgets what it runs now and then
  bool shuffle = false;        // results come in any order
  bool one_by_one = true;      // one report for each exchange; else batches
  uint32_t places = 8;
};

// What a tool sees when it is called, and what it answers.
struct Call {
  std::string step;
  uint32_t epoch = 1;
  uint64_t index = 0;
  uint32_t attempt = 1;
  bool loop = false;
  std::string execution_name;
  playbook::Value item;  // of a loop
  playbook::Value ctx;
  playbook::Value workload;
  std::map<std::string, playbook::Value> steps;  // as templates see them
  std::optional<ChildResult> child;
  playbook::Value child_data;  // what the child gave
  bool resumed = false;
};
struct Answer {
  playbook::Value data = playbook::Value::null();
  std::optional<TaskError> error;
  std::optional<int64_t> http_status;
  std::vector<playbook::CtxWrite> ctx;
  std::optional<Report::Child> child;          // suspend until it has ended
  std::optional<playbook::CursorCounts> rows;  // of a claimer
};
using Tool = std::function<Answer(const Call&)>;

struct World;

// A worker that holds work, runs tools at once and reports in any order.
class FakeWorker {
 public:
  FakeWorker(World& world, bool in_process) : world_(world), in_process_(in_process) {}
  // One exchange: some reports go, some work comes. False when nothing moved.
  bool turn();
  void server_restarted();
  size_t held() const { return held_.size(); }

 private:
  Report run(const Assignment& work, uint64_t index);
  Report run_tool(const Assignment& work, uint64_t index, const playbook::StepScope& scope);
  Report run_expansion(const playbook::StepScope& scope);
  Report run_routing(const playbook::StepScope& scope);
  playbook::RoutingScope routing_scope(const playbook::StepScope& scope, ExecutionId id) const;
  playbook::Value fetch(const ResultRef& ref) const;
  ResultValue store_result(std::string text);
  std::vector<Report> take_reports();
  void take_answers(const std::vector<Report>& sent, const ExchangeReply& reply);

  struct Held {
    Assignment work;
    uint64_t index = 0;
  };
  World& world_;
  bool in_process_;
  SessionId session_;
  uint64_t number_ = 0;
  uint64_t last_reply_ = 0;
  std::vector<Held> held_;
  std::vector<Report> again_;  // duplicates to come
  std::vector<LeasedWork> to_cancel_;
  ExecutionId running_;
  int losses_ = 0;
};

struct World : machine::Rows {
  explicit World(uint64_t seed = 1, Faults faults = {});

  // ---- what tests do ----
  playbook::PlanPtr add_playbook(std::string_view text);  // compiled; must be right
  ExecutionId start(const playbook::PlanPtr& plan, std::string_view workload = "");
  std::string refused(machine::CommandBody body);  // its text; "" when it was not refused
  machine::ReplyBody ask(machine::CommandBody body);
  // Until nothing is left to do; false when it did not come to an end.
  bool run(size_t turns = 100'000);
  bool run_some(size_t turns);
  void advance(Duration d);
  void restart();

  // ---- what they look at ----
  ExecutionRecord execution(ExecutionId id);
  std::vector<StepRecord> steps(ExecutionId id);           // every epoch
  StepRecord step(ExecutionId id, std::string_view name);  // newest epoch
  uint32_t epochs(ExecutionId id, std::string_view name);  // 0: never entered
  std::string ctx(ExecutionId id);
  // "a:done b:done*2": states of the newest epochs in the order of the document, with the epoch
  // when there is more than one.
  std::string summary(ExecutionId id);
  std::vector<ExecutionRecord> children();
  playbook::Value result(const ResultRef& ref);

  // Answers by step name; a step without one answers null.
  std::map<std::string, Tool> tools;
  std::map<Sha256, std::string> blobs;
  std::set<std::string> never_end;  // steps whose tools run until they are cancelled
  std::vector<std::string> calls;   // "step#epoch[index]", in the order they began
  size_t count_calls(std::string_view call) const;
  std::vector<ExecutionId> finished;  // effects, in order

  // ---- Rows ----
  const KeyRecord* key(const std::string&, const std::string&) const override { return nullptr; }
  const HistoryRecord* finished_task(TaskId id) const override;
  const TaskRecord* stored_task(TaskId) const override { return nullptr; }
  const ArrayRecord* finished_array(ArrayId id) const override;
  const ExecutionRecord* finished_execution(ExecutionId id) const override;
  const std::vector<StepRecord>* finished_steps(ExecutionId id) const override;
  playbook::PlanPtr plan(const Sha256& hash) const override;

  // ---- inside ----
  std::optional<machine::ReplyBody> apply(machine::CommandBody body);
  std::unique_ptr<machine::Machine> recovered();
  void compare_with_store();
  bool chance(uint32_t percent) { return random() % 100 < percent; }

  Faults faults;
  std::mt19937_64 random;
  std::shared_ptr<store::MemoryContents> contents = store::make_memory_contents();
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Reader> reader;
  std::unique_ptr<machine::Machine> machine;
  uint32_t incarnation = 1;
  uint64_t turn = 0;
  uint64_t tags = 0;
  Now now{{seconds(1'000).ns}, {seconds(1'700'000'000).ns}};
  std::map<Sha256, playbook::PlanPtr> plans;
  std::map<uint64_t, machine::ReplyBody> replies;  // by tag
  std::vector<std::unique_ptr<FakeWorker>> workers;
  mutable std::map<ExecutionId, ExecutionRecord> read_executions;
  mutable std::map<ExecutionId, std::vector<StepRecord>> read_steps;
  mutable HistoryRecord read_task;
  mutable ArrayRecord read_array;
};

playbook::Value json(std::string_view text);
std::string text_of(const playbook::Value& value);

}  // namespace tidemill::playbook_test
