#include "worker/tools/internal/sqlite_file.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr size_t kGroupMax = 1'000;  // calls in one commit
constexpr size_t kRowsHandOver = 64;     // calls that go to the writer before the rest is ready

ToolResult failed(TaskError error) {
  ToolResult result;
  result.error = std::move(error);
  return result;
}

TaskError open_error(const Error& e) { return {"connect", e.what, e.code == ErrorCode::io}; }

}  // namespace

bool SqliteJob::own_transaction() const {
  return std::any_of(statements.begin(), statements.end(),
                     [](const BoundSql& s) { return s.traits.own_transaction; });
}

bool SqliteJob::may_only_read() const {
  return std::all_of(statements.begin(), statements.end(),
                     [](const BoundSql& s) { return s.traits.may_only_read; });
}

// ---- event thread ----

SqliteFile::SqliteFile(os::EventLoop& loop, std::string path, RefusedFiles refused,
                       OnFinished on_finished)
    : loop_(loop),
      path_(std::move(path)),
      refused_(std::move(refused)),
      on_finished_(std::move(on_finished)) {
  write_thread_ = os::Thread("sqlite-write", [this] { write_all(); });
}

// The writer closes last: only then does SQLite bring the log into the file and remove it.
SqliteFile::~SqliteFile() {
  reads_.close();
  read_thread_.join();
  writes_.close();
  write_thread_.join();
}

void SqliteFile::submit(SqliteJobPtr job) {
  if (new_writes_.empty() && new_reads_.empty()) {
    loop_.defer([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->hand_over();
    });
  }
  // A database in memory is one connection's own.
  const bool read = path_ != ":memory:" && job->may_only_read();
  (read ? new_reads_ : new_writes_).push_back(std::move(job));
  if (new_writes_.size() + new_reads_.size() >= kRowsHandOver) hand_over();
}

void SqliteFile::hand_over() {
  if (!new_writes_.empty()) writes_.push(new_writes_);
  if (new_reads_.empty()) return;
  if (!reading_) {
    reading_ = true;
    read_thread_ = os::Thread("sqlite-read", [this] { read_all(); });
  }
  reads_.push(new_reads_);
}

// ---- both threads ----

void SqliteFile::Queue::push(Jobs& jobs) {
  {
    os::Lock lock(mutex_);
    std::move(jobs.begin(), jobs.end(), std::back_inserter(jobs_));
  }
  jobs.clear();
  changed_.notify_one();
}

std::vector<SqliteJobPtr> SqliteFile::Queue::take() {
  os::Lock lock(mutex_);
  while (jobs_.empty() && !closed_) changed_.wait(mutex_);
  if (closed_) return {};
  Jobs out;
  const size_t n = std::min(kGroupMax, jobs_.size());
  out.reserve(n);
  std::move(jobs_.begin(), jobs_.begin() + static_cast<ptrdiff_t>(n), std::back_inserter(out));
  jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<ptrdiff_t>(n));
  return out;
}

