#include "worker/tools/postgres.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "playbook/template.h"
#include "worker/tools/internal/pg_pool.h"
#include "worker/tools/internal/sql_template.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

// Names a connection map may use, and libpq's name for each.
constexpr std::array<std::pair<const char*, const char*>, 17> kKeywords = {
    {{"host", "host"},
     {"db_host", "host"},
     {"port", "port"},
     {"db_port", "port"},
     {"user", "user"},
     {"username", "user"},
     {"db_user", "user"},
     {"password", "password"},
     {"db_password", "password"},
     {"database", "dbname"},
     {"dbname", "dbname"},
     {"db_name", "dbname"},
     {"sslmode", "sslmode"},
     {"sslrootcert", "sslrootcert"},
     {"sslcert", "sslcert"},
     {"sslkey", "sslkey"},
     {"options", "options"}}};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// A connection string of libpq, "" when the value names none.
std::string dsn_of(const Value& connection) {
  if (connection.is_string()) {
    const std::string& text = connection.as_string();
    // SQLAlchemy's way to name its driver.
    const size_t scheme = text.find("://");
    const size_t plus = text.substr(0, scheme).find('+');
    if (scheme == std::string::npos || plus == std::string::npos) return text;
    return text.substr(0, plus) + text.substr(scheme);
  }
  if (!connection.is_map()) return "";
  for (const char* key : {"dsn", "url", "connection_string"}) {
    if (const Value v = connection.get(key); v.is_string()) return dsn_of(v);
  }
  std::string out;
  for (const auto& [key, keyword] : kKeywords) {
    const Value v = connection.get(key);
    if (!v.is_string() && !v.is_number()) continue;
    out += std::string(out.empty() ? "" : " ") + keyword + "=" + quoted(playbook::render_text(v));
  }
  return out;
}

bool has_zero_byte(const std::vector<BoundSql>& statements) {
  return std::any_of(statements.begin(), statements.end(), [](const BoundSql& s) {
    return s.text->find('\0') != std::string::npos ||
           std::any_of(s.params.begin(), s.params.end(), [](const Value& v) {
             return v.is_string() && v.as_string().find('\0') != std::string::npos;
           });
  });
}

class PostgresRunner final : public ToolRunner {
 public:
  PostgresRunner(os::EventLoop& loop, PostgresOptions options) : loop_(loop), options_(options) {}
  ~PostgresRunner() override {
    for (const auto& [id, open] : jobs_) loop_.cancel(open.job->timer);
  }

  void start(const ToolCall& call, OnDone on_done) override;
  void cancel(CallId id) override { stop(id, StopReason::cancelled); }

 private:
  struct Open {
    PgJobPtr job;
    std::shared_ptr<PgPool> pool;
  };

  std::string prepare(const ToolCall& call, PgJob& job);
  void stop(CallId id, StopReason reason);
  void finished(const PgJobPtr& job);

  os::EventLoop& loop_;
  const PostgresOptions options_;
  SqlTemplates templates_{SqlDialect::postgres};
  std::unordered_map<CallId, Open> jobs_;
  std::unordered_map<std::string, std::shared_ptr<PgPool>> pools_;  // by connection string
};

void PostgresRunner::start(const ToolCall& call, OnDone on_done) {
  std::string dsn = dsn_of(call.auth);
  if (dsn.empty()) dsn = dsn_of(call.config);
  auto job = std::make_shared<PgJob>();
  std::string wrong = dsn.empty() ? "postgres needs a connection: `auth: NAME` with --connect "
                                    "NAME=postgres://…"
                                  : prepare(call, *job);
  if (!wrong.empty()) {
    ToolResult refused;
    refused.error = TaskError{"config", std::move(wrong), false};
    return on_done(std::move(refused));
  }
  job->on_done = std::move(on_done);
  if (call.timeout) {
    job->timer =
        loop_.after(*call.timeout, [this, id = call.id] { stop(id, StopReason::timeout); });
  }
  auto& pool = pools_[dsn];
  if (!pool) {
    pool = std::make_shared<PgPool>(loop_, dsn, options_.connections,
                                    [this](const PgJobPtr& done) { finished(done); });
  }
  jobs_.emplace(call.id, Open{job, pool});
  pool->submit(std::move(job));
}

// What is wrong with the call, or "".
std::string PostgresRunner::prepare(const ToolCall& call, PgJob& job) {
  auto sql = templates_.statements_of(call);
  if (!sql.ok()) return std::move(sql.error().what);
  job.id = call.id;
  job.sql = std::move(sql).value();
  job.result.log = job.sql.warnings;
  job.statements = job.sql.statements;
  for (const BoundSql& s : job.statements) {
    job.exclusive |= s.traits.own_transaction;
    job.separate |= s.traits.single_only && job.statements.size() > 1;
  }
  // In a call that cannot simply be repeated, no parameter may be refused for its type.
  if (job.exclusive || job.separate) {
    auto written = job.sql.bind_written();
    if (!written.ok()) return std::move(written.error().what);
    job.statements = std::move(written).value();
  }
  if (has_zero_byte(job.statements))
    return "a text has a zero byte in it, which PostgreSQL cannot store";
  return "";
}

void PostgresRunner::stop(CallId id, StopReason reason) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const Open open = found->second;
  open.pool->stop(open.job, reason);
}

void PostgresRunner::finished(const PgJobPtr& job) {
  if (job->timer != 0) loop_.cancel(job->timer);
  jobs_.erase(job->id);
  const OnDone on_done = std::exchange(job->on_done, nullptr);
  on_done(std::move(job->result));
}

}  // namespace

std::unique_ptr<ToolRunner> make_postgres_runner(os::EventLoop& loop, PostgresOptions options) {
  return std::make_unique<PostgresRunner>(loop, options);
}

}  // namespace tidemill::worker
