#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "os/file.h"
#include "os/sync.h"
#include "store/sqlite/internal/checkpointer.h"
#include "store/sqlite/internal/checksum.h"
#include "store/sqlite/internal/database.h"
#include "store/sqlite/internal/recovery.h"
#include "store/sqlite/internal/schema.h"
#include "store/sqlite/internal/sqlite_reader.h"
#include "store/sqlite/internal/writer.h"

namespace tidemill::store {

namespace {

using Mode = SqliteOptions::Mode;

constexpr Duration kReaderGivesUp = seconds(10);

class IgnoringLoader : public Loader {
  void counters(uint64_t, uint32_t, Turn) override {}
  void queue(QueueConfig) override {}
  void token(TokenRecord) override {}
  void execution(ExecutionRecord) override {}
  void barrier(BarrierRecord) override {}
  void array(ArrayRecord) override {}
  void items(ItemChunk) override {}
  void outcome(ArrayId, uint64_t, Outcome) override {}
  void override_(IndexOverride) override {}
  void handed_out(TaskId) override {}
  void task(TaskRecord) override {}
  void step(StepRecord) override {}
  void hand_out(HandOut) override {}
};

Status refuse_unless_ours(Identity identity) {
  switch (identity) {
    case Identity::ours:
      return Ok{};
    case Identity::empty:
      return Error{ErrorCode::not_found, "it is an empty file, not a tidemill store"};
    case Identity::foreign:
      break;
  }
  return Error{ErrorCode::corrupt,
               "it is an SQLite file of another program, not a tidemill store; name another file"};
}

Result<std::unique_ptr<Database>> open_for_reading(const std::string& path,
                                                   const std::string& vfs) {
  const auto try_with = [&](Database::Access access) -> Result<std::unique_ptr<Database>> {
    TIDEMILL_TRY(auto db, Database::open(path, {access, vfs, {}, kReaderGivesUp}));
    TIDEMILL_CHECK(db->execute("PRAGMA query_only = 1"));
    TIDEMILL_TRY(const Identity identity, identify(*db));
    TIDEMILL_CHECK(refuse_unless_ours(identity));
    TIDEMILL_CHECK(check_version(*db, migrations(), kOldestReadable));
    return db;
  };
  // Opened as for writing, so that the last to leave tidies the log up; in a folder that cannot be
  // written SQLite reads only a file without a log.
  auto db = try_with(Database::Access::write);
  const bool stuck =
      !db.ok() && (db.error().code == ErrorCode::denied || db.error().code == ErrorCode::io);
  if (stuck && !os::exists(path + "-wal")) return try_with(Database::Access::immutable);
  return db;
}

class SqliteStore : public Store {
 public:
  SqliteStore(std::string path, SqliteOptions options, std::unique_ptr<Database> db)
      : path_(std::move(path)), options_(std::move(options)), db_(std::move(db)) {}
  ~SqliteStore() override;

  Status start(std::optional<os::FileLock> ownership);

  Status load(Loader& loader) override;
  Status commit(std::span<const Change> changes, const CommitInfo& info) override;
  void note_recorded(Turn turn, WallTime at) override;
  Status put_plan(const Sha256& hash, std::string_view text,
                  std::span<const std::string> step_names) override;
  Result<std::unique_ptr<Reader>> reader() override;
  bool failed() const override { return failed_.load(); }
  StoreStats stats() const override;

 private:
  Status load_now(Loader& loader) REQUIRES(commits_);
  template <class Write>
  Status transaction(std::string_view doing, Write write) REQUIRES(commits_);
  Status insert_plan(const Sha256& hash, std::string_view text,
                     std::span<const std::string> step_names);
  Status check_file() const;

