#include "worker/tools/internal/sqlite_connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "worker/tools/internal/base64.h"

namespace tidemill::worker {

namespace {

using playbook::List;
using playbook::Map;
using playbook::Value;

constexpr size_t kStatementsKept = 256;
constexpr int kBusyMilliseconds = 10'000;
constexpr int kStepsBetweenStopChecks = 20'000;  // of SQLite's virtual machine, about a millisecond

// What every connection of the tool is set to. A call returns after its commit is on disk; the log
// is copied into the file every 4 000 pages, which keeps both small.
constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
    "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;";

// By SqliteConnection::Command. The savepoint has no name that a playbook would use by chance.
constexpr std::array<const char*, 6> kCommands = {"BEGIN IMMEDIATE",
                                                  "COMMIT",
                                                  "ROLLBACK",
                                                  "SAVEPOINT tidemill_call",
                                                  "ROLLBACK TO tidemill_call",
                                                  "RELEASE tidemill_call"};

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return Value::null();
    default:
      break;
  }
  const bool is_text = sqlite3_column_type(statement, column) == SQLITE_TEXT;
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
  const std::string_view bytes(data ? data : "", data ? size : 0);
  // JSON has no bytes, so a blob reads as base64.
  return is_text ? Value(bytes) : Value(base64(bytes));
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code failed;
  return a == b || std::filesystem::equivalent(a, b, failed);
}

}  // namespace

bool is_refused(const std::string& path, const RefusedFiles& refused) {
  for (const std::string& r : refused) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock"}) {
      if (same_file(path, r + suffix)) return true;
    }
  }
  return false;
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, Mode mode,
                                                                 const RefusedFiles& refused) {
  if (is_refused(path, refused)) {
    return Error{ErrorCode::denied,
                 path + " holds the state of this run; use another file for data"};
  }
  auto self = std::unique_ptr<SqliteConnection>(new SqliteConnection(refused));
  const int create = mode == Mode::write ? SQLITE_OPEN_CREATE : 0;
  const int flags = SQLITE_OPEN_READWRITE | create | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &self->db_, flags, nullptr) != SQLITE_OK) {
    return Error{ErrorCode::unavailable, path + ": " + sqlite3_errmsg(self->db_)};
  }
  sqlite3_extended_result_codes(self->db_, 1);
  sqlite3_busy_timeout(self->db_, kBusyMilliseconds);
  const char* pragmas =
      mode == Mode::write ? kPragmas : "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;";
  if (sqlite3_exec(self->db_, pragmas, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Error{ErrorCode::io, path + ": " + sqlite3_errmsg(self->db_)};
  }
  sqlite3_set_authorizer(self->db_, &SqliteConnection::authorize, self.get());
  sqlite3_progress_handler(self->db_, kStepsBetweenStopChecks, &SqliteConnection::keep_going,
                           self.get());
  return self;
}

SqliteConnection::~SqliteConnection() {
  for (sqlite3_stmt* command : commands_) sqlite3_finalize(command);
  for (const Cached& c : cache_) sqlite3_finalize(c.statement);
  sqlite3_close(db_);
}

ToolResult SqliteConnection::run(std::span<const BoundSql> statements,
                                 const std::atomic<StopReason>& stop) {
  ToolResult out;
  stop_ = &stop;
  for (const BoundSql& sql : statements) {
    if (const StopReason reason = stop.load(); reason != StopReason::none) {
      out.error = stopped_error(reason);
      break;
    }
    sqlite3_stmt* statement = prepare(sql.text);
    if (!statement) {
      out.error = last_error(sql.text.get());
      break;
    }
    out.error = bind(statement, sql);
    if (!out.error) out.error = step_all(statement, out);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (out.error) break;
  }
  if (out.error && stop.load() != StopReason::none) out.error = stopped_error(stop.load());
  stop_ = nullptr;
  return out;
}

bool SqliteConnection::only_reads(std::span<const BoundSql> statements) {
  for (const BoundSql& sql : statements) {
    sqlite3_stmt* statement = prepare(sql.text);
    if (!statement || sqlite3_stmt_readonly(statement) == 0) return false;
  }
  return true;
}

std::optional<TaskError> SqliteConnection::execute(Command command) {
  sqlite3_stmt*& statement = commands_[static_cast<size_t>(command)];
  if (!statement) {
    const char* sql = kCommands[static_cast<size_t>(command)];
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
        SQLITE_OK) {
      return last_error(nullptr);
    }
  }
  std::optional<TaskError> error;
  if (sqlite3_step(statement) != SQLITE_DONE) error = last_error(nullptr);
  sqlite3_reset(statement);
  return error;
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

