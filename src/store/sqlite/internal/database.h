#pragma once
// Database and Statement: one SQLite connection and what is prepared on it, with errors as ours.
// The only place that calls the library. Both belong to one thread at a time; a Database outlives
// its Statements.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tidemill::store {

// Bytes that are not text. Bound values are borrowed until the statement has run.
struct Blob {
  std::string_view bytes;
};
struct Null {};

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, sqlite3_stmt* s) : db_(db), s_(s) {}
  Statement(Statement&& other) noexcept { swap(other); }
  Statement& operator=(Statement&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Statement();

  // Binds all parameters, in order, and begins again.
  template <class... Values>
  Statement& with(const Values&... values) {
    restart();
    int at = 0;
    (bind(++at, values), ...);
    return *this;
  }
  Result<bool> next();      // whether there is a row
  Status run();             // to its end; it returns no rows that matter
  int64_t changed() const;  // rows, by the statement of this connection that ran last

  int64_t integer(int column) const;
  uint64_t number(int column) const { return static_cast<uint64_t>(integer(column)); }
  std::string_view bytes(int column) const;  // of a text or blob, until next()
  std::string text(int column) const { return std::string(bytes(column)); }
  bool is_null(int column) const;

  void restart();  // lets go of locks and borrowed values

 private:
  void bind(int at, int64_t v);
  void bind(int at, uint64_t v) { bind(at, static_cast<int64_t>(v)); }
  void bind(int at, int32_t v) { bind(at, static_cast<int64_t>(v)); }
  void bind(int at, uint32_t v) { bind(at, static_cast<int64_t>(v)); }
  void bind(int at, std::string_view v);
  void bind(int at, const std::string& v) { bind(at, std::string_view(v)); }
  void bind(int at, Blob v);
  void bind(int at, Null);
  template <class T>
  void bind(int at, const std::optional<T>& v) {
    v ? bind(at, *v) : bind(at, Null{});
  }
  void swap(Statement& other) noexcept {
    std::swap(db_, other.db_);
    std::swap(s_, other.s_);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* s_ = nullptr;
};

class Database {
 public:
  // immutable: read without locks or a log beside it; nobody may be writing.
  enum class Access : uint8_t { create, write, read, immutable };
  struct Options {
    Access access = Access::write;
    std::string vfs;
    std::function<void(Duration waited)> on_wait;  // see SqliteOptions
    Duration give_up{};  // waiting for another connection's lock; 0: never
  };

  static Result<std::unique_ptr<Database>> open(const std::string& path, Options options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void give_up_after(Duration waited) { options_.give_up = waited; }  // from now on
  Status execute(const char* sql);  // any number of statements, nothing bound
  Result<Statement> prepare(std::string_view sql);
  Result<int64_t> number(const char* sql);  // the first column of the first row
  uint64_t pages_written();                 // to the log since the last call
  // Called after each commit with the number of pages in the log.
  void on_commit(std::function<void(uint64_t pages)> call);

  struct Checkpoint {
    uint64_t log_pages = 0;
    uint64_t done_pages = 0;
  };
  // Copies what it can from the log into the file without waiting for anybody.
  Result<Checkpoint> checkpoint();

 private:
  Database(Options options) : options_(std::move(options)) {}
  static int wait_for_lock(void* self, int times);

  sqlite3* db_ = nullptr;
  Options options_;
  std::function<void(uint64_t)> on_commit_;
  int64_t waited_ms_ = 0;
};

// Whether a file has the 100 bytes of SQLite's header is asked of SQLite, not of the file: closing
// any descriptor of it would drop this process's locks on it.

}  // namespace tidemill::store
