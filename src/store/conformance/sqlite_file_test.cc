// What is particular to a file: who may open it, what is refused and left as it was, damage that
// recovery finds, the log that does not grow, and what a person sees with a shell of SQLite.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "os/clock.h"
#include "os/file.h"
#include "store/conformance/dump.h"
#include "store/conformance/subject.h"
#include "store/sqlite/internal/schema.h"

namespace tidemill::store {
namespace {

using Mode = SqliteOptions::Mode;

class SqliteFileTest : public testing::Test {
 protected:
  ~SqliteFileTest() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/run.db"; }

  static std::unique_ptr<Store> open(const std::string& path, SqliteOptions options = {}) {
    auto opened = open_sqlite(path, std::move(options));
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    return std::move(opened).value();
  }
  static Error refused(const std::string& path, Mode mode = Mode::create) {
    auto opened = open_sqlite(path, {.mode = mode});
    if (opened.ok()) ADD_FAILURE() << "it was opened";
    return opened.ok() ? Error{} : std::move(opened).error();
  }
  // One task of each sort, an array, an execution: something in every view.
  void fill(Store& store) const;
  // Commits, one after the other, until so many pages more have been written to the log.
  static void write_pages(Store& store, uint64_t pages) {
    const uint64_t until = store.stats().bytes + pages * 4'096;
    TaskRecord t;
    t.work.input = std::make_shared<const std::string>(40'000, 'x');
    while (store.stats().bytes < until) {
      const uint64_t turn = store.stats().commits + 1;
      t.id = TaskId{turn};
      const Change change = PutTask{t};
      ASSERT_TRUE(store.commit({&change, 1}, {Turn{turn}, {}}).ok());
    }
  }
  void shell(const std::string& sql) const { shell(path(), sql); }
  static void shell(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(db);
  }
  // Rows of a query, columns joined by '|'.
  Lines query(const std::string& sql) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    Lines out;
    const auto row = [](void* to, int n, char** values, char**) {
      std::string line;
      for (int i = 0; i < n; ++i) {
        line.append(i == 0 ? "" : "|").append(values[i] == nullptr ? "NULL" : values[i]);
      }
      static_cast<Lines*>(to)->push_back(line);
      return 0;
    };
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), row, &out, &error), SQLITE_OK) << error;
    sqlite3_close(db);
    return out;
  }

  std::string folder_ = new_test_folder();
};

void SqliteFileTest::fill(Store& store) const {
  const std::string text = "workflow: …\n";
  const std::vector<std::string> names = {"start", "fetch"};
  ASSERT_TRUE(store.put_plan(sha256(text), text, names).ok());
  ExecutionRecord e{.id = ExecutionId{1}, .name = "pft", .file = "pft.yaml", .plan = sha256(text)};
  e.started_at = {1'700'000'000'000'000'000};
  e.workload = std::make_shared<const std::string>("{\"n\":1}");
  StepRecord s{.ref = {ExecutionId{1}, 1, 1}, .state = StepRecord::State::running};
  s.entered_at = e.started_at;
  TaskRecord t;
  t.id = TaskId{2};
  t.work.kind = "http";
  t.work.step = s.ref;
  t.spawned_at = t.run_at = t.ready_at = e.started_at;
  TaskRecord other = t;
  other.id = TaskId{3};
  ArrayRecord a;
  a.id = ArrayId{4};
  a.work.kind = "noop";
  a.work.step = s.ref;
  a.count = 10;
  a.spawned_at = e.started_at;
  HistoryRecord h{.task = t, .outcome = Outcome::failed};
  h.task.starts = 1;  // that have ended before
  h.error = {.kind = "http", .message = "503"};
  h.trace = {.spawned = t.spawned_at, .ready = t.ready_at};
  h.trace.dispatched = t.ready_at + milliseconds(5);
  h.trace.finished = milliseconds(20);
  AttemptRecord first{.work = WorkRef::of(t.id), .number = 1};
  first.error = {.kind = "timeout", .message = "5 s"};
  AttemptRecord of_live{.work = WorkRef::of(other.id), .number = 1};
  of_live.end = AttemptRecord::End::crashed;
  of_live.error = {.kind = "worker", .message = "gone"};
  AttemptRecord of_index{.work = WorkRef::of(a.id, 7), .number = 1};
  of_index.error = {.kind = "http", .message = "500"};
  const Change changes[] = {PutExecution{e},     PutStep{s},
                            PutTask{t},          PutTask{other},
                            PutAttempt{first},   FinishTask{h},
                            PutArray{a},         PutOutcomes{a.id, {{.index = 0}, {.index = 1}}},
                            PutAttempt{of_live}, PutAttempt{of_index}};
  ASSERT_TRUE(store.commit(changes, {Turn{1}, e.started_at + seconds(1)}).ok());
}

