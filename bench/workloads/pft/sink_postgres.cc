#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "bench/workloads/pft/sink.h"

namespace tidemill::bench::pft {

namespace {

constexpr const char* kTables =
    "DROP TABLE IF EXISTS work, pages, mds;"
    "CREATE TABLE work (facility int, type text, patient int, status text, claimed_by text,"
    " PRIMARY KEY (facility, type, patient));"
    "CREATE TABLE pages (patient int, type text, page int, records text,"
    " PRIMARY KEY (patient, type, page));"
    "CREATE TABLE mds (id text PRIMARY KEY, facility int, patient int, body text);";

struct Prepared {
  const char* name;
  const char* text;
};
// By Job::Kind, then the second statement of save_page.
constexpr std::array<Prepared, 6> kStatements = {{
    {"queue",
     "INSERT INTO work SELECT $1::int, $2, n, 'pending', NULL FROM generate_series($3::int, "
     "$4::int) n"},
    {"claim",
     "WITH next(number) AS MATERIALIZED (SELECT patient FROM work WHERE facility = $1 AND type = "
     "$2 "
     "AND status = 'pending' ORDER BY patient LIMIT 100) "
     "UPDATE work SET status = 'claimed', claimed_by = 'bare' FROM next "
     "WHERE facility = $1 AND type = $2 AND patient = next.number RETURNING patient"},
    {"save_page",
     "INSERT INTO pages VALUES ($1, $2, $3, $4) ON CONFLICT (patient, type, page) DO UPDATE SET "
     "records = excluded.records"},
    {"save_mds",
     "INSERT INTO mds VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET body = excluded.body"},
    {"validate",
     "SELECT (SELECT count(*) FROM pages WHERE patient BETWEEN $1 AND $2) + "
     "(SELECT count(*) FROM mds WHERE patient BETWEEN $1 AND $2)"},
    {"mark_done",
     "UPDATE work SET status = 'done' WHERE facility = $1 AND type = $2 AND patient = $3"},
}};
constexpr size_t kMarkDone = 5;

struct CloseConnection {
  void operator()(PGconn* c) const { PQfinish(c); }
};
struct CloseResult {
  void operator()(PGresult* r) const { PQclear(r); }
};
using ResultHandle = std::unique_ptr<PGresult, CloseResult>;

// One connection; a group is one transaction, sent as a pipeline.
class PostgresSink final : public Sink {
 public:
  Status open(const std::string& dsn, Tables tables) {
    connection_.reset(PQconnectdb(dsn.c_str()));
    if (PQstatus(connection_.get()) != CONNECTION_OK) return failed("connect");
    if (tables == Tables::as_it_is) return Ok{};
    const ResultHandle made(PQexec(connection_.get(), kTables));
    if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) return failed("create tables");
    for (const Prepared& p : kStatements) {
      const ResultHandle prepared(PQprepare(connection_.get(), p.name, p.text, 0, nullptr));
      if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) return failed(p.name);
    }
    return Ok{};
  }

  // Without BEGIN, what stands between two syncs of a pipeline is one transaction.
  Status run(const std::vector<Job*>& jobs) override {
    if (PQenterPipelineMode(connection_.get()) == 0) return failed("pipeline");
    std::vector<Job*> expected;
    for (Job* job : jobs) {
      TIDEMILL_CHECK(send(*job, expected));
    }
    if (PQpipelineSync(connection_.get()) == 0) return failed("sync");
    for (Job* job : expected) {
      const ResultHandle result(PQgetResult(connection_.get()));
      TIDEMILL_CHECK(take(result.get(), *job));
      const ResultHandle end(PQgetResult(connection_.get()));
    }
    const ResultHandle synced(PQgetResult(connection_.get()));
    if (PQresultStatus(synced.get()) != PGRES_PIPELINE_SYNC) return failed("commit");
    const ResultHandle end(PQgetResult(connection_.get()));
    return PQexitPipelineMode(connection_.get()) == 1 ? Status(Ok{}) : Status(failed("pipeline"));
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
    return Error{ErrorCode::io, std::string(what) + ": " + PQerrorMessage(connection_.get())};
  }

  Result<int64_t> number(const std::string& sql) {
    const ResultHandle result(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return failed("count");
    return int64_t{std::strtoll(PQgetvalue(result.get(), 0, 0), nullptr, 10)};
  }

  Status send(Job& job, std::vector<Job*>& expected) {
    const std::string type(type_name(job.type));
    const std::string facility = std::to_string(job.facility);
    const std::string patient = std::to_string(job.patient);
    const std::string first = std::to_string(patients_of(job.facility).first);
    const std::string last = std::to_string(patients_of(job.facility).last);
    const std::string page = std::to_string(job.page);
    const std::string mds_id = "MDS-" + patient;
    std::vector<const char*> values;
    switch (job.kind) {
      case Job::Kind::queue:
        values = {facility.c_str(), type.c_str(), first.c_str(), last.c_str()};
        break;
      case Job::Kind::claim:
        values = {facility.c_str(), type.c_str()};
        break;
      case Job::Kind::save_page:
        values = {patient.c_str(), type.c_str(), page.c_str(), job.json.c_str()};
        break;
      case Job::Kind::save_mds:
        values = {mds_id.c_str(), facility.c_str(), patient.c_str(), job.json.c_str()};
        break;
      case Job::Kind::validate:
        values = {first.c_str(), last.c_str()};
        break;
    }
    TIDEMILL_CHECK(send(kStatements[static_cast<size_t>(job.kind)], values));
    expected.push_back(&job);
    if (job.kind != Job::Kind::save_page || !job.last_page) return Ok{};
    expected.push_back(&job);
    return send(kStatements[kMarkDone], {facility.c_str(), type.c_str(), patient.c_str()});
  }

  Status send(const Prepared& statement, const std::vector<const char*>& values) {
    const int count = static_cast<int>(values.size());
    if (PQsendQueryPrepared(connection_.get(), statement.name, count, values.data(), nullptr,
                            nullptr, 0) == 0) {
      return failed(statement.name);
    }
    return Ok{};
  }

  Status take(const PGresult* result, Job& job) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failed("statement");
    for (int row = 0; row < PQntuples(result); ++row) {
      const char* text = PQgetvalue(result, row, 0);
      if (job.kind == Job::Kind::claim) job.patients.push_back(std::atoi(text));
      if (job.kind == Job::Kind::validate) job.count = std::strtoll(text, nullptr, 10);
    }
    return Ok{};
  }

  std::unique_ptr<PGconn, CloseConnection> connection_;
};

}  // namespace

std::string_view sink_name(SinkKind kind) {
  return kind == SinkKind::sqlite ? "sqlite" : "postgres";
}

Result<std::unique_ptr<Sink>> open_sink(SinkKind kind, const std::string& connection,
                                        Tables tables) {
  return kind == SinkKind::sqlite ? open_sqlite_sink(connection, tables)
                                  : open_postgres_sink(connection, tables);
}

Result<std::unique_ptr<Sink>> open_postgres_sink(const std::string& dsn, Tables tables) {
  auto sink = std::make_unique<PostgresSink>();
  TIDEMILL_CHECK(sink->open(dsn, tables));
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace tidemill::bench::pft
