// What only the engine with its threads does: when a turn is said to have been recorded.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <future>
#include <variant>

#include "os/clock.h"
#include "store/memory/memory_store.h"

namespace tidemill::engine {
namespace {

// A memory store that tells of each commit what it was told.
class HeardStore : public store::Store {
 public:
  struct Heard {
    Turn turn;
    WallTime given;     // with the commit
    WallTime returned;  // when the commit returned
    WallTime recorded;  // noted afterwards
  };

  Status load(store::Loader& loader) override { return memory_->load(loader); }
  Status commit(std::span<const Change> changes, const store::CommitInfo& info) override {
    Status done = memory_->commit(changes, info);
    heard_.push_back({info.turn, info.at, os::wall_now(), {}});
    return done;
  }
  void note_recorded(Turn turn, WallTime at) override {
    memory_->note_recorded(turn, at);
    EXPECT_EQ(heard_.back().turn, turn);
    heard_.back().recorded = at;
  }
  Status put_plan(const Sha256& hash, std::string_view text,
                  std::span<const std::string> names) override {
    return memory_->put_plan(hash, text, names);
  }
  Result<std::unique_ptr<store::Reader>> reader() override { return memory_->reader(); }
  bool failed() const override { return memory_->failed(); }
  store::StoreStats stats() const override { return memory_->stats(); }

  std::vector<Heard> heard_;

 private:
  std::unique_ptr<store::Store> memory_ = store::open_memory();
};

machine::SpawnTasks one_task() {
  machine::SpawnTasks spawn;
  spawn.tasks.resize(1);
  spawn.tasks[0].work.kind = "noop";
  return spawn;
}

TEST(EngineTest, ATurnIsRecordedWhenItsCommitHasReturned) {
  HeardStore store;
  const WallTime before = os::wall_now();
  auto engine = Engine::open({}, store, {});
  ASSERT_TRUE(engine.ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*engine)->ask(one_task()).ok());
  (*engine)->stop();
  ASSERT_EQ(store.heard_.size(), 4U);  // the incarnation first
  EXPECT_EQ(store.heard_[0].recorded, WallTime{}) << "nothing that people read names that turn";
  for (size_t i = 1; i < 4; ++i) {
    const HeardStore::Heard& heard = store.heard_[i];
    EXPECT_GE(heard.given, before);
    EXPECT_GE(heard.returned, heard.given);
    EXPECT_GE(heard.recorded, heard.returned);
  }
}

// What is handed out inside the process has its reply at once; its record follows on its own.
TEST(EngineTest, ATurnThatNobodyWaitsForIsCommittedAllTheSame) {
  HeardStore store;
  std::promise<Turn> committed;
  const auto on_committed = [&](const CommitBatch& batch) {
    for (const Change& change : batch.changes) {
      if (std::holds_alternative<HandOut>(change)) committed.set_value(batch.info.turn);
    }
  };
  auto engine = Engine::open({}, store, {.on_committed = on_committed});
  ASSERT_TRUE(engine.ok());
  ASSERT_TRUE((*engine)->ask(one_task()).ok());
  machine::Exchange exchange{.in_process = true};
  exchange.request.number = 1;
  exchange.request.kinds = {"noop"};
  exchange.request.free_slots = 1;
  exchange.request.free_places = 1;
  const auto reply = (*engine)->ask(exchange);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(std::get<ExchangeReply>(*reply).assignments.size(), 1U);
  EXPECT_EQ(committed.get_future().get(), Turn{3});
  (*engine)->stop();
}

// A memory store with one unfinished execution of this playbook.
std::unique_ptr<store::Store> with_execution(const Sha256& plan) {
  auto store = store::open_memory();
  ExecutionRecord execution{.id = ExecutionId{7}, .name = "lost", .plan = plan};
  execution.workload = std::make_shared<const std::string>("{}");
  const Change change = PutExecution{execution};
  EXPECT_TRUE(store->commit({&change, 1}, {Turn{1}, {}}).ok());
  return store;
}

TEST(EngineTest, AnExecutionWhosePlaybookIsGoneIsNamed) {
  const auto store = with_execution(sha256("gone"));
  const auto engine = Engine::open({}, *store, {});
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().code, ErrorCode::corrupt);
  EXPECT_TRUE(engine.error().what.starts_with(
      "execution 7 cannot go on: the store does not hold its playbook any more; use the version"))
      << engine.error().what;
}

TEST(EngineTest, AnExecutionWhosePlaybookDoesNotCompileIsNamed) {
  const std::string text = "kind: Poem";
  const auto store = with_execution(sha256(text));
  ASSERT_TRUE(store->put_plan(sha256(text), text).ok());
  const auto engine = Engine::open({}, *store, {});
  ASSERT_FALSE(engine.ok());
  EXPECT_NE(engine.error().what.find("execution 7 cannot go on: the stored playbook"),
            std::string::npos)
      << engine.error().what;
}

TEST(EngineTest, AfterFailNothingIsTakenAndTheReasonIsGiven) {
  HeardStore store;
  bool told = false;
  auto opened = Engine::open({}, store, {.on_failed = [&] { told = true; }});
  ASSERT_TRUE(opened.ok());
  Engine& engine = **opened;
  ASSERT_TRUE(engine.ask(one_task()).ok());
  engine.fail({ErrorCode::disk_full, "put blob: no room"});
  EXPECT_TRUE(told);
  const auto refused = engine.ask(one_task());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().what, "put blob: no room");
  EXPECT_EQ(engine.failure()->code, ErrorCode::disk_full);
  engine.stop();
  EXPECT_EQ(store.heard_.size(), 2U);
}

}  // namespace
}  // namespace tidemill::engine