  const std::string path_;
  const SqliteOptions options_;
  std::optional<os::FileLock> ownership_;  // let go of last
  os::FileIdentity file_;
  mutable os::Mutex commits_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Writer> writer_;
  bool loaded_ GUARDED_BY(commits_) = false;
  Turn last_turn_ GUARDED_BY(commits_);
  std::optional<WallTime> recorded_ GUARDED_BY(commits_);  // of the last turn, not yet written
  std::optional<Error> failure_ GUARDED_BY(commits_);
  std::atomic<bool> failed_ = false;
  Statement begin_, commit_;
  uint64_t log_pages_ = 0;  // after the last commit
  StoreStats stats_ GUARDED_BY(commits_);
  std::unique_ptr<Checkpointer> checkpointer_;  // ends before the mutex it takes
};

Status SqliteStore::start(std::optional<os::FileLock> ownership) {
  ownership_ = std::move(ownership);
  if (options_.mode == Mode::read_only) return Ok{};
  TIDEMILL_TRY(file_, os::file_identity(path_));
  TIDEMILL_CHECK(
      db_->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                   "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY"));
  TIDEMILL_TRY(writer_, Writer::open(*db_));
  TIDEMILL_TRY(begin_, db_->prepare("BEGIN IMMEDIATE"));
  TIDEMILL_TRY(commit_, db_->prepare("COMMIT"));
  TIDEMILL_TRY(auto second, Database::open(path_, {Database::Access::write, options_.vfs, {}, {}}));
  TIDEMILL_CHECK(second->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"));
  const uint64_t log_pages = std::clamp<uint64_t>(options_.log_pages, 256, 1'000'000);
  checkpointer_ = std::make_unique<Checkpointer>(std::move(second), commits_, log_pages);
  db_->on_commit([this](uint64_t pages) { log_pages_ = pages; });
  return Ok{};
}

Status SqliteStore::load(Loader& loader) {
  const os::Lock lock(commits_);
  return load_now(loader);
}

Status SqliteStore::load_now(Loader& loader) {
  if (Status done = recover(*db_, writer_.get(), loader); !done.ok()) {
    return std::move(done).error().with("read " + path_);
  }
  TIDEMILL_TRY(last_turn_, last_turn(*db_));
  loaded_ = true;
  return Ok{};
}

Status SqliteStore::commit(std::span<const Change> changes, const CommitInfo& info) {
  if (checkpointer_) checkpointer_->before_commit();
  const os::Lock lock(commits_);
  if (options_.mode == Mode::read_only) return Error{ErrorCode::denied, path_ + " is open to read"};
  if (!loaded_) {
    IgnoringLoader ignored;
    TIDEMILL_CHECK(load_now(ignored));
  }
  TIDEMILL_ASSERT(failure_ || info.turn > last_turn_);
  TIDEMILL_CHECK(transaction("commit", [&, before = last_turn_, at = recorded_]() -> Status {
    if (at) TIDEMILL_CHECK(writer_->set_recorded(before, *at));
    return writer_->apply(changes, info);
  }));
  recorded_.reset();
  last_turn_ = info.turn;
  stats_.commits += 1;
  stats_.changes += changes.size();
  stats_.bytes += db_->pages_written() * 4'096;
  checkpointer_->committed(log_pages_);
  return Ok{};
}

void SqliteStore::note_recorded(Turn turn, WallTime at) {
  const os::Lock lock(commits_);
  TIDEMILL_ASSERT(turn == last_turn_);
  recorded_ = at;
}

// The time of the last turn is not worth a sync of its own, nor waiting for a person's shell.
SqliteStore::~SqliteStore() {
  checkpointer_.reset();
  const os::Lock lock(commits_);
  if (!recorded_ || failure_) return;
  db_->give_up_after(milliseconds(100));
  if (!db_->execute("PRAGMA synchronous = NORMAL").ok()) return;
  static_cast<void>(transaction("commit", [this, turn = last_turn_, at = *recorded_] {
    return writer_->set_recorded(turn, at);
  }));
}

// After the first failure every later write is refused: what is in memory above may be ahead of the
// file.
template <class Write>
Status SqliteStore::transaction(std::string_view doing, Write write) {
  if (failure_) {
    return Error{failure_->code, path_ + " takes no more writes: " + failure_->what};
  }
  Status done = check_file();
  if (done.ok()) done = begin_.with().run();
  if (done.ok()) done = write();
  if (done.ok()) done = commit_.with().run();
  if (done.ok()) return done;
  static_cast<void>(
      db_->execute("ROLLBACK"));  // It may have been rolled back by the failure itself.
  failure_ = std::move(done).error().with(std::string(doing) + " to " + path_);
  failed_ = true;
  return *failure_;
}

// SQLite would go on writing to a file that nobody can find again.
Status SqliteStore::check_file() const {
  const auto now = os::file_identity(path_);
  if (now.ok() && now->is_same_file(file_)) return Ok{};
  return Error{ErrorCode::io, "the file was removed or replaced while it was in use"};
}

Status SqliteStore::put_plan(const Sha256& hash, std::string_view text,
                             std::span<const std::string> step_names) {
  if (checkpointer_) checkpointer_->before_commit();
  const os::Lock lock(commits_);
  if (options_.mode == Mode::read_only) return Error{ErrorCode::denied, path_ + " is open to read"};
  return transaction("put a plan", [&] { return insert_plan(hash, text, step_names); });
}

Status SqliteStore::insert_plan(const Sha256& hash, std::string_view text,
                                std::span<const std::string> step_names) {
  const Blob name{std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size())};
  TIDEMILL_TRY(Statement plan, db_->prepare("INSERT OR IGNORE INTO plans VALUES (?, ?, ?)"));
  TIDEMILL_CHECK(plan.with(name, text, row_sum(text)).run());
  TIDEMILL_TRY(Statement step, db_->prepare("INSERT OR REPLACE INTO plan_steps VALUES (?, ?, ?)"));
  for (size_t i = 0; i < step_names.size(); ++i) {
    TIDEMILL_CHECK(step.with(name, static_cast<uint64_t>(i), step_names[i]).run());
  }
  return Ok{};
}

Result<std::unique_ptr<Reader>> SqliteStore::reader() {
  auto db = open_for_reading(path_, options_.vfs);
  if (!db.ok()) return std::move(db).error().with("read " + path_);
  return make_sqlite_reader(std::move(db).value());
}

StoreStats SqliteStore::stats() const {
  const os::Lock lock(commits_);
  return stats_;
}

// What the file is, before anything is made beside it. The look goes past the log, so where there
// is one the file alone may be half set up or in the midst of a checkpoint: only what belongs to
// another program is refused then, and the rest is asked again when the file is open.
Status check_before_locking(const std::string& path, const SqliteOptions& options) {
  const auto size = os::file_size(path);
  if (!size.ok()) {
    const bool may_create =
        options.mode == Mode::create && size.error().code == ErrorCode::not_found;
    return may_create ? Status(Ok{}) : size.error();
  }
  if (*size == 0) {
    return options.mode == Mode::create ? Status(Ok{}) : refuse_unless_ours(Identity::empty);
  }
  TIDEMILL_TRY(auto probe,
               Database::open(path, {Database::Access::immutable, options.vfs, {}, {}}));
  const Result<Identity> identity = identify(*probe);
  if (!identity.ok()) return os::exists(path + "-wal") ? Status(Ok{}) : identity.error();
  return *identity == Identity::foreign ? refuse_unless_ours(*identity) : Status(Ok{});
}

Result<os::FileLock> take_ownership(const std::string& path) {
  const std::string folder = os::folder_of(path);
  if (!os::exists(folder)) {
    return Error{ErrorCode::denied, "there is no folder " + folder + "; make it, or name another"};
  }
  auto ownership = os::FileLock::take(path + ".lock");
  if (ownership.ok() || ownership.error().code != ErrorCode::conflict) return ownership;
  return Error{ErrorCode::conflict,
               ownership.error().what + "; wait until it has ended, or use another store"};
}

// Under its other name another process could own it too.
Status refuse_second_names(const std::string& path) {
  TIDEMILL_TRY(const os::FileIdentity file, os::file_identity(path));
  if (file.names <= 1) return Ok{};
  return Error{ErrorCode::conflict,
               "the file has a second name (a hard link), so nobody can tell who owns it; remove "
               "that name, or make a copy"};
}

// What a person can do about it. Nothing has been changed.
Error with_next_step(Error error) {
  if (error.code == ErrorCode::denied && !error.what.starts_with("there is no folder")) {
    error.what += "; the file and its folder must be writable: mend that, or use a store elsewhere";
  } else if (error.code == ErrorCode::disk_full) {
    error.what += "; make room, and try again";
  } else if (error.what == "file is not a database") {
    error.what = "it is no SQLite file, so not a tidemill store; name another file";
  } else if (error.what == "database disk image is malformed") {
    error.what = "it is damaged or cut off, and was left as it is; put a copy back, or name "
                 "another file";
  }
  return error;
}

Result<std::unique_ptr<Store>> open_owned(const std::string& path, SqliteOptions options) {
  TIDEMILL_CHECK(check_before_locking(path, options));
  TIDEMILL_TRY(os::FileLock ownership, take_ownership(path));
  const bool is_new = !os::exists(path);
  if (!is_new) TIDEMILL_CHECK(refuse_second_names(path));
  TIDEMILL_TRY(auto db,
               Database::open(path, {is_new ? Database::Access::create : Database::Access::write,
                                     options.vfs,
                                     options.on_wait,
                                     {}}));
  TIDEMILL_TRY(const Identity identity, identify(*db));
  if (identity == Identity::foreign || options.mode == Mode::must_exist) {
    TIDEMILL_CHECK(refuse_unless_ours(identity));
  }
  TIDEMILL_CHECK(migrate(*db, migrations()));
  if (is_new) TIDEMILL_CHECK(os::sync_folder(os::folder_of(path)));
  auto store = std::make_unique<SqliteStore>(path, std::move(options), std::move(db));
  TIDEMILL_CHECK(store->start(std::move(ownership)));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& name, SqliteOptions options) {
  const std::string path = os::resolve_links(name);
  const auto open = [&]() -> Result<std::unique_ptr<Store>> {
    if (options.mode != Mode::read_only) return open_owned(path, options);
    TIDEMILL_TRY(auto db, open_for_reading(path, options.vfs));
    auto store = std::make_unique<SqliteStore>(path, options, std::move(db));
    TIDEMILL_CHECK(store->start(std::nullopt));
    return std::unique_ptr<Store>(std::move(store));
  };
  auto opened = open();
  if (!opened.ok()) return with_next_step(std::move(opened).error()).with("open " + path);
  return opened;
}

Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path) {
  auto db = open_for_reading(path, "");
  if (!db.ok()) return with_next_step(std::move(db).error()).with("open " + path);
  return make_sqlite_reader(std::move(db).value());
}

}  // namespace tidemill::store
