#include "tests/scenario/world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidemill::scenario {

namespace {

class Restorer : public store::Loader {
 public:
  Restorer(const Config& config, machine::Rows& rows, Now now)
      : config_(config), rows_(rows), now_(now) {}

  void counters(uint64_t next, uint32_t last_incarnation, Turn turn) override {
    next_id_ = next;
    last_turn = turn;
    incarnation = last_incarnation + 1;
    machine = std::make_unique<machine::Machine>(machine::MachineOptions{
        .seed = 42,
        .incarnation = incarnation,
        .lease = config_.lease,
        .window = config_.window,
    });
  }
  void queue(QueueConfig v) override { machine->restore(std::move(v)); }
  void token(TokenRecord v) override { machine->restore(std::move(v)); }
  void execution(ExecutionRecord v) override { machine->restore(std::move(v)); }
  void barrier(BarrierRecord v) override { machine->restore(std::move(v)); }
  void array(ArrayRecord v) override { machine->restore(std::move(v)); }
  void items(ItemChunk v) override { machine->restore(std::move(v)); }
  void outcome(ArrayId array, uint64_t index, Outcome outcome) override {
    machine->restore_outcome(array, index, outcome);
  }
  void override_(IndexOverride v) override { machine->restore(std::move(v)); }
  void handed_out(TaskId v) override { machine->restore_handed_out(v); }
  void task(TaskRecord v) override { machine->restore(std::move(v)); }
  void step(StepRecord v) override { machine->restore(std::move(v)); }
  void hand_out(HandOut v) override { machine->restore(std::move(v)); }
  void finish() { machine->restored(now_, std::max<uint64_t>(next_id_, 1), rows_); }

  std::unique_ptr<machine::Machine> machine;
  Turn last_turn;
  uint32_t incarnation = 1;
  uint64_t next_id() const { return next_id_; }

 private:
  const Config& config_;
  machine::Rows& rows_;
  Now now_;
  uint64_t next_id_ = 1;
};

}  // namespace

void Memory::take(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (const auto* put = std::get_if<PutTask>(&change)) {
      live[put->task.id] = put->task;
    } else if (const auto* finish = std::get_if<FinishTask>(&change)) {
      EXPECT_FALSE(finished.contains(finish->history.task.id)) << "recorded twice in a round";
      live.erase(finish->history.task.id);
      finished[finish->history.task.id] = finish->history;
    } else if (const auto* reopen = std::get_if<ReopenTask>(&change)) {
      finished.erase(reopen->task.id);
      live[reopen->task.id] = reopen->task;
    } else if (const auto* key = std::get_if<PutKey>(&change)) {
      keys_[{key->key.queue, key->key.key}] = key->key;
    } else if (const auto* ended = std::get_if<PutOutcomes>(&change)) {
      for (const IndexOutcome& one : ended->outcomes) {
        EXPECT_TRUE(outcomes[ended->array].emplace(one.index, one.outcome).second)
            << "index " << one.index << " recorded twice in a round";
      }
    } else if (const auto* again = std::get_if<ReopenIndex>(&change)) {
      outcomes[again->array].erase(again->index);
    } else if (const auto* array = std::get_if<FinishArray>(&change)) {
      EXPECT_TRUE(ended_arrays.emplace(array->array, *array).second) << "an array ended twice";
    } else if (const auto* drop = std::get_if<DropBarrier>(&change)) {
      EXPECT_EQ(++fired[drop->barrier], 1U) << "a barrier fired twice";
    } else if (const auto* attempt = std::get_if<PutAttempt>(&change)) {
      attempts.push_back(attempt->attempt);
    }
  }
}

const KeyRecord* Memory::key(const std::string& queue, const std::string& key) const {
  const auto found = keys_.find({queue, key});
  return found == keys_.end() ? nullptr : &found->second;
}

const HistoryRecord* Memory::finished_task(TaskId id) const {
  const auto found = finished.find(id);
  return found == finished.end() ? nullptr : &found->second;
}

const TaskRecord* Memory::stored_task(TaskId id) const {
  const auto found = live.find(id);
  return found == live.end() ? nullptr : &found->second;
}

World::World(Config config, std::unique_ptr<store::Store> store)
    : config_(std::move(config)), store_(std::move(store)) {
  machine_ = load();
}