// ---- who may open it ----

TEST_F(SqliteFileTest, ASecondOwnerIsToldTheFirst) {
  const auto first = open(path());
  const Error error = refused(path());
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_EQ(error.what, "open " + path() + ": " + path() + ".lock is held by process " +
                            std::to_string(os::process_id()) + " on host " + os::host_name() +
                            "; wait until it has ended, or use another store");
}

TEST_F(SqliteFileTest, OtherNamesOfTheFileHaveTheSameOwner) {
  const auto store = open(path());
  const std::string link = folder_ + "/link.db";
  ASSERT_EQ(symlink(path().c_str(), link.c_str()), 0);
  EXPECT_EQ(refused(link).code, ErrorCode::conflict);
  const std::string second = folder_ + "/second.db";
  ASSERT_EQ(::link(path().c_str(), second.c_str()), 0);
  EXPECT_EQ(refused(second).code, ErrorCode::conflict);
  EXPECT_NE(refused(second).what.find("second name"), std::string::npos);
}

TEST_F(SqliteFileTest, AFileThatIsTakenAwayIsNoticed) {
  const auto store = open(path());
  write_pages(*store, 1);
  const Turn next{store->stats().commits + 1};
  ASSERT_EQ(unlink(path().c_str()), 0);
  const Change change = PutTask{};
  const Status refused = store->commit({&change, 1}, {next, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("removed or replaced"), std::string::npos);
  EXPECT_TRUE(store->failed());
}

TEST_F(SqliteFileTest, AReaderSeesWhatTheOwnerCommitsMeanwhile) {
  const auto owner = open(path());
  fill(*owner);
  const auto reader = taken(open_sqlite_reader(path()));
  EXPECT_EQ(taken(reader->last_turn()), Turn{1});
  const auto store = open(path(), {.mode = Mode::read_only});
  EXPECT_EQ(dump_load(*store), dump_load(*owner));
  EXPECT_EQ(store->commit({}, {Turn{2}, {}}).error().code, ErrorCode::denied);
  EXPECT_EQ(store->put_plan(sha256("x"), "x").error().code, ErrorCode::denied);
  ASSERT_TRUE(owner->commit({}, {Turn{2}, {}}).ok());
  EXPECT_EQ(taken(reader->last_turn()), Turn{2});
}

TEST_F(SqliteFileTest, AFinishedFileIsReadInAFolderThatCannotBeWritten) {
  fill(*open(path()));
  if (::geteuid() != 0) {
    std::filesystem::permissions(folder_, std::filesystem::perms(0555));
    EXPECT_TRUE(open_sqlite_reader(path()).ok());
    EXPECT_EQ(refused(path()).code, ErrorCode::denied);
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    return;
  }
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  const pid_t child = ::fork();  // Permissions mean nothing to root.
  if (child == 0) {
    constexpr uid_t kNobody = 65'534;
    bool good = ::setuid(kNobody) == 0;
    {
      const auto reader = open_sqlite_reader(path());
      good = good && reader.ok() && (*reader)->last_turn().value() == Turn{1};
      const auto owner = open_sqlite(path());
      good = good && !owner.ok() && owner.error().code == ErrorCode::denied;
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteFileTest, APersonWhoHoldsTheWriteLockIsWaitedForAndReported) {
  std::atomic<int> reports = 0;
  sqlite3* person = nullptr;
  const auto let_go = [&](Duration waited) {
    EXPECT_GE(waited, seconds(1));
    ++reports;
    sqlite3_exec(person, "ROLLBACK", nullptr, nullptr, nullptr);
  };
  const auto store = open(path(), {.on_wait = let_go});
  fill(*store);
  ASSERT_EQ(sqlite3_open(path().c_str(), &person), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(person, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(store->commit({}, {Turn{2}, {}}).ok());
  EXPECT_FALSE(store->failed());
  EXPECT_EQ(reports, 1);
  sqlite3_close(person);
}

// ---- what is refused, and left as it was ----

TEST_F(SqliteFileTest, OtherFilesAreRefusedAndNotTouched) {
  const std::string text = folder_ + "/notes.txt", other = folder_ + "/other.db";
  ASSERT_TRUE(os::write_file_atomic(text, std::string(5'000, 'n')).ok());
  shell(other, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  const std::string other_bytes = os::read_file(other).value();
  for (const Mode mode : {Mode::create, Mode::must_exist, Mode::read_only}) {
    EXPECT_EQ(refused(text, mode).what,
              "open " + text + ": it is no SQLite file, so not a tidemill store; name another "
                               "file");
    const Error error = refused(other, mode);
    EXPECT_EQ(error.code, ErrorCode::corrupt);
    EXPECT_EQ(error.what, "open " + other +
                              ": it is an SQLite file of another program, not a "
                              "tidemill store; name another file");
  }
  EXPECT_EQ(os::read_file(text).value(), std::string(5'000, 'n'));
  EXPECT_EQ(os::read_file(other).value(), other_bytes);
  EXPECT_EQ(os::list_folder(folder_).value(), (Lines{"notes.txt", "other.db"}));
}

TEST_F(SqliteFileTest, MissingAndEmptyFiles) {
  EXPECT_EQ(refused(path(), Mode::must_exist).code, ErrorCode::not_found);
  EXPECT_EQ(refused(path(), Mode::read_only).code, ErrorCode::not_found);
  const Error no_folder = refused(folder_ + "/none/run.db");
  EXPECT_EQ(no_folder.code, ErrorCode::denied);
  EXPECT_EQ(no_folder.what, "open " + folder_ + "/none/run.db: there is no folder " + folder_ +
                                "/none; make it, or name another");
  EXPECT_EQ(open_sqlite_reader(path()).error().code, ErrorCode::not_found);
  EXPECT_TRUE(os::list_folder(folder_).value().empty());
  ASSERT_TRUE(os::write_file_atomic(path(), "").ok());
  EXPECT_EQ(refused(path(), Mode::must_exist).code, ErrorCode::not_found);
  fill(*open(path()));
  EXPECT_EQ(dump_load(*open(path(), {.mode = Mode::must_exist})).size(), 7U);
}

TEST_F(SqliteFileTest, AFileThatIsCutOffIsRefused) {
  fill(*open(path()));
  const auto size = std::filesystem::file_size(path());
  for (const uintmax_t left : {size / 2, size - 4'096, uintmax_t{4'096}, uintmax_t{50}}) {
    const std::string cut = folder_ + "/cut.db";
    std::filesystem::copy_file(path(), cut, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(cut, left);
    EXPECT_EQ(refused(cut).code, ErrorCode::corrupt) << left;
    EXPECT_EQ(std::filesystem::file_size(cut), left);
  }
}

TEST_F(SqliteFileTest, ANewerFileIsRefusedAndAnOlderOneMigrated) {
  fill(*open(path()));
  shell("PRAGMA user_version = 99");
  for (const Mode mode : {Mode::create, Mode::read_only}) {
    const Error error = refused(path(), mode);
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_NE(error.what.find("newer version of tidemill (its schema is 99"), std::string::npos);
  }
  const std::string made = folder_ + "/made.db";
  const char* const steps[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x)"};
  auto db = taken(Database::open(made, {.access = Database::Access::create}));
  ASSERT_TRUE(migrate(*db, std::span(steps).first(1)).ok());
  ASSERT_TRUE(db->execute("INSERT INTO a VALUES (7)").ok());
  EXPECT_EQ(check_version(*db, steps, 2).error().code, ErrorCode::conflict);
  EXPECT_TRUE(check_version(*db, steps, 1).ok());
  ASSERT_TRUE(migrate(*db, steps).ok());
  EXPECT_EQ(taken(db->number("PRAGMA user_version")), 2);
  EXPECT_EQ(taken(db->number("SELECT x FROM a")), 7);
  const char* const wrong[] = {steps[0], steps[1], "CREATE TABLE c (x); CREATE TABLE a (x)"};
  EXPECT_FALSE(migrate(*db, wrong).ok());
  EXPECT_EQ(taken(db->number("PRAGMA user_version")), 2);
  EXPECT_EQ(taken(db->number("SELECT count(*) FROM sqlite_schema")), 2);
  ASSERT_TRUE(migrate(*db, steps).ok());
}

// ---- damage ----

TEST_F(SqliteFileTest, ADamagedRowIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPDATE live_tasks SET sum = sum + 1", "table live_tasks, row 1/2/0/1700000000000000000/3"},
      {"UPDATE live_tasks SET data = zeroblob(20)", "table live_tasks, row 1/2/0/"},
      {"UPDATE live_tasks SET priority = 5", "table live_tasks, row 1/2/5/"},
      {"UPDATE execution_records SET data = data || x'00'", "table execution_records, row 1"},
      {"UPDATE workloads SET workload = '{}'", "table workloads, row 1"},
      {"UPDATE step_records SET step = 0", "table step_records, row 1/0/1"},
      {"UPDATE array_records SET sum = 0", "table array_records, row 4"},
      {"UPDATE array_outcomes SET heads = x'0100'", "table array_outcomes, row 4/1/1"},
      {"UPDATE lanes SET kind = 'x' WHERE lane = 1", "table lanes, row 1"},
      {"INSERT INTO counters VALUES (1, 2, 3, 4)", "table counters, row 1"},
  };
  for (const auto& [damage, says] : cases) {
    std::filesystem::remove(path());
    fill(*open(path()));
    shell(damage);
    const auto store = open(path());
    DumpLoader loader;
    const Status loaded = store->load(loader);
    ASSERT_FALSE(loaded.ok()) << damage;
    EXPECT_EQ(loaded.error().code, ErrorCode::corrupt) << damage;
    EXPECT_NE(loaded.error().what.find(says), std::string::npos) << loaded.error().what;
  }
}

TEST_F(SqliteFileTest, DamagedBodiesAreFoundWhenTheyAreRead) {
  fill(*open(path()));
  shell("UPDATE outcome_bodies SET traces = traces || x'00'");
  const auto reader = taken(open_sqlite_reader(path()));
  const auto outcomes = reader->outcomes(ArrayId{4}, 0, 10);
  ASSERT_FALSE(outcomes.ok());
  EXPECT_EQ(outcomes.error().code, ErrorCode::corrupt);
  EXPECT_NE(outcomes.error().what.find("array_outcomes, row 4/1/1"), std::string::npos);
}

// ---- the log ----

TEST_F(SqliteFileTest, TheLogIsUsedAgainAndDoesNotGrowWithWhatIsWritten) {
  const auto store = open(path(), {.log_pages = 256});
  write_pages(*store, 6'000);  // more than twenty logs
  EXPECT_LT(std::filesystem::file_size(path() + "-wal"), 1'100U * 4'096);
}

// The log cannot start over while somebody reads from it. That must not stop the writer, and once
// the reader is gone the log grows no more.
TEST_F(SqliteFileTest, AReaderThatStaysDoesNotStopTheWriter) {
  const auto store = open(path(), {.log_pages = 256});
  write_pages(*store, 100);
  sqlite3* person = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &person), SQLITE_OK);
  const char* const reads = "BEGIN; SELECT count(*) FROM live_tasks";
  ASSERT_EQ(sqlite3_exec(person, reads, nullptr, nullptr, nullptr), SQLITE_OK);
  write_pages(*store, 4'000);
  const auto grown = std::filesystem::file_size(path() + "-wal");
  EXPECT_GT(grown, 4'000U * 4'096);
  sqlite3_close(person);
  write_pages(*store, 6'000);
  EXPECT_LT(std::filesystem::file_size(path() + "-wal"), grown + 1'100U * 4'096);
}

TEST_F(SqliteFileTest, ACleanEndLeavesOneFile) {
  fill(*open(path()));
  EXPECT_EQ(os::list_folder(folder_).value(), (Lines{"run.db", "run.db.lock"}));
}

// ---- by hand ----

TEST_F(SqliteFileTest, TheViewsReadWell) {
  fill(*open(path()));
  EXPECT_EQ(
      query("SELECT id, queue, kind, state, execution, step, indexes, done, ran_ms, waited_ms, "
            "error, recorded FROM tasks ORDER BY id"),
      (Lines{"2|default|http|failed|1|fetch|NULL|NULL|20.0|5.0|http: 503|"
             "2023-11-14T22:13:21.000Z",
             "3|default|http|ready|1|fetch|NULL|NULL|NULL|NULL|NULL|NULL",
             "4|default|noop|array|1|fetch|10|2|NULL|NULL|NULL|NULL"}));
  EXPECT_EQ(query("SELECT task, number, ended, queue, kind, execution, step, error FROM attempts "
                  "ORDER BY task, number"),
            (Lines{"2|1|failed|default|http|1|fetch|timeout: 5 s",
                   "2|2|failed|default|http|1|fetch|http: 503",
                   "3|1|crashed|default|http|1|fetch|worker: gone",
                   "4|NULL|2 done, 0 failed, 0 cancelled of indexes 0 to 1|default|noop|1|fetch|"
                   "NULL",
                   "4|1|failed|default|noop|1|fetch|http: 500"}));
  EXPECT_EQ(query("SELECT id, name, state, started, finished, workload FROM executions"),
            Lines{"1|pft|running|2023-11-14T22:13:20.000Z|NULL|{\"n\":1}"});
  EXPECT_EQ(query("SELECT execution, playbook, step, epoch, state, entered FROM steps"),
            Lines{"1|pft|fetch|1|running|2023-11-14T22:13:20.000Z"});
  EXPECT_EQ(query("PRAGMA integrity_check"), Lines{"ok"});
  EXPECT_EQ(query("PRAGMA auto_vacuum"), Lines{"2"});
}

}  // namespace
}  // namespace tidemill::store