// ATTACH is the other way to a refused file; a name that is computed cannot be checked.
int SqliteConnection::authorize(void* self, int action, const char* a, const char*, const char*,
                                const char*) {
  if (action != SQLITE_ATTACH) return SQLITE_OK;
  const auto& refused = static_cast<SqliteConnection*>(self)->refused_;
  return refused.empty() || (a && !is_refused(a, refused)) ? SQLITE_OK : SQLITE_DENY;
}

int SqliteConnection::keep_going(void* self) {
  const auto* stop = static_cast<SqliteConnection*>(self)->stop_;
  return stop && stop->load(std::memory_order_relaxed) != StopReason::none ? 1 : 0;
}

sqlite3_stmt* SqliteConnection::prepare(const std::shared_ptr<const std::string>& text) {
  if (const auto found = by_text_.find(*text); found != by_text_.end()) {
    cache_.splice(cache_.begin(), cache_, found->second);
    return found->second->statement;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, text->c_str(), static_cast<int>(text->size() + 1),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK || !statement) return nullptr;
  cache_.push_front({text, statement});
  by_text_.emplace(*text, cache_.begin());
  if (cache_.size() > kStatementsKept) {
    sqlite3_finalize(cache_.back().statement);
    by_text_.erase(*cache_.back().text);
    cache_.pop_back();
  }
  return statement;
}

std::optional<TaskError> SqliteConnection::bind(sqlite3_stmt* statement, const BoundSql& sql) {
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(sql.params.size())) {
    return TaskError{"sql",
                     "the statement has parameters of its own (?, :name, @name, $name); "
                     "write the values as templates",
                     false};
  }
  int code = SQLITE_OK;
  int i = 0;
  for (const Value& v : sql.params) {
    ++i;
    switch (v.kind()) {
      case Value::Kind::boolean:
        code = sqlite3_bind_int(statement, i, v.as_bool() ? 1 : 0);
        break;
      case Value::Kind::integer:
        code = sqlite3_bind_int64(statement, i, v.as_integer());
        break;
      case Value::Kind::real:
        code = sqlite3_bind_double(statement, i, v.as_real());
        break;
      case Value::Kind::string: {
        // The statement is stepped before `sql` goes, so its bytes need no copy.
        const std::string& s = v.as_string();
        code = sqlite3_bind_text64(statement, i, s.data(), s.size(), SQLITE_STATIC, SQLITE_UTF8);
        break;
      }
      default:
        code = sqlite3_bind_null(statement, i);
    }
    if (code != SQLITE_OK) return last_error(sql.text.get());
  }
  return std::nullopt;
}

std::optional<TaskError> SqliteConnection::step_all(sqlite3_stmt* statement, ToolResult& out) {
  const int columns = sqlite3_column_count(statement);
  std::vector<std::string> names;
  List name_values;
  for (int c = 0; c < columns; ++c) {
    const char* name = sqlite3_column_name(statement, c);
    names.emplace_back(name ? name : "");
    name_values.emplace_back(names.back());
  }
  List rows;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    Map row;
    row.reserve(names.size());
    // Two columns of one name: the last one is kept, as in the maps of other languages.
    for (int c = 0; c < columns; ++c)
      row.set(names[static_cast<size_t>(c)], column_value(statement, c));
    rows.emplace_back(std::move(row));
  }
  if (code != SQLITE_DONE) {
    const std::string text = sqlite3_sql(statement);
    return last_error(&text);
  }
  const bool changes = columns == 0 && sqlite3_stmt_readonly(statement) == 0;
  const auto count = changes ? int64_t{sqlite3_changes(db_)} : static_cast<int64_t>(rows.size());
  Map data;
  data.reserve(3);
  data.append_distinct("rows", Value(std::move(rows)));
  data.append_distinct("row_count", Value(count));
  data.append_distinct("columns", Value(std::move(name_values)));
  out.data = Value(std::move(data));
  return std::nullopt;
}

TaskError SqliteConnection::last_error(const std::string* sql) const {
  constexpr size_t kShown = 60;
  const int code = sqlite3_errcode(db_) & 0xff;
  TaskError error{"sql", sqlite3_errmsg(db_), false};
  if (sql) {
    const int offset = sqlite3_error_offset(db_);
    const size_t from = offset < 0 ? 0 : static_cast<size_t>(offset);
    error.message +=
        (offset < 0 ? " in: " : " at: ") + sql->substr(std::min(from, sql->size()), kShown);
  }
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error = {"busy", "another process holds the file: " + error.message, true};
      break;
    case SQLITE_FULL:
      error.kind = "disk_full";
      break;
    case SQLITE_IOERR:
      error = {"io", error.message, true};
      break;
    case SQLITE_CANTOPEN:
      error.kind = "connect";
      break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      error.kind = "corrupt";
      break;
    case SQLITE_CONSTRAINT:
      error.kind = "constraint";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace tidemill::worker