std::unique_ptr<machine::Machine> World::load() {
  Restorer restorer(config_, memory_, now_);
  const Status loaded = store_->load(restorer);
  EXPECT_TRUE(loaded.ok());
  // A new incarnation is on record before it gives a lease.
  const Change counters = PutCounters{restorer.next_id(), restorer.incarnation};
  turn_ = restorer.last_turn.raw + 1;
  EXPECT_TRUE(store_->commit({&counters, 1}, {Turn{turn_}, now_.wall}).ok());
  durable_ = turn_;
  restorer.finish();
  return std::move(restorer.machine);
}

machine::Tag World::apply(machine::CommandBody body) {
  const machine::Command command{machine::Tag{++tags_}, std::move(body)};
  machine::TurnOutput out;
  machine_->apply(Turn{turn_ + 1}, now_, {&command, 1}, memory_, out);
  machine_->check();
  memory_.take(out.changes);
  if (!out.changes.empty()) {
    ++turn_;
    uncommitted_.push_back({{Turn{turn_}, now_.wall}, std::move(out.changes)});
  }
  for (const auto& effect : out.effects) {
    const auto* page = std::get_if<machine::PageWanted>(&effect.effect);
    if (page != nullptr) pages_.push_back(*page);
  }
  for (machine::Reply& reply : out.replies) {
    reply.needs.raw = std::min(reply.needs.raw, turn_);
    EXPECT_TRUE(replies_.emplace(reply.tag, std::move(reply)).second) << "two replies";
  }
  return command.tag;
}

machine::Tag World::send(machine::CommandBody body) {
  // A session must live for two exchanges, or no worker outside the process would ever get work.
  const auto* exchange = std::get_if<machine::Exchange>(&body);
  const bool opens = exchange != nullptr && !exchange->request.session;
  const machine::Tag tag = apply(std::move(body));
  commit_to(config_.commit_lag);
  if (config_.restart_each && !opens) restart();
  run_due();
  return tag;
}

const machine::ReplyBody* World::reply(machine::Tag tag) {
  const auto found = replies_.find(tag);
  if (found == replies_.end()) return nullptr;
  while (found->second.needs.raw > durable_) commit_to(uncommitted_.size() - 1);
  return &found->second.body;
}

void World::advance(Duration by) {
  // In steps, so that what is due in between happens when it is due.
  const SteadyTime until = now_.steady + by;
  run_due();
  while (now_.steady < until) {
    const machine::NextDue due = machine_->next_due();
    Duration step = until - now_.steady;
    if (due.steady != SteadyTime::never()) step = std::min(step, due.steady - now_.steady);
    if (due.wall != WallTime::never()) step = std::min(step, due.wall - now_.wall);
    now_.steady = now_.steady + std::max(step, Duration{1});
    now_.wall = now_.wall + std::max(step, Duration{1});
    run_due();
  }
  if (config_.restart_each) restart();
  run_due();
}

void World::jump_wall(Duration by) {
  now_.wall = now_.wall + by;
  run_due();
}

void World::run_due() {
  for (int i = 0; i < 1'000; ++i) {
    const machine::NextDue due = machine_->next_due();
    bring_pages();
    if (due.steady > now_.steady && due.wall > now_.wall) return;
    apply(machine::Tick{});
    commit_to(config_.commit_lag);
  }
  ADD_FAILURE() << "the machine is never through with what is due";
}

// What the machine wants of its backlogs, as it is when all is durable.
void World::bring_pages() {
  while (!pages_.empty()) {
    commit_all();
    const BacklogFilter part = pages_.front().part;
    pages_.pop_front();
    auto reader = store_->reader();
    ASSERT_TRUE(reader.ok());
    auto rows = (*reader)->backlog(part);
    ASSERT_TRUE(rows.ok()) << rows.error().what;
    apply(machine::PageIn{part, std::make_shared<std::vector<BacklogRow>>(std::move(*rows))});
  }
}

void World::commit_to(uint64_t lag) {
  while (uncommitted_.size() > lag) {
    const auto& [info, changes] = uncommitted_.front();
    const Status committed = store_->commit(changes, info);
    ASSERT_TRUE(committed.ok()) << committed.error().what;
    durable_ = info.turn.raw;
    uncommitted_.pop_front();
  }
}

void World::commit_all() { commit_to(0); }

void World::restart() {
  commit_all();
  const uint64_t before = machine_->state_hash();
  pages_.clear();
  machine_ = load();
  EXPECT_EQ(machine_->state_hash(), before) << "the restored machine is another one";
  machine_->check();
  ++restarts_;
}

void World::finish() {
  restart();
  run_due();
}

}  // namespace tidemill::scenario
