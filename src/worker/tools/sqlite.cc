#include "worker/tools/sqlite.h"

#include <filesystem>
#include <unordered_map>
#include <utility>

#include "worker/tools/internal/sql_template.h"
#include "worker/tools/internal/sqlite_file.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

// The path a connection names: a string, or a map with one of the usual keys.
std::string path_in(const Value& connection) {
  if (connection.is_map()) {
    for (const char* key : {"path", "database", "file", "db", "url", "dsn"}) {
      if (const Value v = connection.get(key); v.is_string()) return path_in(v);
    }
  }
  if (!connection.is_string()) return "";
  std::string path = connection.as_string();
  for (const std::string_view prefix : {"sqlite://", "sqlite:", "file://", "file:"}) {
    if (path.starts_with(prefix)) return path.substr(prefix.size());
  }
  return path;
}

// One name per file, so that all its writers meet.
std::string canonical(const std::string& path) {
  if (path == ":memory:") return path;
  std::error_code failed;
  const auto out = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : out.string();
}

class SqliteRunner final : public ToolRunner {
 public:
  SqliteRunner(os::EventLoop& loop, SqliteOptions options)
      : loop_(loop), refused_(std::move(options.refused_files)) {}

  ~SqliteRunner() override {
    for (const auto& [id, job] : jobs_) loop_.cancel(job->timer);
  }

  void start(const ToolCall& call, OnDone on_done) override;
  void cancel(CallId id) override { stop(id, StopReason::cancelled); }

 private:
  std::shared_ptr<SqliteFile> file_of(const std::string& path);
  void stop(CallId id, StopReason reason);
  void finished(std::vector<SqliteJobPtr> jobs);

  os::EventLoop& loop_;
  const RefusedFiles refused_;
  SqlTemplates templates_{SqlDialect::sqlite};
  std::unordered_map<CallId, SqliteJobPtr> jobs_;
  std::unordered_map<std::string, std::shared_ptr<SqliteFile>> files_;  // by path as written
};

void refuse(const ToolRunner::OnDone& on_done, std::string message) {
  ToolResult result;
  result.error = TaskError{"config", std::move(message), false};
  on_done(std::move(result));
}

void SqliteRunner::start(const ToolCall& call, OnDone on_done) {
  std::string path = path_in(call.auth);
  if (path.empty()) path = path_in(call.config);
  if (path.empty()) {
    return refuse(on_done,
                  "sqlite needs a file: `auth: NAME` with --connect NAME=PATH, or `path:`");
  }
  auto sql = templates_.statements_of(call);
  if (!sql.ok()) return refuse(on_done, std::move(sql.error().what));
  auto job = std::make_shared<SqliteJob>();
  job->id = call.id;
  job->statements = std::move(sql->statements);
  job->on_done = std::move(on_done);
  job->log = std::move(sql->warnings);
  if (call.timeout) {
    job->timer =
        loop_.after(*call.timeout, [this, id = call.id] { stop(id, StopReason::timeout); });
  }
  jobs_.emplace(call.id, job);
  file_of(path)->submit(std::move(job));
}

std::shared_ptr<SqliteFile> SqliteRunner::file_of(const std::string& path) {
  auto& file = files_[path];
  if (file) return file;
  const std::string name = canonical(path);
  if (name != path) {
    file = file_of(name);
  } else {
    file = std::make_shared<SqliteFile>(
        loop_, name, refused_,
        [this](std::vector<SqliteJobPtr> jobs) { finished(std::move(jobs)); });
  }
  return files_[path];
}

// The job's thread sees the flag before its next statement, or within a millisecond inside one.
void SqliteRunner::stop(CallId id, StopReason reason) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end()) found->second->stop.store(reason);
}

void SqliteRunner::finished(std::vector<SqliteJobPtr> jobs) {
  for (const SqliteJobPtr& job : jobs) {
    if (job->timer != 0) loop_.cancel(job->timer);
    jobs_.erase(job->id);
    job->result.log = std::move(job->log);
    job->on_done(std::move(job->result));
  }
}

}  // namespace

std::unique_ptr<ToolRunner> make_sqlite_runner(os::EventLoop& loop, SqliteOptions options) {
  return std::make_unique<SqliteRunner>(loop, std::move(options));
}

}  // namespace tidemill::worker
