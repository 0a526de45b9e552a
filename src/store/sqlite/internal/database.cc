#include "store/sqlite/internal/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "base/hash.h"

namespace tidemill::store {

namespace {

// A limit on the size of files is as good as a full disk.
bool is_no_room(int cause) { return cause == ENOSPC || cause == EDQUOT || cause == EFBIG; }

// What the system said. SQLite keeps it for some of its calls only; of the rest `errno` still holds
// the last failure, which is believed when it is one that a write can give.
int cause_of(sqlite3* db) {
  const int kept = db == nullptr ? 0 : sqlite3_system_errno(db);
  const int last = errno;
  return kept == 0 && is_no_room(last) ? last : kept;
}

ErrorCode code_of(int cause, int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::disk_full;
    case SQLITE_IOERR:
      return is_no_room(cause) ? ErrorCode::disk_full : ErrorCode::io;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::denied;
    case SQLITE_CANTOPEN:
      if (cause == ENOENT) return ErrorCode::not_found;
      if (is_no_room(cause)) return ErrorCode::disk_full;
      return cause == EACCES || cause == EROFS || cause == EPERM ? ErrorCode::denied
                                                                 : ErrorCode::io;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::unavailable;
    case SQLITE_TOOBIG:
      return ErrorCode::too_large;
    default:
      return ErrorCode::io;
  }
}

Error error_of(sqlite3* db, int rc) {
  const int cause = cause_of(db);
  std::string text = db == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(db);
  const bool is_of_system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
  if (is_of_system && cause != 0) {
    text.append(": ").append(std::generic_category().message(cause));
  }
  return {code_of(cause, rc), std::move(text)};
}

// A path may hold what a URI gives a meaning to.
std::string immutable_uri(std::string_view path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' ||
                       c == '-' || c == '_';
    plain ? uri.append(1, c) : uri.append("%").append(hex(std::string_view(&c, 1)));
  }
  return uri + "?immutable=1";
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(s_); }

void Statement::restart() { sqlite3_reset(s_); }

Result<bool> Statement::next() {
  const int rc = sqlite3_step(s_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) {
    sqlite3_reset(s_);
    return false;
  }
  Error error = error_of(db_, rc);
  sqlite3_reset(s_);
  return error;
}

Status Statement::run() {
  int rc = sqlite3_step(s_);
  while (rc == SQLITE_ROW) rc = sqlite3_step(s_);
  if (rc != SQLITE_DONE) [[unlikely]] {
    Error error = error_of(db_, rc);
    sqlite3_reset(s_);
    return error;
  }
  sqlite3_reset(s_);
  return Ok{};
}

int64_t Statement::changed() const { return sqlite3_changes64(db_); }

int64_t Statement::integer(int column) const { return sqlite3_column_int64(s_, column); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(s_, column);
  const int size = sqlite3_column_bytes(s_, column);
  return {static_cast<const char*>(data), static_cast<size_t>(data == nullptr ? 0 : size)};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(s_, column) == SQLITE_NULL; }

// A bind fails only when the parameter does not exist (a bug) or the value is over SQLite's limit
// of 10^9 bytes, which limits.h keeps away.
void Statement::bind(int at, int64_t v) {
  TIDEMILL_ASSERT(sqlite3_bind_int64(s_, at, v) == SQLITE_OK);
}
void Statement::bind(int at, std::string_view v) {
  const int rc = sqlite3_bind_text64(s_, at, v.data() == nullptr ? "" : v.data(), v.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
  TIDEMILL_ASSERT(rc == SQLITE_OK);
}
void Statement::bind(int at, Blob v) {
  const void* data = v.bytes.data() == nullptr ? "" : v.bytes.data();
  TIDEMILL_ASSERT(sqlite3_bind_blob64(s_, at, data, v.bytes.size(), SQLITE_STATIC) == SQLITE_OK);
}
void Statement::bind(int at, Null) { TIDEMILL_ASSERT(sqlite3_bind_null(s_, at) == SQLITE_OK); }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Options options) {
  std::unique_ptr<Database> out(new Database(std::move(options)));
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
  switch (out->options_.access) {
    case Access::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case Access::write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Access::read:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Access::immutable:
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      break;
  }
  const bool as_uri = out->options_.access == Access::immutable;
  const std::string name = as_uri ? immutable_uri(path) : path;
  const char* vfs = out->options_.vfs.empty() ? nullptr : out->options_.vfs.c_str();
  const int rc = sqlite3_open_v2(name.c_str(), &out->db_, flags, vfs);
  if (rc != SQLITE_OK) return error_of(out->db_, rc);
  sqlite3_busy_handler(out->db_, &Database::wait_for_lock, out.get());
  return out;
}

Database::~Database() { sqlite3_close_v2(db_); }

// SQLite asks whether to try again. Sleeps are short at first, so that a lock held for a moment
// costs a moment.
int Database::wait_for_lock(void* self, int times) {
  auto& db = *static_cast<Database*>(self);
  if (times == 0) db.waited_ms_ = 0;
  const int sleep_ms = std::min(1 + times, 50);
  const int64_t before = db.waited_ms_;
  db.waited_ms_ += sleep_ms;
  const Duration waited = milliseconds(db.waited_ms_);
  if (db.options_.give_up > Duration{} && waited > db.options_.give_up) return 0;
  sqlite3_sleep(sleep_ms);
  for (int64_t mark = 1'000; mark <= db.waited_ms_; mark *= 2) {
    if (before < mark && db.options_.on_wait) db.options_.on_wait(waited);
  }
  return 1;
}

Status Database::execute(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error_of(db_, rc);
  return Ok{};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* s = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &s, nullptr);
  if (rc != SQLITE_OK) return error_of(db_, rc).with(sql);
  return Statement(db_, s);
}

Result<int64_t> Database::number(const char* sql) {
  TIDEMILL_TRY(Statement s, prepare(sql));
  TIDEMILL_TRY(const bool row, s.next());
  return row ? s.integer(0) : 0;
}

uint64_t Database::pages_written() {
  int now = 0, most = 0;
  sqlite3_db_status(db_, SQLITE_DBSTATUS_CACHE_WRITE, &now, &most, 1);
  return static_cast<uint64_t>(now);
}

void Database::on_commit(std::function<void(uint64_t)> call) {
  on_commit_ = std::move(call);
  const auto hook = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Database*>(self)->on_commit_(static_cast<uint64_t>(pages));
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_, hook, this);
}

Result<Database::Checkpoint> Database::checkpoint() {
  int log = 0, done = 0;
  const int rc = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
  if (rc == SQLITE_BUSY) return Checkpoint{};  // somebody else is at it
  if (rc != SQLITE_OK) return error_of(db_, rc);
  return Checkpoint{static_cast<uint64_t>(std::max(log, 0)),
                    static_cast<uint64_t>(std::max(done, 0))};
}

}  // namespace tidemill::store
