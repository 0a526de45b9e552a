#pragma once
// World: a machine, a store and a clock for one run of a scenario in one configuration. It does
// what the engine does, one turn a command: decides, commits (at once or some turns late), and lets
// a reply leave only when the turn it needs is durable. It can be restarted at any time: the
// machine is thrown away and restored from the store, and its state_hash() must be the same.
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "store/store.h"

namespace tidemill::scenario {

struct Config {
  std::string name;
  bool restart_each = false;  // after every command
  uint64_t commit_lag = 0;    // turns that stay uncommitted as long as possible
  Duration lease = seconds(30);
  uint64_t window = 0;  // ready tasks in the machine's memory; 0: as many as usual
};

// What the store would answer, overlay included: everything that was ever decided.
class Memory : public machine::Rows {
 public:
  void take(const std::vector<Change>& changes);
  const KeyRecord* key(const std::string& queue, const std::string& key) const override;
  const HistoryRecord* finished_task(TaskId id) const override;
  const TaskRecord* stored_task(TaskId id) const override;
  const ArrayRecord* finished_array(ArrayId) const override { return nullptr; }
  const ExecutionRecord* finished_execution(ExecutionId) const override { return nullptr; }
  const std::vector<StepRecord>* finished_steps(ExecutionId) const override { return nullptr; }
  playbook::PlanPtr plan(const Sha256&) const override { return nullptr; }

  std::map<TaskId, TaskRecord> live;
  std::map<TaskId, HistoryRecord> finished;
  std::map<ArrayId, std::map<uint64_t, Outcome>> outcomes;
  std::map<ArrayId, FinishArray> ended_arrays;
  std::map<BarrierId, uint64_t> fired;  // how often
  std::vector<AttemptRecord> attempts;

 private:
  std::map<std::pair<std::string, std::string>, KeyRecord> keys_;
};

class World {
 public:
  World(Config config, std::unique_ptr<store::Store> store);

  machine::Tag send(machine::CommandBody body);
  // The reply once it may leave; commits as far as it must. Null: the command is parked, or its
  // parked reply died with a restart.
  const machine::ReplyBody* reply(machine::Tag tag);
  void advance(Duration by);
  void jump_wall(Duration by);
  void restart();
  void commit_all();
  // Everything that must hold at the end of a scenario.
  void finish();

  const Memory& memory() const { return memory_; }
  machine::MachineCounts counts() const { return machine_->counts(); }
  Duration lease() const { return config_.lease; }
  WallTime wall() const { return now_.wall; }
  uint64_t restarts() const { return restarts_; }

 private:
  machine::Tag apply(machine::CommandBody body);
  void run_due();
  void commit_to(uint64_t lag);
  void bring_pages();
  std::unique_ptr<machine::Machine> load();

  Config config_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<machine::Machine> machine_;
  Memory memory_;
  Now now_{.steady = {1'000'000'000}, .wall = {1'700'000'000'000'000'000}};
  uint64_t turn_ = 0;
  uint64_t durable_ = 0;
  uint64_t tags_ = 0;
  uint64_t restarts_ = 0;
  std::deque<std::pair<store::CommitInfo, std::vector<Change>>> uncommitted_;
  std::map<machine::Tag, machine::Reply> replies_;
  std::deque<machine::PageWanted> pages_;  // that nobody has read yet
};

}  // namespace tidemill::scenario
