#pragma once
// SqliteConnection: one open database as the sqlite tool uses it: its pragmas, a cache of prepared
// statements, values in and out, and the refusal of files that are not the user's to open. Belongs
// to one thread, the writer or the reader of a SqliteFile; `stop` flags come from the event thread.
#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "worker/tool.h"
#include "worker/tools/internal/sql_program.h"
#include "worker/tools/internal/stop_reason.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tidemill::worker {

// Files that no statement may open: the engine's own store. Compared by identity, not by name, and
// never opened, for closing any descriptor of a file drops SQLite's locks on it.
using RefusedFiles = std::vector<std::string>;
bool is_refused(const std::string& path, const RefusedFiles& refused);

class SqliteConnection {
 public:
  enum class Mode : uint8_t { write, read };

  // Errors: denied (a refused file), unavailable, io.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Mode mode,
                                                        const RefusedFiles& refused);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs the statements in order up to the first error; the result is the last one's. `stop`, when
  // it turns, ends a running statement.
  ToolResult run(std::span<const BoundSql> statements, const std::atomic<StopReason>& stop);
  // True when every statement can be prepared here and writes nothing.
  bool only_reads(std::span<const BoundSql> statements);

  // What frames the statements of calls. A call's own frame is a savepoint.
  enum class Command : uint8_t { begin, commit, rollback, begin_call, undo_call, end_call };
  std::optional<TaskError> execute(Command command);
  bool in_transaction() const;

 private:
  struct Cached {
    std::shared_ptr<const std::string> text;
    sqlite3_stmt* statement = nullptr;
  };
  using Cache = std::list<Cached>;

  explicit SqliteConnection(const RefusedFiles& refused) : refused_(refused) {}

  static int authorize(void* self, int action, const char* a, const char* b, const char* database,
                       const char* trigger);
  static int keep_going(void* self);
  sqlite3_stmt* prepare(const std::shared_ptr<const std::string>& text);
  std::optional<TaskError> bind(sqlite3_stmt* statement, const BoundSql& sql);
  std::optional<TaskError> step_all(sqlite3_stmt* statement, ToolResult& out);
  TaskError last_error(const std::string* sql) const;

  sqlite3* db_ = nullptr;
  const RefusedFiles& refused_;
  const std::atomic<StopReason>* stop_ = nullptr;
  std::array<sqlite3_stmt*, 6> commands_{};  // prepared when first used
  Cache cache_;                              // most recently used first
  std::unordered_map<std::string_view, Cache::iterator> by_text_;
};

}  // namespace tidemill::worker
