#include "store/sqlite/internal/schema.h"

#include <string>

namespace tidemill::store {

namespace {

constexpr char kTables[] = R"sql(
CREATE TABLE counters (one INTEGER PRIMARY KEY CHECK (one = 1), next_id INTEGER NOT NULL,
  incarnation INTEGER NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE turns (turn INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE lanes (lane INTEGER PRIMARY KEY, queue TEXT NOT NULL, kind TEXT NOT NULL,
  sum INTEGER NOT NULL);
CREATE TABLE queue_records (name TEXT PRIMARY KEY, data BLOB NOT NULL, sum INTEGER NOT NULL)
  WITHOUT ROWID;

CREATE TABLE live_tasks (lane INTEGER, state INTEGER, priority INTEGER, at INTEGER, id INTEGER,
  execution INTEGER NOT NULL, step INTEGER NOT NULL, data BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (lane, state, priority, at, id)) WITHOUT ROWID;
CREATE TABLE finished_tasks (row INTEGER PRIMARY KEY, id INTEGER NOT NULL, turn INTEGER NOT NULL,
  lane INTEGER NOT NULL, outcome INTEGER NOT NULL, execution INTEGER NOT NULL,
  step INTEGER NOT NULL, attempts INTEGER NOT NULL, spawned INTEGER NOT NULL,
  waited INTEGER, ran INTEGER,
  result TEXT, error_kind TEXT, error TEXT, retryable INTEGER, log TEXT,
  result_ref BLOB, trace BLOB NOT NULL, task BLOB NOT NULL);
CREATE TABLE finished_rows (id INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE ended_attempts (work INTEGER, turn INTEGER, part INTEGER, first INTEGER NOT NULL,
  count INTEGER NOT NULL, array INTEGER NOT NULL, number INTEGER NOT NULL, how INTEGER NOT NULL,
  reported INTEGER NOT NULL, ran INTEGER, error_kind TEXT, error TEXT, retryable INTEGER, log TEXT,
  trace BLOB NOT NULL, PRIMARY KEY (work, turn, part)) WITHOUT ROWID;

CREATE TABLE array_records (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL,
  execution INTEGER NOT NULL, step INTEGER NOT NULL, count INTEGER NOT NULL,
  first_turn INTEGER NOT NULL, spawned INTEGER NOT NULL, last_turn INTEGER, finished INTEGER,
  done INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL,
  data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX live_arrays ON array_records (id) WHERE finished IS NULL;
CREATE TABLE array_items (array INTEGER, first INTEGER, data BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (array, first)) WITHOUT ROWID;
CREATE TABLE array_outcomes (turn INTEGER, array INTEGER, part INTEGER, first INTEGER NOT NULL,
  last INTEGER NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL,
  heads BLOB NOT NULL, sum INTEGER NOT NULL, body INTEGER,
  PRIMARY KEY (turn, array, part)) WITHOUT ROWID;
CREATE TABLE outcome_bodies (row INTEGER PRIMARY KEY, traces BLOB NOT NULL, bodies BLOB,
  sum INTEGER NOT NULL);
CREATE VIEW outcomes_of_arrays AS
SELECT a.id AS array, o.turn, o.part, o.first, o.last, o.done, o.failed, o.cancelled, o.heads,
  o.sum, o.body, u.at
FROM array_records a CROSS JOIN turns u CROSS JOIN array_outcomes o
WHERE u.turn BETWEEN a.first_turn AND ifnull(a.last_turn, 9223372036854775807)
  AND o.turn = u.turn AND o.array = a.id;
CREATE TABLE index_overrides (array INTEGER, idx INTEGER, data BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (array, idx)) WITHOUT ROWID;

CREATE TABLE barrier_records (id INTEGER PRIMARY KEY, data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE execution_records (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, name TEXT NOT NULL,
  file TEXT NOT NULL, plan BLOB NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL,
  error TEXT, data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX live_executions ON execution_records (id) WHERE state < 2;
CREATE TABLE workloads (execution INTEGER PRIMARY KEY, workload TEXT NOT NULL,
  sum INTEGER NOT NULL);
CREATE TABLE step_records (execution INTEGER, step INTEGER, epoch INTEGER, state INTEGER NOT NULL,
  total INTEGER NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL, entered INTEGER NOT NULL,
  finished INTEGER NOT NULL, error TEXT, data BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (execution, step, epoch)) WITHOUT ROWID;
CREATE TABLE idempotency_keys (queue TEXT, key TEXT, task INTEGER NOT NULL, data BLOB NOT NULL,
  sum INTEGER NOT NULL, PRIMARY KEY (queue, key)) WITHOUT ROWID;
CREATE TABLE hand_outs (row INTEGER PRIMARY KEY, data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE lease_ends (row INTEGER, turn INTEGER, part INTEGER, data BLOB NOT NULL,
  sum INTEGER NOT NULL, PRIMARY KEY (row, turn, part)) WITHOUT ROWID;
CREATE TABLE plans (hash BLOB PRIMARY KEY, text TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE plan_steps (plan BLOB, step INTEGER, name TEXT NOT NULL, PRIMARY KEY (plan, step))
  WITHOUT ROWID;
)sql"
                           R"sql(
CREATE VIEW tasks AS
SELECT t.id, n.queue, n.kind,
  CASE t.state WHEN 0 THEN 'blocked' WHEN 1 THEN 'delayed' WHEN 2 THEN 'ready' ELSE 'suspended' END
    AS state,
  nullif(t.execution, 0) AS execution,
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan AND s.step = t.step
     WHERE e.id = t.execution) AS step,
  NULL AS indexes, NULL AS done, NULL AS failed, NULL AS cancelled, NULL AS spawned,
  NULL AS recorded, NULL AS waited_ms, NULL AS ran_ms, NULL AS error, NULL AS result
FROM live_tasks t JOIN lanes n ON n.lane = t.lane
UNION ALL
SELECT t.id, n.queue, n.kind,
  CASE t.outcome WHEN 1 THEN 'done' WHEN 2 THEN 'failed' ELSE 'cancelled' END,
  nullif(t.execution, 0),
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan AND s.step = t.step
     WHERE e.id = t.execution),
  NULL, NULL, NULL, NULL,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.spawned / 1e9, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', u.at / 1e9, 'unixepoch'),
  t.waited / 1e6, t.ran / 1e6,
  CASE WHEN t.error IS NULL THEN NULL ELSE t.error_kind || ': ' || t.error END, t.result
FROM finished_tasks t JOIN lanes n ON n.lane = t.lane LEFT JOIN turns u ON u.turn = t.turn
UNION ALL
SELECT a.id, n.queue, n.kind, CASE WHEN a.finished IS NULL THEN 'array' ELSE 'array finished' END,
  nullif(a.execution, 0),
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan AND s.step = a.step
     WHERE e.id = a.execution),
  a.count,
  CASE WHEN a.finished IS NULL
    THEN (SELECT coalesce(sum(o.done), 0) FROM outcomes_of_arrays o WHERE o.array = a.id)
    ELSE a.done END,
  CASE WHEN a.finished IS NULL
    THEN (SELECT coalesce(sum(o.failed), 0) FROM outcomes_of_arrays o WHERE o.array = a.id)
    ELSE a.failed END,
  CASE WHEN a.finished IS NULL
    THEN (SELECT coalesce(sum(o.cancelled), 0) FROM outcomes_of_arrays o WHERE o.array = a.id)
    ELSE a.cancelled END,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.spawned / 1e9, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', a.finished / 1e9, 'unixepoch'), NULL, NULL, NULL, NULL
FROM array_records a JOIN lanes n ON n.lane = a.lane;

CREATE VIEW attempts AS
SELECT a.work AS task, CASE a.array WHEN 1 THEN a.first END AS idx, a.number,
  CASE a.how WHEN 0 THEN 'failed' WHEN 1 THEN 'crashed' WHEN 2 THEN 'timed out' WHEN 3 THEN 'lost'
    WHEN 4 THEN 'suspended' ELSE 'returned' END AS ended,
  n.queue, n.kind, nullif(coalesce(f.execution, l.execution, y.execution), 0) AS execution,
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan
       AND s.step = coalesce(f.step, l.step, y.step)
     WHERE e.id = coalesce(f.execution, l.execution, y.execution)) AS step,
  strftime('%Y-%m-%dT%H:%M:%fZ', u.at / 1e9, 'unixepoch') AS recorded, a.ran / 1e6 AS ran_ms,
  CASE WHEN a.error IS NULL THEN NULL ELSE a.error_kind || ': ' || a.error END AS error, a.log
FROM ended_attempts a LEFT JOIN turns u ON u.turn = a.turn
  LEFT JOIN array_records y ON y.id = a.work AND a.array = 1
  LEFT JOIN finished_rows r ON r.id = a.work AND a.array = 0
  LEFT JOIN finished_tasks f ON f.row = r.row
  LEFT JOIN live_tasks l ON l.id = a.work AND a.array = 0 AND r.row IS NULL
  LEFT JOIN lanes n ON n.lane = coalesce(f.lane, l.lane, y.lane)
UNION ALL
SELECT t.id, NULL, t.attempts + 1,
  CASE t.outcome WHEN 1 THEN 'done' WHEN 2 THEN 'failed' ELSE 'cancelled' END,
  n.queue, n.kind, nullif(t.execution, 0),
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan AND s.step = t.step
     WHERE e.id = t.execution),
  strftime('%Y-%m-%dT%H:%M:%fZ', u.at / 1e9, 'unixepoch'), t.ran / 1e6,
  CASE WHEN t.error IS NULL THEN NULL ELSE t.error_kind || ': ' || t.error END, t.log
FROM finished_tasks t JOIN lanes n ON n.lane = t.lane LEFT JOIN turns u ON u.turn = t.turn
WHERE t.outcome < 3 OR t.waited IS NOT NULL
UNION ALL
SELECT o.array, NULL, NULL,
  o.done || ' done, ' || o.failed || ' failed, ' || o.cancelled || ' cancelled of indexes '
    || o.first || ' to ' || o.last,
  n.queue, n.kind, nullif(a.execution, 0),
  (SELECT s.name FROM execution_records e JOIN plan_steps s ON s.plan = e.plan AND s.step = a.step
     WHERE e.id = a.execution),
  strftime('%Y-%m-%dT%H:%M:%fZ', u.at / 1e9, 'unixepoch'), NULL, NULL, NULL
FROM array_outcomes o JOIN array_records a ON a.id = o.array JOIN lanes n ON n.lane = a.lane
  LEFT JOIN turns u ON u.turn = o.turn;

CREATE VIEW executions AS
SELECT e.id, e.name, e.file,
  CASE e.state WHEN 0 THEN 'running' WHEN 1 THEN 'stopping' WHEN 2 THEN 'done' WHEN 3 THEN 'failed'
    ELSE 'cancelled' END AS state,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.started / 1e9, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%fZ', nullif(e.finished, 0) / 1e9, 'unixepoch') AS finished,
  (nullif(e.finished, 0) - e.started) / 1e6 AS took_ms, e.error, w.workload,
  lower(hex(e.plan)) AS plan
FROM execution_records e LEFT JOIN workloads w ON w.execution = e.id;

CREATE VIEW steps AS
SELECT s.execution, e.name AS playbook, coalesce(n.name, s.step) AS step, s.epoch,
  CASE s.state WHEN 0 THEN 'waiting' WHEN 1 THEN 'expanding' WHEN 2 THEN 'running'
    WHEN 3 THEN 'routing' WHEN 4 THEN 'done' WHEN 5 THEN 'failed' WHEN 6 THEN 'skipped'
    ELSE 'cancelled' END AS state,
  s.total, s.done, s.failed,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.entered / 1e9, 'unixepoch') AS entered,
  strftime('%Y-%m-%dT%H:%M:%fZ', nullif(s.finished, 0) / 1e9, 'unixepoch') AS finished,
  (nullif(s.finished, 0) - s.entered) / 1e6 AS took_ms, s.error
FROM step_records s LEFT JOIN execution_records e ON e.id = s.execution
  LEFT JOIN plan_steps n ON n.plan = e.plan AND n.step = s.step;
)sql";

constexpr char kTokens[] = R"sql(
CREATE TABLE tokens (name TEXT PRIMARY KEY, data BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
)sql";

constexpr const char* kMigrations[] = {kTables, kTokens};

Status begin_file(Database& db) {
  // These hold for the life of the file and must come before its first table.
  TIDEMILL_CHECK(db.execute("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL"));
  return db.execute("PRAGMA journal_mode = WAL");
}

Error too_new(int64_t version, size_t known) {
  return {ErrorCode::conflict, "it was written by a newer version of tidemill (its schema is " +
                                   std::to_string(version) + ", this program knows up to " +
                                   std::to_string(known) + "): use that version or a newer one"};
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

Result<Identity> identify(Database& db) {
  TIDEMILL_TRY(const int64_t application, db.number("PRAGMA application_id"));
  if (application == kApplicationId) return Identity::ours;
  if (application != 0) return Identity::foreign;
  TIDEMILL_TRY(const int64_t objects, db.number("SELECT count(*) FROM sqlite_schema"));
  return objects == 0 ? Identity::empty : Identity::foreign;
}

Status migrate(Database& db, std::span<const char* const> steps) {
  TIDEMILL_TRY(const Identity identity, identify(db));
  TIDEMILL_ASSERT(identity != Identity::foreign);
  if (identity == Identity::empty) TIDEMILL_CHECK(begin_file(db));
  TIDEMILL_TRY(const int64_t version, db.number("PRAGMA user_version"));
  if (version > static_cast<int64_t>(steps.size())) return too_new(version, steps.size());
  for (auto at = static_cast<size_t>(version); at < steps.size(); ++at) {
    const std::string raise = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(at + 1) + "; COMMIT";
    Status done = db.execute("BEGIN IMMEDIATE");
    if (done.ok()) done = db.execute(steps[at]);
    if (done.ok()) done = db.execute(raise.c_str());
    if (!done.ok()) {
      const std::string doing = "migrate to schema " + std::to_string(at + 1);
      static_cast<void>(db.execute("ROLLBACK"));  // It was refused: the first error tells why.
      return std::move(done).error().with(doing);
    }
  }
  return Ok{};
}

Status check_version(Database& db, std::span<const char* const> steps, size_t oldest) {
  TIDEMILL_TRY(const int64_t version, db.number("PRAGMA user_version"));
  if (version > static_cast<int64_t>(steps.size())) return too_new(version, steps.size());
  if (version >= static_cast<int64_t>(oldest)) return Ok{};
  return Error{ErrorCode::conflict, "its schema is " + std::to_string(version) +
                                        " and this program's " + std::to_string(steps.size()) +
                                        ": open it for writing once, which brings it up"};
}

}  // namespace tidemill::store
