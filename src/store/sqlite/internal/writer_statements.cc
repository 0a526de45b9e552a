#include "store/sqlite/internal/writer_statements.h"

namespace tidemill::store {

Status Writer::Statements::prepare(Database& db) {
  const std::pair<Statement*, const char*> all[] = {
      {&put_counters, "INSERT OR REPLACE INTO counters VALUES (1, ?, ?, ?)"},
      {&put_turn, "INSERT INTO turns VALUES (?, ?)"},
      {&set_turn_time, "UPDATE turns SET at = ? WHERE turn = ?"},
      {&put_lane, "INSERT INTO lanes VALUES (?, ?, ?, ?)"},
      {&put_queue, "INSERT OR REPLACE INTO queue_records VALUES (?, ?, ?)"},
      {&put_live, "INSERT OR REPLACE INTO live_tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&drop_live,
       "DELETE FROM live_tasks WHERE lane = ? AND state = ? AND priority = ? AND at = ? AND id = "
       "?"},
      {&find_live, "SELECT lane, state, priority, at FROM live_tasks WHERE id = ?"},
      {&put_finished,
       "INSERT INTO finished_tasks VALUES "
       "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_done,
       "INSERT INTO finished_tasks (row, id, turn, lane, outcome, execution, step, attempts, "
       "spawned, waited, ran, result, trace, task) VALUES "
       "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_finished_row, "INSERT INTO finished_rows VALUES (?, ?)"},
      {&find_finished_row, "SELECT row FROM finished_rows WHERE id = ?"},
      {&drop_finished, "DELETE FROM finished_tasks WHERE row = ?"},
      {&drop_finished_row, "DELETE FROM finished_rows WHERE id = ?"},
      {&put_attempt,
       "INSERT INTO ended_attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_array,
       "INSERT INTO array_records VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, 0, 0, 0, ?, ?) "
       "ON CONFLICT (id) DO UPDATE SET last_turn = NULL, finished = NULL, done = 0, failed = 0, "
       "cancelled = 0, data = excluded.data, sum = excluded.sum"},
      {&finish_array,
       "UPDATE array_records SET last_turn = ?, finished = ?, done = ?, failed = ?, cancelled = ? "
       "WHERE id = ?"},
      {&put_items, "INSERT OR REPLACE INTO array_items VALUES (?, ?, ?, ?)"},
      {&put_outcomes, "INSERT INTO array_outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_bodies, "INSERT INTO outcome_bodies VALUES (?, ?, ?, ?)"},
      {&put_override, "INSERT OR REPLACE INTO index_overrides VALUES (?, ?, ?, ?)"},
      {&drop_override, "DELETE FROM index_overrides WHERE array = ? AND idx = ?"},
      {&array_counts,
       "SELECT a.count, sum(o.done) + sum(o.failed) + sum(o.cancelled) FROM array_records a "
       "LEFT JOIN outcomes_of_arrays o ON o.array = a.id WHERE a.id = ?"},
      {&array_heads,
       "SELECT heads FROM outcomes_of_arrays WHERE array = ?1 AND first <= ?2 AND last >= ?2 "
       "ORDER BY turn DESC, part DESC"},
      {&put_barrier, "INSERT OR REPLACE INTO barrier_records VALUES (?, ?, ?)"},
      {&drop_barrier, "DELETE FROM barrier_records WHERE id = ?"},
      {&put_execution,
       "INSERT OR REPLACE INTO execution_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_workload, "INSERT OR IGNORE INTO workloads VALUES (?, ?, ?)"},
      {&put_step,
       "INSERT OR REPLACE INTO step_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&put_key, "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?)"},
      {&put_hand_out, "INSERT INTO hand_outs VALUES (?, ?, ?)"},
      {&drop_hand_out, "DELETE FROM hand_outs WHERE row = ?"},
      {&put_end, "INSERT INTO lease_ends VALUES (?, ?, ?, ?, ?)"},
      {&put_token, "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)"},
      {&drop_token, "DELETE FROM tokens WHERE name = ?"},
      {&drop_ends, "DELETE FROM lease_ends WHERE row < ?"},
  };
  for (const auto& [statement, sql] : all) {
    TIDEMILL_TRY(*statement, db.prepare(sql));
  }
  return Ok{};
}

}  // namespace tidemill::store
