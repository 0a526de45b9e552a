#include <gtest/gtest.h>

#include <algorithm>

#include "playbook/compile.h"
#include "playbook/json.h"
#include "world.h"

namespace tidemill::playbook_test {

namespace {

using machine::Machine;
using playbook::Value;

// Feeds a new machine with what the store holds.
class Recovery : public store::Loader {
 public:
  explicit Recovery(Machine*& machine) : machine_(machine) {}
  uint64_t next_id = 1;

  void counters(uint64_t next, uint32_t, Turn) override { next_id = next; }
  void queue(QueueConfig config) override { machine_->restore(std::move(config)); }
  void token(TokenRecord token) override { machine_->restore(std::move(token)); }
  void execution(ExecutionRecord r) override { machine_->restore(std::move(r)); }
  void barrier(BarrierRecord r) override { machine_->restore(std::move(r)); }
  void array(ArrayRecord r) override { machine_->restore(std::move(r)); }
  void items(ItemChunk r) override { machine_->restore(std::move(r)); }
  void outcome(ArrayId a, uint64_t i, Outcome o) override { machine_->restore_outcome(a, i, o); }
  void override_(IndexOverride r) override { machine_->restore(std::move(r)); }
  void handed_out(TaskId id) override { machine_->restore_handed_out(id); }
  void task(TaskRecord r) override { machine_->restore(std::move(r)); }
  void step(StepRecord r) override { machine_->restore(std::move(r)); }
  void hand_out(HandOut r) override { machine_->restore(std::move(r)); }