void SqliteFile::Queue::close() {
  {
    os::Lock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void SqliteFile::finish(Jobs jobs) {
  loop_.post([weak = weak_from_this(), jobs = std::move(jobs)]() mutable {
    if (const auto self = weak.lock()) self->on_finished_(std::move(jobs));
  });
}

// ---- writer thread ----

void SqliteFile::write_all() {
  for (Jobs jobs = writes_.take(); !jobs.empty(); jobs = writes_.take()) {
    write(jobs);
    finish(std::move(jobs));
  }
  writer_.reset();
}

// Neighbours share a transaction, up to a call that has its own.
void SqliteFile::write(const Jobs& jobs) {
  if (!writer_) {
    auto opened = SqliteConnection::open(path_, SqliteConnection::Mode::write, refused_);
    if (!opened.ok()) {
      for (const auto& job : jobs) job->result = failed(open_error(opened.error()));
      return;
    }
    writer_ = std::move(opened.value());
  }
  Jobs group;
  for (const auto& job : jobs) {
    if (!job->own_transaction()) {
      group.push_back(job);
      continue;
    }
    write_group(std::exchange(group, {}));
    write_alone(*job);
  }
  write_group(group);
}

// A call of several statements that fails half way has to be undone alone. That is rare and a
// savepoint is not cheap, so savepoints come into play only when it has happened in the group.
void SqliteFile::write_group(const Jobs& jobs) {
  Jobs group = jobs;
  Guard guard = Guard::none;
  while (!group.empty()) {
    const Tried tried = try_group(group, guard);
    if (tried == Tried::written) return;
    if (tried == Tried::half_a_call) guard = Guard::savepoints;
  }
}

// One transaction for the group. When it was undone by one of its calls (an interrupt,
// RAISE(ROLLBACK) in a trigger), that call has its error and is no longer in the group, which must
// run again.
SqliteFile::Tried SqliteFile::try_group(Jobs& group, Guard guard) {
  if (auto error = writer_->execute(SqliteConnection::Command::begin)) {
    for (const auto& job : group) job->result = failed(*error);
    return Tried::written;
  }
  for (size_t i = 0; i < group.size(); ++i) {
    const Tried tried = run_in_group(*group[i], guard);
    if (tried == Tried::undone) group.erase(group.begin() + static_cast<ptrdiff_t>(i));
    if (tried != Tried::written) return tried;
  }
  auto error = writer_->execute(SqliteConnection::Command::commit);
  if (!error) return Tried::written;
  if (writer_->in_transaction()) (void)writer_->execute(SqliteConnection::Command::rollback);
  if (error->kind == "constraint") {
    // A deferred constraint of one call; each must answer for itself.
    write_one_by_one(group);
    return Tried::written;
  }
  for (const auto& job : group) {
    if (!job->result.error) job->result = failed(*error);
  }
  return Tried::written;
}

// Every call is all or nothing. One statement is so by itself; several are with a savepoint.
SqliteFile::Tried SqliteFile::run_in_group(SqliteJob& job, Guard guard) {
  const bool several = job.statements.size() > 1;
  const bool guarded = several && guard == Guard::savepoints;
  if (guarded) (void)writer_->execute(SqliteConnection::Command::begin_call);
  job.result = writer_->run(job.statements, job.stop);
  if (!writer_->in_transaction()) {
    if (!job.result.error)
      job.result = failed({"sql", "the call ended a transaction it had not begun", false});
    return Tried::undone;
  }
  if (several && !guarded && job.result.error) {
    (void)writer_->execute(SqliteConnection::Command::rollback);
    return Tried::half_a_call;
  }
  if (!guarded) return Tried::written;
  if (job.result.error) (void)writer_->execute(SqliteConnection::Command::undo_call);
  (void)writer_->execute(SqliteConnection::Command::end_call);
  return Tried::written;
}

void SqliteFile::write_alone(SqliteJob& job) {
  job.result = writer_->run(job.statements, job.stop);
  if (!writer_->in_transaction()) return;
  (void)writer_->execute(SqliteConnection::Command::rollback);
  if (!job.result.error) {
    job.result =
        failed({"sql", "the call began a transaction and did not end it: add COMMIT", false});
  }
}

void SqliteFile::write_one_by_one(const Jobs& jobs) {
  for (const auto& job : jobs) {
    if (auto error = writer_->execute(SqliteConnection::Command::begin)) {
      job->result = failed(*error);
      continue;
    }
    job->result = writer_->run(job->statements, job->stop);
    if (job->result.error) {
      if (writer_->in_transaction()) (void)writer_->execute(SqliteConnection::Command::rollback);
    } else if (auto error = writer_->execute(SqliteConnection::Command::commit)) {
      if (writer_->in_transaction()) (void)writer_->execute(SqliteConnection::Command::rollback);
      job->result = failed(*error);
    }
  }
}

// ---- reader thread ----

void SqliteFile::read_all() {
  for (Jobs jobs = reads_.take(); !jobs.empty(); jobs = reads_.take()) read(jobs);
  reader_.reset();
}

// What cannot be prepared here (a file that is not there yet, a temporary table, a function with
// effects) is the writer's to run or to refuse.
void SqliteFile::read(const Jobs& jobs) {
  if (!reader_) {
    auto opened = SqliteConnection::open(path_, SqliteConnection::Mode::read, refused_);
    if (opened.ok()) reader_ = std::move(opened.value());
  }
  for (const auto& job : jobs) {
    Jobs one{job};
    if (!reader_ || !reader_->only_reads(job->statements)) {
      writes_.push(one);
      continue;
    }
    job->result = reader_->run(job->statements, job->stop);
    finish(std::move(one));
  }
}

}  // namespace tidemill::worker
