#include "bench/workloads/batch.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "os/clock.h"

namespace tidemill::bench {

namespace {

constexpr size_t kTasksOfRequest = 10'000;
constexpr size_t kWaitedFor = 100;  // of the last; the rest is counted in the store
constexpr Duration kTooLong = minutes(4);

}  // namespace

client::NewTask task_of(const std::string& kind, const std::string& input,
                        const std::string& queue) {
  client::NewTask task;
  task.work.kind = kind;
  task.work.queue = queue;
  task.work.input = std::make_shared<const std::string>(input);
  return task;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

Result<uint64_t> done_in(const std::string& store) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  uint64_t count = 0;
  const bool good =
      sqlite3_open_v2(store.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_busy_timeout(db, 10'000) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT count(*) FROM finished_tasks WHERE outcome = 1", -1,
                         &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW;
  if (good) count = static_cast<uint64_t>(sqlite3_column_int64(statement, 0));
  const std::string wrong = good ? "" : sqlite3_errmsg(db);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  if (!good) return Error{ErrorCode::io, store + ": " + wrong};
  return count;
}

Result<Batch> Batch::open(Service& service, std::string store, std::string queue) {
  Batch batch(service, std::move(store), std::move(queue));
  TIDEMILL_CHECK(service.api().put("/v1/queues/" + batch.queue_, R"({"paused": true})"));
  TIDEMILL_TRY(batch.done_before_, done_in(batch.store_));
  return batch;
}

Result<std::vector<TaskId>> Batch::spawn(std::vector<client::NewTask> tasks) {
  std::vector<TaskId> ids;
  ids.reserve(tasks.size());
  for (client::NewTask& task : tasks) task.work.queue = queue_;
  for (size_t at = 0; at < tasks.size(); at += kTasksOfRequest) {
    const auto begin = tasks.begin() + static_cast<ptrdiff_t>(at);
    const auto end = begin + static_cast<ptrdiff_t>(std::min(kTasksOfRequest, tasks.size() - at));
    TIDEMILL_TRY(const auto spawned, service_->api().spawn({begin, end}));
    for (const client::SpawnedTask& one : spawned) ids.push_back(one.id);
  }
  count_ += ids.size();
  last_.assign(ids.end() - static_cast<ptrdiff_t>(std::min(kWaitedFor, ids.size())), ids.end());
  return ids;
}

Result<Duration> Batch::run() {
  const SteadyTime began = os::steady_now();
  TIDEMILL_CHECK(service_->api().post("/v1/queues/" + queue_ + "/resume"));
  TIDEMILL_CHECK(service_->api().wait({.ids = last_, .at_most = kTooLong}));
  // The last are not always the last to end.
  const uint64_t wanted = done_before_ + count_;
  TIDEMILL_TRY(uint64_t done, done_in(store_));
  while (done < wanted && os::steady_now() - began < kTooLong) {
    TIDEMILL_TRY(done, done_in(store_));
  }
  const Duration taken = os::steady_now() - began;
  if (done != wanted) {
    return Error{ErrorCode::invalid, fmt::format("{} of {} tasks are done", done, wanted)};
  }
  return taken;
}

}  // namespace tidemill::bench