 private:
  Machine*& machine_;
};

const char* name_of(StepRecord::State state) {
  switch (state) {
    case StepRecord::State::waiting:
      return "waiting";
    case StepRecord::State::expanding:
      return "expanding";
    case StepRecord::State::running:
      return "running";
    case StepRecord::State::routing:
      return "routing";
    case StepRecord::State::done:
      return "done";
    case StepRecord::State::failed:
      return "failed";
    case StepRecord::State::skipped:
      return "skipped";
    case StepRecord::State::cancelled:
      return "cancelled";
  }
  return "?";
}

}  // namespace

Value json(std::string_view text) {
  auto value = playbook::parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Value();
}

std::string text_of(const Value& value) { return playbook::to_json(value); }

World::World(uint64_t seed, Faults f) : faults(f), random(seed) {
  store = store::open_memory(contents);
  reader = std::move(store->reader()).value();
  machine = std::make_unique<Machine>(machine::MachineOptions{.seed = seed});
  // What a worker inside the process holds dies with the server: it would never finish anything.
  const bool in_process = !faults.restart && (seed % 2 == 0 || !faults.restart_often);
  workers.push_back(std::make_unique<FakeWorker>(*this, in_process));
}

playbook::PlanPtr World::add_playbook(std::string_view text) {
  const auto compiled = playbook::compile(text, "test.yaml");
  for (const auto& d : compiled.diagnostics) {
    if (d.severity != playbook::Diagnostic::Severity::error) continue;
    ADD_FAILURE() << playbook::format(d, "test.yaml", text);
  }
  if (!compiled.plan) return nullptr;
  plans[compiled.plan->hash] = compiled.plan;
  return compiled.plan;
}

std::optional<machine::ReplyBody> World::apply(machine::CommandBody body) {
  now.steady = now.steady + milliseconds(1);
  now.wall = now.wall + milliseconds(1);
  const machine::Tag tag{++tags};
  const std::vector<machine::Command> commands{{tag, std::move(body)}};
  machine::Needs needs;
  machine->needs(commands, needs);
  machine::TurnOutput out;
  machine->apply(Turn{++turn}, now, commands, *this, out);
  machine->check();
  const Status committed = store->commit(out.changes, {Turn{turn}, now.wall});
  EXPECT_TRUE(committed.ok());
  for (auto& reply : out.replies) replies[reply.tag.raw] = std::move(reply.body);
  for (const auto& effect : out.effects) {
    if (const auto* over = std::get_if<machine::ExecutionFinished>(&effect.effect)) {
      finished.push_back(over->execution);
    }
  }
  compare_with_store();
  std::optional<machine::ReplyBody> answer;
  if (auto reply = replies.extract(tag.raw)) answer = std::move(reply.mapped());
  // Opening a session changes nothing: it would never come to a second exchange.
  const bool changed = std::any_of(out.changes.begin(), out.changes.end(), [](const Change& c) {
    return !std::holds_alternative<PutCounters>(c);
  });
  if ((faults.restart && changed) || (faults.restart_often && chance(10))) restart();
  return answer;
}

std::unique_ptr<Machine> World::recovered() {
  auto fresh =
      std::make_unique<Machine>(machine::MachineOptions{.seed = 1, .incarnation = incarnation + 1});
  Machine* into = fresh.get();
  Recovery recovery(into);
  EXPECT_TRUE(store->load(recovery).ok());
  fresh->restored(now, recovery.next_id, *this);
  return fresh;
}

void World::compare_with_store() {
  const auto other = recovered();
  ASSERT_EQ(other->state_hash(), machine->state_hash()) << "after turn " << turn;
  other->check();
}

void World::restart() {
  machine = recovered();
  ++incarnation;
  replies.clear();
  for (auto& worker : workers) worker->server_restarted();
}

machine::ReplyBody World::ask(machine::CommandBody body) {
  auto reply = apply(std::move(body));
  EXPECT_TRUE(reply.has_value());
  return reply ? std::move(*reply) : machine::ReplyBody{machine::Done{}};
}

ExecutionId World::start(const playbook::PlanPtr& plan, std::string_view workload) {
  machine::StartExecution command{
      .name = "", .file = "test.yaml", .plan = plan->hash, .workload = {}};
  if (!workload.empty()) command.workload = std::make_shared<const std::string>(workload);
  const auto reply = ask(std::move(command));
  const auto* started = std::get_if<machine::ExecutionStarted>(&reply);
  EXPECT_NE(started, nullptr);
  return started ? started->id : ExecutionId{};
}

std::string World::refused(machine::CommandBody body) {
  const auto reply = ask(std::move(body));
  const auto* no = std::get_if<machine::Refused>(&reply);
  return no ? no->text : "";
}

bool World::run_some(size_t turns) {
  for (size_t i = 0; i < turns; ++i) {
    bool moved = false;
    for (auto& worker : workers) moved = worker->turn() || moved;
    if (machine->counts().executions == 0) return true;
    if (moved) continue;
    const auto due = machine->next_due();
    const Duration steady = due.steady - now.steady;
    const Duration wall = due.wall - now.wall;
    // In steps shorter than a lease: an idle worker still exchanges now and then.
    advance(std::clamp(std::min(steady, wall), Duration{0}, seconds(5)));
  }
  return machine->counts().executions == 0;
}

bool World::run(size_t turns) { return run_some(turns); }

void World::advance(Duration d) {
  now.steady = now.steady + d;
  now.wall = now.wall + d;
  apply(machine::Tick{});
}

ExecutionRecord World::execution(ExecutionId id) {
  auto record = reader->execution(id);
  EXPECT_TRUE(record.ok() && record->has_value());
  return **record;
}

std::vector<StepRecord> World::steps(ExecutionId id) {
  auto all = reader->steps(id);
  EXPECT_TRUE(all.ok());
  return *all;
}

StepRecord World::step(ExecutionId id, std::string_view name) {
  const auto index = plan(execution(id).plan)->find_step(name);
  EXPECT_TRUE(index.has_value()) << name;
  StepRecord newest;
  for (const StepRecord& step : steps(id)) {
    if (step.ref.step == index->raw && step.ref.epoch >= newest.ref.epoch) newest = step;
  }
  return newest;
}

uint32_t World::epochs(ExecutionId id, std::string_view name) { return step(id, name).ref.epoch; }

std::string World::ctx(ExecutionId id) { return *execution(id).ctx; }

std::string World::summary(ExecutionId id) {
  std::string out;
  for (const playbook::Step& s : plan(execution(id).plan)->steps) {
    const StepRecord record = step(id, s.name);
    if (record.ref.epoch == 0) continue;
    if (!out.empty()) out += ' ';
    out += s.name + ":" + name_of(record.state);
    if (record.ref.epoch > 1) out += "*" + std::to_string(record.ref.epoch);
  }
  return out;
}

std::vector<ExecutionRecord> World::children() {
  std::vector<ExecutionRecord> out;
  auto all = reader->executions(ExecutionId{}, 1'000);
  EXPECT_TRUE(all.ok());
  for (const ExecutionRecord& record : *all) {
    if (record.parent.task || record.parent.array) out.push_back(record);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

Value World::result(const ResultRef& ref) {
  if (ref.place == ResultRef::Place::none) return Value::null();
  if (ref.place == ResultRef::Place::blob) return json(blobs.at(ref.blob));
  auto values = reader->results(ref);
  EXPECT_TRUE(values.ok());
  playbook::List list;
  for (const ResultValue& v : *values) {
    list.push_back(v.inline_json.empty() ? Value::null() : json(v.inline_json));
  }
  if (ref.place == ResultRef::Place::array) return Value(std::move(list));
  EXPECT_EQ(list.size(), 1U);
  return list.empty() ? Value::null() : list[0];
}

size_t World::count_calls(std::string_view call) const {
  return static_cast<size_t>(std::count(calls.begin(), calls.end(), call));
}

const HistoryRecord* World::finished_task(TaskId id) const {
  auto row = reader->task(id);
  if (!row.ok() || !row->has_value() || (*row)->outcome == Outcome::open) return nullptr;
  read_task = {.task = (*row)->task,
               .outcome = (*row)->outcome,
               .result = (*row)->result,
               .error = (*row)->error,
               .log = (*row)->log,
               .trace = (*row)->trace};
  return &read_task;
}

const ArrayRecord* World::finished_array(ArrayId id) const {
  auto row = reader->array(id);
  if (!row.ok() || !row->has_value() || !(*row)->finished) return nullptr;
  read_array = (*row)->array;
  return &read_array;
}

const ExecutionRecord* World::finished_execution(ExecutionId id) const {
  auto record = reader->execution(id);
  if (!record.ok() || !record->has_value()) return nullptr;
  return &(read_executions[id] = **record);
}

const std::vector<StepRecord>* World::finished_steps(ExecutionId id) const {
  auto all = reader->steps(id);
  if (!all.ok()) return nullptr;
  std::map<uint32_t, StepRecord> newest;
  for (const StepRecord& step : *all) {
    StepRecord& kept = newest[step.ref.step];
    if (step.ref.epoch >= kept.ref.epoch) kept = step;
  }
  std::vector<StepRecord>& out = read_steps[id];
  out.clear();
  for (auto& [index, step] : newest) out.push_back(step);
  return &out;
}

playbook::PlanPtr World::plan(const Sha256& hash) const {
  const auto found = plans.find(hash);
  return found == plans.end() ? nullptr : found->second;
}

}  // namespace tidemill::playbook_test
