#include <sqlite3.h>

#include <array>
#include <utility>

#include "bench/workloads/pft/sink.h"

namespace tidemill::bench::pft {

namespace {

// The pragmas of Tidemill's sqlite tool.
constexpr const char* kOpen =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
    "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;";
constexpr const char* kTables =
    "DROP TABLE IF EXISTS work; DROP TABLE IF EXISTS pages; DROP TABLE IF EXISTS mds;"
    "CREATE TABLE work (facility INTEGER, type TEXT, patient INTEGER, status TEXT, claimed_by TEXT,"
    " PRIMARY KEY (facility, type, patient));"
    "CREATE TABLE pages (patient INTEGER, type TEXT, page INTEGER, records TEXT,"
    " PRIMARY KEY (patient, type, page));"
    "CREATE TABLE mds (id TEXT PRIMARY KEY, facility INTEGER, patient INTEGER, body TEXT);";

// By Job::Kind, then the second statement of save_page.
constexpr std::array<const char*, 6> kStatements = {
    "WITH RECURSIVE p(n) AS (SELECT ?3 UNION ALL SELECT n + 1 FROM p WHERE n < ?4) "
    "INSERT INTO work SELECT ?1, ?2, n, 'pending', NULL FROM p",
    "WITH next(number) AS MATERIALIZED (SELECT patient FROM work WHERE facility = ?1 AND type = ?2 "
    "AND status = 'pending' ORDER BY patient LIMIT 100) "
    "UPDATE work SET status = 'claimed', claimed_by = 'bare' FROM next "
    "WHERE facility = ?1 AND type = ?2 AND patient = next.number RETURNING patient",
    "INSERT INTO pages VALUES (?1, ?2, ?3, ?4) ON CONFLICT (patient, type, page) DO UPDATE SET "
    "records = excluded.records",
    "INSERT INTO mds VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    "SELECT (SELECT count(*) FROM pages WHERE patient BETWEEN ?1 AND ?2) + "
    "(SELECT count(*) FROM mds WHERE patient BETWEEN ?1 AND ?2)",
    "UPDATE work SET status = 'done' WHERE facility = ?1 AND type = ?2 AND patient = ?3"};
constexpr size_t kMarkDone = 5;

class SqliteSink final : public Sink {
 public:
  ~SqliteSink() override {
    for (sqlite3_stmt* s : statements_) sqlite3_finalize(s);
    sqlite3_close(db_);
  }

  Status open(const std::string& path, Tables tables) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) return failed("open");
    TIDEMILL_CHECK(execute(kOpen));
    if (tables == Tables::as_it_is) return Ok{};
    TIDEMILL_CHECK(execute(kTables));
    for (size_t i = 0; i < kStatements.size(); ++i) {
      if (sqlite3_prepare_v2(db_, kStatements[i], -1, &statements_[i], nullptr) != SQLITE_OK) {
        return failed("prepare");
      }
    }
    return Ok{};
  }

  Status run(const std::vector<Job*>& jobs) override {
    TIDEMILL_CHECK(execute("BEGIN IMMEDIATE"));
    for (Job* job : jobs) TIDEMILL_CHECK(run_one(*job));
    return execute("COMMIT");
  }

  Result<Totals> totals() override {
    Totals out;
    for (size_t t = 0; t < out.pages.size(); ++t) {
      TIDEMILL_TRY(out.pages[t], number("SELECT count(*) FROM pages WHERE type = '" +
                                        std::string(type_name(static_cast<Type>(t))) + "'"));
    }
    TIDEMILL_TRY(out.mds, number("SELECT count(*) FROM mds"));
    return out;
  }
  Result<int64_t> unfinished() override {
    return number("SELECT count(*) FROM work WHERE status <> 'done'");
  }

 private:
  Error failed(const char* what) const {
    return Error{ErrorCode::io, std::string(what) + ": " + sqlite3_errmsg(db_)};
  }
  Status execute(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed(sql);
    return Ok{};
  }
  Result<int64_t> number(const std::string& sql) {
    sqlite3_stmt* s = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &s, nullptr) != SQLITE_OK)
      return failed("prepare");
    const int64_t out = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return out;
  }

  static void bind(sqlite3_stmt* s, int at, int number) { sqlite3_bind_int(s, at, number); }
  static void bind(sqlite3_stmt* s, int at, std::string_view text) {
    sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }

  Status run_one(Job& job) {
    sqlite3_stmt* s = statements_[static_cast<size_t>(job.kind)];
    const std::string_view type = type_name(job.type);
    const Patients all = patients_of(job.facility);
    const std::string mds_id = "MDS-" + std::to_string(job.patient);
    switch (job.kind) {
      case Job::Kind::queue:
        bind(s, 3, all.first);
        bind(s, 4, all.last);
        [[fallthrough]];
      case Job::Kind::claim:
        bind(s, 1, job.facility);
        bind(s, 2, type);
        break;
      case Job::Kind::save_page:
        bind(s, 1, job.patient);
        bind(s, 2, type);
        bind(s, 3, job.page);
        bind(s, 4, job.json);
        break;
      case Job::Kind::save_mds:
        bind(s, 1, mds_id);
        bind(s, 2, job.facility);
        bind(s, 3, job.patient);
        bind(s, 4, job.json);
        break;
      case Job::Kind::validate:
        bind(s, 1, all.first);
        bind(s, 2, all.last);
        break;
    }
    TIDEMILL_CHECK(step(s, job));
    if (job.kind != Job::Kind::save_page || !job.last_page) return Ok{};
    s = statements_[kMarkDone];
    bind(s, 1, job.facility);
    bind(s, 2, type);
    bind(s, 3, job.patient);
    return step(s, job);
  }

  Status step(sqlite3_stmt* s, Job& job) {
    int code = SQLITE_OK;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
      if (job.kind == Job::Kind::claim) job.patients.push_back(sqlite3_column_int(s, 0));
      if (job.kind == Job::Kind::validate) job.count = sqlite3_column_int64(s, 0);
    }
    sqlite3_reset(s);
    if (code != SQLITE_DONE) return failed("step");
    return Ok{};
  }

  sqlite3* db_ = nullptr;
  std::array<sqlite3_stmt*, kStatements.size()> statements_{};
};

}  // namespace

Result<std::unique_ptr<Sink>> open_sqlite_sink(const std::string& path, Tables tables) {
  auto sink = std::make_unique<SqliteSink>();
  TIDEMILL_CHECK(sink->open(path, tables));
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace tidemill::bench::pft
