#include "worker/tools/internal/pg_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "model/limits.h"
#include "os/fd.h"
#include "worker/tools/internal/pg_values.h"

namespace tidemill::worker {

namespace {

constexpr size_t kPreparedMax = 256;  // per connection
constexpr size_t kUsesKept = 4'096;

struct ResultCloser {
  void operator()(PGresult* r) const { PQclear(r); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultCloser>;

std::string trimmed_error(const PGconn* c) {
  std::string text = PQerrorMessage(c);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "the connection was closed" : text;
}

void ignore_notice(void*, const PGresult*) {}

}  // namespace

// ---- opening, on another thread ----

Result<PgConnection::Handle> PgConnection::open(const std::string& dsn, int stop) {
  const std::array<const char*, 4> keys = {"dbname", "connect_timeout", "fallback_application_name",
                                           nullptr};
  const std::string timeout = std::to_string(limits::kConnectTimeout.ns / 1'000'000'000);
  const std::array<const char*, 4> values = {dsn.c_str(), timeout.c_str(), "tidemill", nullptr};
  Handle handle(PQconnectStartParams(keys.data(), values.data(), 1));
  if (!handle) return Error{ErrorCode::unavailable, "out of memory"};
  PostgresPollingStatusType want = PGRES_POLLING_WRITING;
  while (PQstatus(handle.get()) != CONNECTION_BAD && want != PGRES_POLLING_OK &&
         want != PGRES_POLLING_FAILED) {
    const uint32_t events = want == PGRES_POLLING_WRITING ? os::kWritable : os::kReadable;
    switch (os::wait_for(PQsocket(handle.get()), events, stop, limits::kConnectTimeout)) {
      case os::Waited::ready:
        want = PQconnectPoll(handle.get());
        break;
      case os::Waited::stopped:
        return Error{ErrorCode::unavailable, "stopping"};
      case os::Waited::timed_out:
        return Error{ErrorCode::unavailable, "no answer within " + timeout + " s"};
    }
  }
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    return Error{ErrorCode::unavailable, trimmed_error(handle.get())};
  }
  return handle;
}

// ---- sending ----

PgConnection::PgConnection(os::EventLoop& loop, Handle handle, Owner owner)
    : loop_(loop),
      handle_(std::move(handle)),
      owner_(std::move(owner)),
      socket_(PQsocket(handle_.get())) {
  PQsetNoticeReceiver(handle_.get(), ignore_notice, nullptr);
  TIDEMILL_ASSERT(PQsetnonblocking(handle_.get(), 1) == 0);
  TIDEMILL_ASSERT(PQenterPipelineMode(handle_.get()) == 1);
  loop_.watch(socket_, os::kReadable, [this](uint32_t) { read(); });
}

PgConnection::~PgConnection() { loop_.unwatch(socket_); }

void PgConnection::send(PgJobPtr job) {
  jobs_.push_back(job);
  job->sent = true;
  if (job->exclusive) exclusive_ = true;
  bool good = true;
  for (const BoundSql& sql : job->statements) {
    good = good && send_statement(job, sql);
    if (job->separate) good = good && send_sync(job, Expected::Kind::sync);
  }
  if (!job->separate) good = good && send_sync(job, Expected::Kind::sync);
  if (good) expected_.back().last = true;
  flush_soon();
  // A failure here shows again, with its reason, when the loop reads from the connection.
}

// A statement that comes again is prepared once, so that the server need not parse and plan it
// anew.
bool PgConnection::send_statement(const PgJobPtr& job, const BoundSql& sql) {
  std::vector<PgParameter> parameters;
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::string key = *sql.text;
  for (const playbook::Value& v : sql.params) {
    parameters.push_back(pg_parameter(v));
    types.push_back(parameters.back().type);
    key += '\0' + std::to_string(types.back());
  }
  for (const PgParameter& p : parameters) values.push_back(p.text.c_str());
  const int count = static_cast<int>(values.size());
  const Expected expected{Expected::Kind::statement, job, sql.text};
  const bool may_prepare = !job->unprepared && !job->exclusive && !job->written;
  auto name = may_prepare ? prepared_.find(key) : prepared_.end();
  if (may_prepare && name == prepared_.end() && prepared_.size() < kPreparedMax) {
    if (uses_.size() > kUsesKept) uses_.clear();
    if (++uses_[key] > 1) {
      const std::string fresh = "t" + std::to_string(++last_name_);
      if (PQsendPrepare(handle_.get(), fresh.c_str(), sql.text->c_str(), count, types.data()) == 0)
        return false;
      expected_.push_back({Expected::Kind::prepare, job, sql.text});
      name = prepared_.emplace(key, fresh).first;
    }
  }
  const int sent = name != prepared_.end()
                       ? PQsendQueryPrepared(handle_.get(), name->second.c_str(), count,
                                             values.data(), nullptr, nullptr, 0)
                       : PQsendQueryParams(handle_.get(), sql.text->c_str(), count, types.data(),
                                           values.data(), nullptr, nullptr, 0);
  if (sent == 0) return false;
  expected_.push_back(expected);
  return true;
}

bool PgConnection::send_sync(const PgJobPtr& job, Expected::Kind kind) {
  if (PQpipelineSync(handle_.get()) == 0) return false;
  expected_.push_back({kind, job, nullptr});
  return true;
}

void PgConnection::flush_soon() {
  if (std::exchange(flushing_, true)) return;
  loop_.defer([this, alive = std::weak_ptr<const int>(alive_)] {
    if (alive.expired()) return;
    flushing_ = false;
    flush();
  });
}

void PgConnection::flush() {
  const bool blocked = PQflush(handle_.get()) == 1;
  if (blocked == watching_output_) return;
  watching_output_ = blocked;
  loop_.watch(socket_, blocked ? os::kReadable | os::kWritable : os::kReadable,
              [this](uint32_t events) {
                if ((events & os::kWritable) != 0) flush();
                if ((events & ~os::kWritable) != 0) read();
              });
}

// ---- receiving ----

void PgConnection::read() {
  if (PQconsumeInput(handle_.get()) == 0) return lose(trimmed_error(handle_.get()));
  while (!lost_ && !expected_.empty() && PQisBusy(handle_.get()) == 0) {
    const ResultHandle result(PQgetResult(handle_.get()));
    if (result) take(result.get());
    if (PQstatus(handle_.get()) == CONNECTION_BAD) return lose(trimmed_error(handle_.get()));
  }
}

void PgConnection::take(const PGresult* result) {
  const Expected expected = std::move(expected_.front());
  expected_.pop_front();
  PgJob& job = *expected.job;
  const ExecStatusType status = PQresultStatus(result);
  switch (status) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      if (expected.kind == Expected::Kind::statement) job.result.data = pg_rows(result);
      break;
    case PGRES_PIPELINE_SYNC:
      if (expected.last) finish_front();
      break;
    case PGRES_PIPELINE_ABORTED:
      // Follows the error that stopped this call; a statement that was to be prepared is not.
      if (expected.kind == Expected::Kind::prepare) prepared_.clear();
      break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return lose("COPY over the connection is not possible here; use INSERT");
    default:
      if (expected.kind == Expected::Kind::prepare) prepared_.clear();
      if (job.result.error || expected.kind == Expected::Kind::cleanup) break;
      job.sqlstate = pg_sqlstate(result);
      job.result.error = pg_error(result, expected.text ? *expected.text : "");
  }
}

void PgConnection::finish_front() {
  PgJobPtr job = std::move(jobs_.front());
  jobs_.pop_front();
  if (job->exclusive) {
    // Takes the end mark that lets libpq say in what state the session is; nothing else is under
    // way.
    const ResultHandle end(PQgetResult(handle_.get()));
    const bool open = PQtransactionStatus(handle_.get()) != PQTRANS_IDLE;
    if (open && !job->result.error) {
      job->result.error =
          TaskError{"sql", "the call began a transaction and did not end it: add COMMIT", false};
    }
    clean_up(open ? Session::in_transaction : Session::idle);
  }
  cancel_front();
  owner_.on_finished(std::move(job));
}

// After a call that may have changed the session: no open transaction, no settings left.
void PgConnection::clean_up(Session session) {
  auto cleaner = std::make_shared<PgJob>();
  const auto run = [&](const char* sql) {
    if (PQsendQueryParams(handle_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 0)
      return;
    expected_.push_back({Expected::Kind::cleanup, cleaner, nullptr});
    (void)send_sync(cleaner, Expected::Kind::cleanup);
  };
  if (session == Session::in_transaction) run("ROLLBACK");
  run("RESET ALL");
  exclusive_ = false;
  flush_soon();
}

// ---- stopping ----

void PgConnection::stop(const PgJob& job) {
  if (!jobs_.empty() && jobs_.front().get() == &job) cancel_front();
}

// The server cancels what it is running, so a call can be cancelled only when it is the oldest. One
// that follows and is hit instead is sent again by the pool.
void PgConnection::cancel_front() {
  if (jobs_.empty() || jobs_.front()->stop == StopReason::none || jobs_.front()->cancel_sent)
    return;
  jobs_.front()->cancel_sent = true;
  if (PGcancel* request = PQgetCancel(handle_.get())) owner_.cancel(request);
}

void PgConnection::lose(const std::string& why) {
  if (std::exchange(lost_, true)) return;
  loop_.unwatch(socket_);
  expected_.clear();
  std::deque<PgJobPtr> jobs = std::exchange(jobs_, {});
  for (PgJobPtr& job : jobs) {
    job->result.error = TaskError{
        "network",
        "the connection was lost before the answer; the call may have taken effect: " + why, true};
    job->sqlstate.clear();
    owner_.on_finished(std::move(job));
  }
  owner_.on_lost();
}

}  // namespace tidemill::worker
