// What a failing disk and a lost power do to the SQLite store: a failed commit fails the store and
// nothing after it is taken; what was acknowledged is there after any power loss, whole turns only.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "store/conformance/dump.h"
#include "store/conformance/fault_vfs.h"
#include "store/conformance/random_changes.h"
#include "store/conformance/subject.h"

namespace tidemill::store {
namespace {

using Fault = FaultVfs::Fault;

class SqliteFaultsTest : public testing::Test {
 protected:
  ~SqliteFaultsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/run.db"; }
  Store& open() {
    store_.reset();
    auto opened = open_sqlite(path(), {.log_pages = 256, .vfs = vfs_.name()});
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    store_ = std::move(opened).value();
    return *store_;
  }
  static std::vector<Change> spawn(uint64_t id) {
    TaskRecord t;
    t.id = TaskId{id};
    t.work.input = std::make_shared<const std::string>(2'000, 'x');
    return {PutTask{t}};
  }
  Status commit(uint64_t turn) { return store_->commit(spawn(turn), {{turn}, {1}}); }

  FaultVfs vfs_;
  std::string folder_ = new_test_folder();
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteFaultsTest, AFullDiskFailsTheStoreAndOpeningAgainGoesOnWhereItWas) {
  open();
  ASSERT_TRUE(commit(1).ok());
  vfs_.set_fault(Fault::disk_full);
  const Status full = commit(2);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::disk_full);
  EXPECT_TRUE(store_->failed());
  vfs_.set_fault(Fault::none);
  const Status refused = commit(2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::disk_full);
  EXPECT_NE(refused.error().what.find("takes no more writes"), std::string::npos);
  EXPECT_FALSE(store_->put_plan(sha256("p"), "p").ok());

  open();
  EXPECT_FALSE(store_->failed());
  EXPECT_EQ(taken(taken(store_->reader())->last_turn()), Turn{1});
  EXPECT_TRUE(commit(2).ok());
  EXPECT_EQ(dump_load(*store_).size(), 3U);  // the counters and two tasks
}

TEST_F(SqliteFaultsTest, AFailedSyncFailsTheStore) {
  open();
  ASSERT_TRUE(commit(1).ok());
  vfs_.set_fault(Fault::sync_fails);
  EXPECT_EQ(commit(2).error().code, ErrorCode::io);
  EXPECT_TRUE(store_->failed());
  vfs_.set_fault(Fault::none);
  EXPECT_FALSE(commit(3).ok());
}

TEST_F(SqliteFaultsTest, AFullDiskAtAnyWriteLeavesWholeTurns) {
  for (uint64_t after = 0; after < 24; ++after) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    open();
    vfs_.set_fault(Fault::disk_full, after);
    uint64_t acknowledged = 0;
    while (commit(acknowledged + 1).ok()) ++acknowledged;
    vfs_.set_fault(Fault::none);
    open();
    EXPECT_EQ(taken(taken(store_->reader())->last_turn()), Turn{acknowledged}) << after;
    EXPECT_EQ(dump_load(*store_).size(), acknowledged + 1) << after;
  }
}

TEST_F(SqliteFaultsTest, AFullDiskWhileTheFileIsMadeIsSaid) {
  vfs_.set_fault(Fault::disk_full, 2);
  const auto opened = open_sqlite(path(), {.vfs = vfs_.name()});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::disk_full);
  vfs_.set_fault(Fault::none);
  open();
  EXPECT_TRUE(commit(1).ok());
}

// The stream of one seed in a file and in memory; at chosen commits the power is lost, and what is
// left is opened: it is the state after some turn, no older than the last acknowledged one.
TEST_F(SqliteFaultsTest, AfterAPowerLossEveryAcknowledgedTurnIsThere) {
  RandomChanges stream(7);
  std::mt19937_64 random(7);
  open();
  const auto memory = open_memory();
  std::vector<Lines> states{dump_load(*memory)};
  for (uint64_t turn = 1; turn <= 150; ++turn) {
    const std::vector<Change> changes = stream.next();
    const CommitInfo info{{turn}, {static_cast<int64_t>(turn)}};
    ASSERT_TRUE(memory->commit(changes, info).ok());
    states.push_back(dump_load(*memory));
    ASSERT_TRUE(store_->commit(changes, info).ok());
    if (random() % 5 != 0) continue;
    const std::string left = folder_ + "/left";
    std::filesystem::create_directory(left);
    vfs_.lose_power(left, random());
    auto opened = open_sqlite(left + "/run.db", {.mode = SqliteOptions::Mode::must_exist});
    ASSERT_TRUE(opened.ok()) << opened.error().what << " after turn " << turn;
    const Turn last = taken(taken((*opened)->reader())->last_turn());
    ASSERT_EQ(last, Turn{turn});
    ASSERT_EQ(difference(states[turn], dump_load(**opened)), "") << "turn " << turn;
    opened.value().reset();
    std::filesystem::remove_all(left);
  }
}

// A checkpoint that was cut off has written the first page, which tells the file's new size, and
// not the rest: the log still has it all.
TEST_F(SqliteFaultsTest, ACheckpointCutOffAfterItsFirstPageLosesNothing) {
  open();
  for (uint64_t turn = 1; turn <= 12; ++turn) ASSERT_TRUE(commit(turn).ok());
  const std::string left = folder_ + "/left";
  std::filesystem::create_directory(left);
  std::filesystem::copy_file(path() + "-wal", left + "/run.db-wal");
  store_.reset();
  std::filesystem::copy_file(path(), left + "/run.db");
  std::filesystem::resize_file(left + "/run.db", 4'096);
  const auto opened = open_sqlite(left + "/run.db", {.mode = SqliteOptions::Mode::must_exist});
  ASSERT_TRUE(opened.ok()) << opened.error().what;
  EXPECT_EQ(taken(taken((*opened)->reader())->last_turn()), Turn{12});
}

// The log's tail cut off or overwritten at any byte: whole turns are left, and the file opens.
TEST_F(SqliteFaultsTest, ATornTailOfTheLogLeavesWholeTurns) {
  open();
  std::vector<uintmax_t> log_sizes;
  for (uint64_t turn = 1; turn <= 12; ++turn) {
    ASSERT_TRUE(commit(turn).ok());
    log_sizes.push_back(std::filesystem::file_size(path() + "-wal"));
  }
  std::mt19937_64 random(3);
  for (int round = 0; round < 40; ++round) {
    const std::string left = folder_ + "/left";
    std::filesystem::create_directory(left);
    std::filesystem::copy_file(path(), left + "/run.db");
    std::filesystem::copy_file(path() + "-wal", left + "/run.db-wal");
    const uint64_t cut = random() % log_sizes.back();
    if (round % 2 == 0) {
      std::filesystem::resize_file(left + "/run.db-wal", cut);
    } else {
      std::fstream wal(left + "/run.db-wal", std::ios::in | std::ios::out | std::ios::binary);
      wal.seekp(static_cast<std::streamoff>(cut));
      wal.write("torn", 4);
    }
    auto opened = open_sqlite(left + "/run.db");
    ASSERT_TRUE(opened.ok()) << opened.error().what << " at " << cut;
    const Turn last = taken(taken((*opened)->reader())->last_turn());
    uint64_t whole = 0;
    while (whole < log_sizes.size() && log_sizes[whole] <= cut) ++whole;
    EXPECT_GE(last.raw, whole) << "at " << cut;
    EXPECT_EQ(dump_load(**opened).size(), last.raw + 1) << "at " << cut;
    opened.value().reset();
    std::filesystem::remove_all(left);
  }
}

}  // namespace
}  // namespace tidemill::store
