#include "store/sqlite/internal/sqlite_reader.h"

#include <algorithm>

#include "store/sqlite/internal/recovery.h"
#include "store/sqlite/internal/rows.h"

namespace tidemill::store {

namespace {

constexpr char kFinished[] =
    "SELECT t.outcome, t.result, t.error_kind, t.error, t.retryable, t.log, t.result_ref, t.trace, "
    "t.task, u.at FROM finished_rows r JOIN finished_tasks t ON t.row = r.row "
    "LEFT JOIN turns u ON u.turn = t.turn ";
constexpr char kExecutions[] =
    "SELECT e.id, e.data, e.sum, w.workload FROM execution_records e "
    "LEFT JOIN workloads w ON w.execution = e.id ";

TaskError error_at(const Statement& s, int at) {
  if (s.is_null(at + 2)) return {};
  return {.kind = s.text(at), .message = s.text(at + 1), .retryable = s.integer(at + 2) != 0};
}

Result<TaskRow> finished_at(const Statement& s) {
  TaskRow row;
  row.outcome = static_cast<Outcome>(s.integer(0));
  row.result.inline_json = s.text(1);
  row.error = error_at(s, 2);
  row.log = s.text(5);
  if (!s.is_null(6)) {
    TIDEMILL_TRY(row.result.blob, decode<ResultRef>(s.bytes(6)));
  }
  TIDEMILL_TRY(row.trace, decode<Trace>(s.bytes(7)));
  TIDEMILL_TRY(row.task, decode<TaskRecord>(s.bytes(8)));
  row.recorded = {s.integer(9)};
  return row;
}

Result<ExecutionRecord> execution_at(const Statement& s) {
  TIDEMILL_TRY(ExecutionRecord e,
               record_at<ExecutionRecord>(s, "execution_records", 1, s.integer(0)));
  if (!s.is_null(3)) e.workload = std::make_shared<const std::string>(s.bytes(3));
  return e;
}

int64_t after_id(uint64_t raw) { return raw == 0 ? INT64_MIN : static_cast<int64_t>(raw); }

}  // namespace

// ---- executions ----

Result<WallTime> SqliteReader::last_recorded() {
  TIDEMILL_TRY(const int64_t at,
               db_->number("SELECT ifnull((SELECT at FROM turns ORDER BY turn DESC LIMIT 1), 0)"));
  return WallTime{at};
}

Result<std::vector<ExecutionRecord>> SqliteReader::executions(ExecutionId after, uint32_t limit) {
  TIDEMILL_TRY(Statement s,
               db_->prepare(std::string(kExecutions) + "WHERE e.id > ? ORDER BY e.id LIMIT ?"));
  std::vector<ExecutionRecord> out;
  TIDEMILL_CHECK(each_row(s.with(after_id(after.raw), limit), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(ExecutionRecord e, execution_at(row));
    out.push_back(std::move(e));
    return Ok{};
  }));
  return out;
}

Result<std::optional<ExecutionRecord>> SqliteReader::execution(ExecutionId id) {
  TIDEMILL_TRY(Statement s, db_->prepare(std::string(kExecutions) + "WHERE e.id = ?"));
  TIDEMILL_TRY(const bool found, s.with(id.raw).next());
  if (!found) return std::optional<ExecutionRecord>();
  TIDEMILL_TRY(ExecutionRecord e, execution_at(s));
  return std::optional(std::move(e));
}

Result<std::vector<StepRecord>> SqliteReader::steps(ExecutionId id) {
  TIDEMILL_TRY(Statement * s, prepared("SELECT execution, step, epoch, data, sum FROM step_records "
                                       "WHERE execution = ? ORDER BY entered, step, epoch"));
  std::vector<StepRecord> out;
  TIDEMILL_CHECK(each_row(s->with(id.raw), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(StepRecord step, record_at<StepRecord>(row, "step_records", 3, row.integer(0),
                                                        row.integer(1), row.integer(2)));
    out.push_back(std::move(step));
    return Ok{};
  }));
  return out;
}

// ---- tasks ----

Result<std::optional<TaskRow>> SqliteReader::task(TaskId id) {
  return at_once([&]() -> Result<std::optional<TaskRow>> {
    static constexpr auto kOne = "WHERE r.id = ?";
    TIDEMILL_TRY(Statement s, db_->prepare(std::string(kFinished) + kOne));
    TIDEMILL_TRY(const bool finished, s.with(id.raw).next());
    if (finished) {
      Result<TaskRow> row = finished_at(s);
      if (!row.ok()) return bad_row("finished_tasks", key_text(id.raw), row.error().what);
      return std::optional(std::move(row).value());
    }
    TIDEMILL_TRY(std::optional<TaskRecord> live, live_task(id));
    if (!live) return std::optional<TaskRow>();
    return std::optional(TaskRow{.task = *std::move(live)});
  });
}

Result<std::vector<TaskRow>> SqliteReader::tasks(const TaskFilter& filter) {
  return at_once([&]() -> Result<std::vector<TaskRow>> {
    std::vector<TaskRow> out, live;
    if (!filter.outcome || *filter.outcome != Outcome::open) {
      TIDEMILL_TRY(out, finished_tasks(filter));
    }
    if (!filter.outcome || *filter.outcome == Outcome::open) {
      TIDEMILL_TRY(live, live_tasks(filter));
    }
    out.insert(out.end(), std::make_move_iterator(live.begin()),
               std::make_move_iterator(live.end()));
    std::sort(out.begin(), out.end(),
              [](const TaskRow& a, const TaskRow& b) { return a.task.id < b.task.id; });
    if (out.size() > filter.limit) out.resize(filter.limit);
    return out;
  });
}

