#include <algorithm>

#include "store/sqlite/internal/rows.h"
#include "store/sqlite/internal/sqlite_reader.h"

namespace tidemill::store {

namespace {

constexpr char kPacksOfArray[] =
    "SELECT o.array, o.turn, o.part, o.heads, o.sum, b.traces, b.bodies, b.sum, o.at "
    "FROM outcomes_of_arrays o LEFT JOIN outcome_bodies b ON b.row = o.body "
    "WHERE o.array = ?1 AND o.first <= ?3 AND o.last >= ?2 ORDER BY o.turn DESC, o.part DESC";

Result<std::vector<IndexOutcome>> pack_at(const Statement& s, const Heads& heads) {
  const std::string_view traces = s.bytes(5), bodies = s.bytes(6);
  const std::string key = key_text(s.integer(0), s.integer(1), s.integer(2));
  if (s.number(7) != row_sum(bodies, row_sum(traces, s.number(4)))) {
    return bad_row("array_outcomes", key, "the checksum of its row in outcome_bodies is wrong");
  }
  Result<std::vector<IndexOutcome>> outcomes = unpack_outcomes(heads, traces, bodies);
  if (!outcomes.ok()) return bad_row("array_outcomes", key, outcomes.error().what);
  return outcomes;
}

bool is_reopening(const Heads& heads) {
  return heads.runs.size() == 1 && heads.runs[0].outcome == Outcome::open;
}

constexpr WallTime kNotFilled{INT64_MIN};

// What is left when no outcome of its own was found: it was cancelled with the rest.
void fill_with_rest(IndexRow& row, WallTime recorded) {
  if (row.recorded == kNotFilled) row.recorded = recorded;
}

}  // namespace

Result<std::optional<ArrayRow>> SqliteReader::array(ArrayId id) {
  return at_once([&] { return array_now(id); });
}

Result<std::optional<ArrayRow>> SqliteReader::array_now(ArrayId id) {
  TIDEMILL_TRY(Statement * s, prepared("SELECT id, data, sum, finished, done, failed, cancelled "
                                       "FROM array_records WHERE id = ?"));
  TIDEMILL_TRY(const bool found, s->with(id.raw).next());
  if (!found) return std::optional<ArrayRow>();
  ArrayRow row;
  Result<ArrayRecord> record = record_at<ArrayRecord>(*s, "array_records", 1, s->integer(0));
  row.finished = !s->is_null(3);
  row.finished_at = {s->integer(3)};
  row.done = s->number(4);
  row.failed = s->number(5);
  row.cancelled = s->number(6);
  s->restart();
  if (!record.ok()) return std::move(record).error();
  row.array = std::move(record).value();
  if (row.finished) return std::optional(std::move(row));
  TIDEMILL_TRY(const States now, states_of(id, 0));
  now.states.each_closed(now.count, [&](uint64_t, Outcome outcome) {
    row.done += outcome == Outcome::done ? 1 : 0;
    row.failed += outcome == Outcome::failed ? 1 : 0;
    row.cancelled += outcome == Outcome::cancelled ? 1 : 0;
  });
  return std::optional(std::move(row));
}

Result<SqliteReader::States> SqliteReader::states_of(ArrayId id, uint64_t first) {
  States out;
  TIDEMILL_TRY(Statement * s, prepared("SELECT count FROM array_records WHERE id = ?"));
  TIDEMILL_TRY(const bool found, s->with(id.raw).next());
  if (!found) return out;
  out.count = s->number(0);
  s->restart();
  TIDEMILL_TRY(Statement * heads,
               prepared("SELECT array, turn, part, heads, sum FROM outcomes_of_arrays "
                        "WHERE array = ? AND last >= ? ORDER BY turn, part"));
  TIDEMILL_CHECK(each_row(heads->with(id.raw, first), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(const Heads read, heads_at(row, 0));
    replay(read, out.states);
    return Ok{};
  }));
  return out;
}

Result<std::vector<IndexRow>> SqliteReader::outcomes(ArrayId id, uint64_t first, uint32_t limit) {
  return at_once([&] { return outcomes_now(id, first, limit); });
}

