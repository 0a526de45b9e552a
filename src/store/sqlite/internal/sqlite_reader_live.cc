// Live tasks as the reader finds them: the parts of backlogs, and one by its id, for which there is
// no index (docs/storage.md).
#include "base/hash.h"
#include "store/sqlite/internal/rows.h"
#include "store/sqlite/internal/sqlite_reader.h"

namespace tidemill::store {

namespace {

constexpr int64_t kReady = static_cast<int64_t>(TaskRecord::State::ready);

}  // namespace

Result<std::vector<BacklogRow>> SqliteReader::backlog(const BacklogFilter& filter) {
  TIDEMILL_TRY(
      Statement * s,
      prepared("SELECT lane, at, id, data, sum FROM live_tasks WHERE "
               "lane = (SELECT lane FROM lanes WHERE queue = ?1 AND kind = ?2) AND state = ?3 AND "
               "priority = ?4 AND (at, id) >= (?5, ?6) ORDER BY at, id LIMIT ?7"));
  s->with(filter.queue, filter.kind, kReady, filter.priority, filter.ready.ns, filter.task.raw,
          filter.limit);
  std::vector<BacklogRow> out;
  out.reserve(filter.limit);
  TIDEMILL_CHECK(each_row(*s, [&](const Statement& row) -> Status {
    TIDEMILL_TRY(TaskRecord task,
                 record_at<TaskRecord>(row, "live_tasks", 3, row.integer(0), kReady,
                                       filter.priority, row.integer(1), row.integer(2)));
    out.push_back({std::move(task), hash64(row.bytes(3))});
    return Ok{};
  }));
  return out;
}

// On most shelves ids grow with the time in the key, so the place is found by halving. A clock that
// was set back, or a task that was tried again, breaks that rule: then all are looked at.
Result<std::optional<TaskRecord>> SqliteReader::live_task(TaskId id) {
  const auto take = [&](Statement& s) -> Result<std::optional<TaskRecord>> {
    TIDEMILL_TRY(const bool found, s.next());
    if (!found) return std::optional<TaskRecord>();
    Result<TaskRecord> task = decode<TaskRecord>(s.bytes(0));
    s.restart();
    if (!task.ok()) return bad_row("live_tasks", key_text(id.raw), task.error().what);
    return std::optional(std::move(task).value());
  };
  TIDEMILL_TRY(Statement * one, prepared("SELECT data FROM live_tasks WHERE lane = ? AND state = ? "
                                         "AND priority = ? AND at = ? AND id = ?"));
  Shelf shelf;
  for (;;) {
    TIDEMILL_TRY(const bool more, next_shelf(shelf));
    if (!more) break;
    TIDEMILL_TRY(const std::optional<int64_t> at, time_on_shelf(shelf, id));
    if (!at) continue;
    TIDEMILL_TRY(std::optional<TaskRecord> task,
                 take(one->with(shelf.lane, shelf.state, shelf.priority, *at, id.raw)));
    if (task) return task;
  }
  TIDEMILL_TRY(Statement * any, prepared("SELECT data FROM live_tasks WHERE id = ?"));
  return take(any->with(id.raw));
}

Result<bool> SqliteReader::next_shelf(Shelf& shelf) {
  TIDEMILL_TRY(Statement * s, prepared("SELECT lane, state, priority FROM live_tasks WHERE "
                                       "(lane, state, priority) > (?, ?, ?) "
                                       "ORDER BY lane, state, priority LIMIT 1"));
  TIDEMILL_TRY(const bool found, s->with(shelf.lane, shelf.state, shelf.priority).next());
  if (!found) return false;
  shelf = {s->integer(0), s->integer(1), s->integer(2)};
  s->restart();
  return true;
}

// The only time on the shelf at which the task could lie, as far as ids grow with it.
Result<std::optional<int64_t>> SqliteReader::time_on_shelf(const Shelf& shelf, TaskId id) {
  // (SQLite looks at an end of the index for one of the two, at all of it for both.)
  TIDEMILL_TRY(
      Statement * ends,
      prepared("SELECT (SELECT min(at) FROM live_tasks WHERE lane = ?1 AND state = ?2 AND "
               "priority = ?3), (SELECT max(at) FROM live_tasks WHERE lane = ?1 AND state = ?2 "
               "AND priority = ?3)"));
  TIDEMILL_TRY(const bool any, ends->with(shelf.lane, shelf.state, shelf.priority).next());
  if (!any) return std::optional<int64_t>();
  int64_t low = ends->integer(0);
  int64_t high = ends->integer(1);
  ends->restart();
  TIDEMILL_TRY(Statement * from, prepared("SELECT at, id FROM live_tasks WHERE lane = ? AND "
                                          "state = ? AND priority = ? AND at >= ? "
                                          "ORDER BY at, id LIMIT 1"));
  while (low < high) {
    const int64_t middle = low + (high - low) / 2 + 1;
    TIDEMILL_TRY(const bool found,
                 from->with(shelf.lane, shelf.state, shelf.priority, middle).next());
    if (!found) return std::optional<int64_t>();
    const bool behind = from->number(1) > id.raw;
    const int64_t at = from->integer(0);
    from->restart();
    if (behind) {
      high = middle - 1;
    } else {
      low = at;
    }
  }
  return std::optional(low);
}

}  // namespace tidemill::store