static constexpr char kSelected[] =
    " AND (?2 IS NULL OR t.execution = ?2) AND (?3 IS NULL OR (t.execution != 0 AND t.step = ?3))"
    " AND (?4 IS NULL OR t.lane IN (SELECT lane FROM lanes WHERE queue = ?4))";

Result<std::vector<TaskRow>> SqliteReader::finished_tasks(const TaskFilter& filter) {
  const std::string sql = std::string(kFinished) + "WHERE r.id > ?1" + kSelected +
                          " AND (?5 IS NULL OR t.outcome = ?5) ORDER BY r.id LIMIT ?6";
  TIDEMILL_TRY(Statement s, db_->prepare(sql));
  std::optional<uint64_t> execution;
  std::optional<int64_t> outcome;
  std::optional<std::string_view> queue;
  if (filter.execution) execution = filter.execution->raw;
  if (filter.outcome) outcome = static_cast<int64_t>(*filter.outcome);
  if (!filter.queue.empty()) queue = filter.queue;
  s.with(after_id(filter.after.raw), execution, filter.step, queue, outcome, filter.limit);
  std::vector<TaskRow> out;
  TIDEMILL_CHECK(each_row(s, [&](const Statement& at) -> Status {
    Result<TaskRow> row = finished_at(at);
    if (!row.ok()) return std::move(row).error().with("table finished_tasks");
    out.push_back(std::move(row).value());
    return Ok{};
  }));
  return out;
}

Result<std::vector<TaskRow>> SqliteReader::live_tasks(const TaskFilter& filter) {
  const std::string sql = std::string("SELECT t.data, t.id FROM live_tasks t WHERE t.id > ?1") +
                          kSelected + " ORDER BY t.id LIMIT ?5";
  TIDEMILL_TRY(Statement s, db_->prepare(sql));
  std::optional<uint64_t> execution;
  std::optional<std::string_view> queue;
  if (filter.execution) execution = filter.execution->raw;
  if (!filter.queue.empty()) queue = filter.queue;
  s.with(after_id(filter.after.raw), execution, filter.step, queue, filter.limit);
  std::vector<TaskRow> out;
  TIDEMILL_CHECK(each_row(s, [&](const Statement& at) -> Status {
    Result<TaskRecord> task = decode<TaskRecord>(at.bytes(0));
    if (!task.ok()) return bad_row("live_tasks", key_text(at.number(1)), task.error().what);
    out.push_back({.task = std::move(task).value()});
    return Ok{};
  }));
  return out;
}

Result<std::optional<Outcome>> SqliteReader::task_outcome(TaskId id) {
  TIDEMILL_TRY(Statement * s,
               prepared("SELECT t.outcome FROM finished_rows r JOIN finished_tasks t "
                        "ON t.row = r.row WHERE r.id = ?"));
  TIDEMILL_TRY(const bool found, s->with(id.raw).next());
  if (!found) return std::optional<Outcome>();
  const auto outcome = static_cast<Outcome>(s->integer(0));
  s->restart();
  return std::optional(outcome);
}

Result<std::vector<AttemptRecord>> SqliteReader::attempts(const WorkRef& work) {
  TIDEMILL_TRY(
      Statement * s,
      prepared("SELECT error_kind, error, retryable, log, trace, number, how, first, count "
               "FROM ended_attempts WHERE work = ?1 AND array = ?2 AND first < ?4 AND "
               "first + count > ?3 ORDER BY turn, part"));
  const bool is_task = static_cast<bool>(work.task);
  const uint64_t id = is_task ? work.task.raw : work.array.raw;
  s->with(id, is_task ? 0 : 1, work.first, work.first + work.count);
  std::vector<AttemptRecord> out;
  TIDEMILL_CHECK(each_row(*s, [&](const Statement& row) -> Status {
    AttemptRecord a;
    a.work = {work.task, work.array, row.number(7), row.number(8)};
    a.number = static_cast<uint32_t>(row.integer(5));
    a.end = static_cast<AttemptRecord::End>(row.integer(6));
    a.error = error_at(row, 0);
    a.log = row.text(3);
    Result<Trace> trace = decode<Trace>(row.bytes(4));
    if (!trace.ok()) return bad_row("ended_attempts", key_text(id), trace.error().what);
    a.trace = *trace;
    out.push_back(std::move(a));
    return Ok{};
  }));
  return out;
}

// ---- plans, keys ----

Result<std::optional<std::string>> SqliteReader::plan_text(const Sha256& hash) {
  TIDEMILL_TRY(Statement * s, prepared("SELECT text, sum FROM plans WHERE hash = ?"));
  const std::string_view name(reinterpret_cast<const char*>(hash.data()), hash.size());
  TIDEMILL_TRY(const bool found, s->with(Blob{name}).next());
  if (!found) return std::optional<std::string>();
  std::string text = s->text(0);
  const uint64_t sum = s->number(1);
  s->restart();
  if (sum != row_sum(text)) return bad_row("plans", hex(hash), "its checksum is wrong");
  return std::optional(std::move(text));
}

Result<std::optional<KeyRecord>> SqliteReader::key(const std::string& queue,
                                                   const std::string& key) {
  TIDEMILL_TRY(Statement * s,
               prepared("SELECT data, sum FROM idempotency_keys WHERE queue = ? AND key = ?"));
  TIDEMILL_TRY(const bool found, s->with(queue, key).next());
  if (!found) return std::optional<KeyRecord>();
  Result<KeyRecord> record = record_at<KeyRecord>(*s, "idempotency_keys", 0);
  s->restart();
  if (!record.ok()) return std::move(record).error().with(queue + "/" + key);
  return std::optional(std::move(record).value());
}

std::unique_ptr<Reader> make_sqlite_reader(std::unique_ptr<Database> db) {
  return std::make_unique<SqliteReader>(std::move(db));
}

}  // namespace tidemill::store