// First which indexes are closed, which the small heads tell; then the rows that hold just those.
Result<std::vector<IndexRow>> SqliteReader::outcomes_now(ArrayId id, uint64_t first,
                                                         uint32_t limit) {
  TIDEMILL_TRY(const States now, states_of(id, first));
  std::vector<IndexRow> wanted;
  now.states.each_closed_from(first, now.count, [&](uint64_t index, Outcome outcome) {
    if (wanted.size() == limit) return false;
    IndexRow row;
    row.outcome.index = index;
    row.outcome.outcome = outcome;
    row.recorded = kNotFilled;
    wanted.push_back(std::move(row));
    return true;
  });
  if (!wanted.empty()) TIDEMILL_CHECK(fill(id, wanted));
  return wanted;
}

// From the newest row back: the first that speaks of an index has the last word on it.
Status SqliteReader::fill(ArrayId id, std::vector<IndexRow>& wanted) {
  TIDEMILL_TRY(Statement * s, prepared(kPacksOfArray));
  s->with(id.raw, wanted.front().outcome.index, wanted.back().outcome.index);
  WallTime rest_at{};
  const auto from = [&](auto at, uint64_t index) {
    const auto less = [](const IndexRow& a, uint64_t i) { return a.outcome.index < i; };
    return std::lower_bound(at, wanted.end(), index, less);
  };
  TIDEMILL_CHECK(each_row(*s, [&](const Statement& row) -> Status {
    const WallTime recorded{row.integer(8)};
    TIDEMILL_TRY(const Heads heads, heads_at(row, 0));
    if (heads.rest_cancelled) {
      if (rest_at == WallTime{}) rest_at = recorded;
      return Ok{};
    }
    if (is_reopening(heads)) {  // What was before it does not count.
      const auto at = from(wanted.begin(), heads.runs[0].first);
      if (at != wanted.end() && at->outcome.index == heads.runs[0].first)
        fill_with_rest(*at, rest_at);
      return Ok{};
    }
    TIDEMILL_TRY(std::vector<IndexOutcome> outcomes, pack_at(row, heads));
    auto at = wanted.begin();
    for (IndexOutcome& outcome : outcomes) {
      at = from(at, outcome.index);
      if (at == wanted.end()) break;
      const bool fits = at->outcome.index == outcome.index && at->recorded == kNotFilled;
      if (fits) *at = {std::move(outcome), recorded};
    }
    return Ok{};
  }));
  for (IndexRow& row : wanted) fill_with_rest(row, rest_at);
  return Ok{};
}

Result<std::vector<ResultValue>> SqliteReader::results(const ResultRef& ref) {
  std::vector<ResultValue> out;
  if (ref.place == ResultRef::Place::array) return results_of_array(ref.array);
  if (ref.place != ResultRef::Place::task) return out;
  TIDEMILL_TRY(Statement * s, prepared("SELECT t.result, t.result_ref FROM finished_rows r "
                                       "JOIN finished_tasks t ON t.row = r.row WHERE r.id = ?"));
  TIDEMILL_TRY(const bool found, s->with(ref.task.raw).next());
  if (!found) return out;
  ResultValue value{.inline_json = s->text(0)};
  if (!s->is_null(1)) {
    TIDEMILL_TRY(value.blob, decode<ResultRef>(s->bytes(1)));
  }
  s->restart();
  out.push_back(std::move(value));
  return out;
}

Result<std::vector<ResultValue>> SqliteReader::results_of_array(ArrayId id) {
  return at_once([&]() -> Result<std::vector<ResultValue>> {
    std::vector<ResultValue> out;
    TIDEMILL_TRY(const States now, states_of(id, 0));
    std::vector<bool> settled(now.count);
    out.resize(now.count);
    TIDEMILL_TRY(Statement * s, prepared(kPacksOfArray));
    s->with(id.raw, uint64_t{0}, now.count);
    TIDEMILL_CHECK(each_row(*s, [&](const Statement& row) -> Status {
      TIDEMILL_TRY(const Heads heads, heads_at(row, 0));
      if (heads.rest_cancelled) return Ok{};
      if (is_reopening(heads)) {
        if (heads.runs[0].first < now.count) settled[heads.runs[0].first] = true;
        return Ok{};
      }
      TIDEMILL_TRY(std::vector<IndexOutcome> outcomes, pack_at(row, heads));
      for (IndexOutcome& outcome : outcomes) {
        if (outcome.index >= now.count || settled[outcome.index]) continue;
        settled[outcome.index] = true;
        out[outcome.index] = std::move(outcome.result);
      }
      return Ok{};
    }));
    return out;
  });
}

}  // namespace tidemill::store
