#include "store/sqlite/internal/recovery.h"

#include <algorithm>
#include <unordered_set>

#include "store/sqlite/internal/rows.h"

namespace tidemill::store {

namespace {

class Recovery {
 public:
  Recovery(Database& db, Writer* writer, Loader& loader)
      : db_(db), writer_(writer), loader_(loader) {}
  Status run();

 private:
  Status counters();
  Status lanes();
  Status queues();
  Status tokens();
  Status executions();
  Status barriers();
  Status arrays();
  Status items_of(ArrayId array);
  Status outcomes_of(const ArrayRecord& array);
  Status overrides_of(ArrayId array);
  Status tasks();
  Status steps();
  Status read_hand_outs();
  void hand_outs();
  Status lease_ends(std::vector<std::pair<LeaseBook::Row, LeasedWork>>& out);
  void end(const LeasedWork& ended);
  void end_what_has_an_outcome();

  Database& db_;
  Writer* writer_;
  Loader& loader_;
  std::vector<ArrayRecord> arrays_;
  std::map<ArrayId, IndexStates> states_;
  std::unordered_set<TaskId> handed_out_;
  std::unordered_set<TaskId> live_;  // of those
  bool has_hand_outs_ = false;
  LeaseBook leases_;
};

Status Recovery::run() {
  TIDEMILL_TRY(const int64_t hand_outs_left, db_.number("SELECT count(*) FROM hand_outs"));
  has_hand_outs_ = hand_outs_left > 0;
  TIDEMILL_CHECK(counters());
  TIDEMILL_CHECK(lanes());
  TIDEMILL_CHECK(queues());
  TIDEMILL_CHECK(tokens());
  TIDEMILL_CHECK(executions());
  TIDEMILL_CHECK(barriers());
  TIDEMILL_CHECK(arrays());
  TIDEMILL_CHECK(read_hand_outs());
  TIDEMILL_CHECK(tasks());
  TIDEMILL_CHECK(steps());
  hand_outs();
  if (writer_ == nullptr) return Ok{};
  TIDEMILL_TRY(const int64_t last_hand_out, db_.number("SELECT max(row) FROM hand_outs"));
  TIDEMILL_TRY(const int64_t last_end, db_.number("SELECT max(row) FROM lease_ends"));
  TIDEMILL_TRY(const int64_t last_row, db_.number("SELECT max(row) FROM finished_tasks"));
  TIDEMILL_TRY(const int64_t last_bodies, db_.number("SELECT max(row) FROM outcome_bodies"));
  writer_->found_last_bodies(static_cast<uint64_t>(last_bodies));
  TIDEMILL_TRY(const int64_t newest, db_.number("SELECT max(id) FROM finished_rows"));
  writer_->found_last(std::move(leases_), static_cast<uint64_t>(std::max(last_hand_out, last_end)),
                      static_cast<uint64_t>(last_row), TaskId{static_cast<uint64_t>(newest)});
  return Ok{};
}

Status Recovery::counters() {
  TIDEMILL_TRY(const Turn turn, last_turn(db_));
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT next_id, incarnation, sum FROM counters"));
  TIDEMILL_TRY(const bool row, s.next());
  if (!row) {
    loader_.counters(1, 0, turn);
    return Ok{};
  }
  const uint64_t next_id = s.number(0);
  const auto incarnation = static_cast<uint32_t>(s.number(1));
  if (s.number(2) != row_sum("", next_id, incarnation)) {
    return bad_row("counters", "1", "its checksum is wrong");
  }
  loader_.counters(next_id, incarnation, turn);
  return Ok{};
}

Status Recovery::lanes() {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT lane, queue, kind, sum FROM lanes"));
  return each_row(s, [&](const Statement& row) -> Status {
    const int64_t lane = row.integer(0);
    if (row.number(3) != row_sum(row.text(1) + '\n' + row.text(2), lane)) {
      return bad_row("lanes", key_text(lane), "its checksum is wrong");
    }
    if (writer_ != nullptr) writer_->found_lane(lane, row.text(1), row.text(2));
    return Ok{};
  });
}

Status Recovery::queues() {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT name, data, sum FROM queue_records ORDER BY name"));
  return each_row(s, [&](const Statement& row) -> Status {
    Result<QueueConfig> queue = record_at<QueueConfig>(row, "queue_records", 1);
    if (!queue.ok()) return std::move(queue).error().with(row.bytes(0));
    loader_.queue(std::move(queue).value());
    return Ok{};
  });
}

Status Recovery::tokens() {
  TIDEMILL_TRY(std::vector<TokenRecord> all, tokens_of(db_));
  for (TokenRecord& token : all) loader_.token(std::move(token));
  return Ok{};
}

Status Recovery::executions() {
  TIDEMILL_TRY(Statement s,
               db_.prepare("SELECT e.id, e.data, e.sum, w.workload, w.sum FROM execution_records e "
                           "LEFT JOIN workloads w ON w.execution = e.id "
                           "WHERE e.state < 2 ORDER BY e.id"));
  return each_row(s, [&](const Statement& row) -> Status {
    const int64_t id = row.integer(0);
    TIDEMILL_TRY(ExecutionRecord e, record_at<ExecutionRecord>(row, "execution_records", 1, id));
    if (!row.is_null(3)) {
      if (row.number(4) != row_sum(row.bytes(3), id)) {
        return bad_row("workloads", key_text(id), "its checksum is wrong");
      }
      e.workload = std::make_shared<const std::string>(row.bytes(3));
    }
    loader_.execution(std::move(e));
    return Ok{};
  });
}

Status Recovery::barriers() {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT id, data, sum FROM barrier_records ORDER BY id"));
  return each_row(s, [&](const Statement& row) -> Status {
    TIDEMILL_TRY(BarrierRecord b,
                 record_at<BarrierRecord>(row, "barrier_records", 1, row.integer(0)));
    loader_.barrier(std::move(b));
    return Ok{};
  });
}

// ---- arrays ----

Status Recovery::arrays() {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT id, data, sum FROM array_records "
                                        "WHERE finished IS NULL ORDER BY id"));
  TIDEMILL_CHECK(each_row(s, [&](const Statement& row) -> Status {
    TIDEMILL_TRY(ArrayRecord a, record_at<ArrayRecord>(row, "array_records", 1, row.integer(0)));
    arrays_.push_back(std::move(a));
    return Ok{};
  }));
  for (const ArrayRecord& array : arrays_) loader_.array(array);
  for (const ArrayRecord& array : arrays_) TIDEMILL_CHECK(items_of(array.id));
  for (const ArrayRecord& array : arrays_) TIDEMILL_CHECK(outcomes_of(array));
  for (const ArrayRecord& array : arrays_) TIDEMILL_CHECK(overrides_of(array.id));
  return Ok{};
}

Status Recovery::items_of(ArrayId array) {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT array, first, data, sum FROM array_items "
                                        "WHERE array = ? ORDER BY first"));
  return each_row(s.with(array.raw), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(ItemChunk chunk,
                 record_at<ItemChunk>(row, "array_items", 2, row.integer(0), row.integer(1)));
    loader_.items(std::move(chunk));
    return Ok{};
  });
}

Status Recovery::outcomes_of(const ArrayRecord& array) {
  TIDEMILL_TRY(Statement s, db_.prepare(kHeadsOfArray));
  IndexStates states;
  TIDEMILL_CHECK(each_row(s.with(array.id.raw), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(const Heads heads, heads_at(row, 0));
    replay(heads, states);
    return Ok{};
  }));
  states.each_closed(array.count, [&](uint64_t index, Outcome outcome) {
    loader_.outcome(array.id, index, outcome);
  });
  if (has_hand_outs_) states_[array.id] = std::move(states);
  return Ok{};
}

Status Recovery::overrides_of(ArrayId array) {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT array, idx, data, sum FROM index_overrides "
                                        "WHERE array = ? ORDER BY idx"));
  return each_row(s.with(array.raw), [&](const Statement& row) -> Status {
    TIDEMILL_TRY(IndexOverride o, record_at<IndexOverride>(row, "index_overrides", 2,
                                                           row.integer(0), row.integer(1)));
    loader_.override_(std::move(o));
    return Ok{};
  });
}

// ---- tasks, steps ----

Status Recovery::tasks() {
  TIDEMILL_TRY(Statement s,
               db_.prepare("SELECT lane, state, priority, at, id, data, sum FROM live_tasks "
                           "ORDER BY lane, state, priority, at, id"));
  return each_row(s, [&](const Statement& row) -> Status {
    const Place at{row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
    TIDEMILL_TRY(TaskRecord task, record_at<TaskRecord>(row, "live_tasks", 5, at.lane, at.state,
                                                        at.priority, at.at, row.integer(4)));
    if (writer_ != nullptr) TIDEMILL_CHECK(writer_->found_live(task, at));
    if (has_hand_outs_ && handed_out_.contains(task.id)) live_.insert(task.id);
    loader_.task(std::move(task));
    return Ok{};
  });
}

Status Recovery::steps() {
  TIDEMILL_TRY(Statement s,
               db_.prepare("SELECT s.execution, s.step, s.epoch, s.data, s.sum "
                           "FROM execution_records e JOIN step_records s ON s.execution = e.id "
                           "WHERE e.state < 2 ORDER BY s.execution, s.step, s.epoch"));
  std::optional<StepRecord> newest;
  TIDEMILL_CHECK(each_row(s, [&](const Statement& row) -> Status {
    TIDEMILL_TRY(StepRecord step, record_at<StepRecord>(row, "step_records", 3, row.integer(0),
                                                        row.integer(1), row.integer(2)));
    const bool same =
        newest && newest->ref.execution == step.ref.execution && newest->ref.step == step.ref.step;
    if (newest && !same) loader_.step(*std::move(newest));
    newest = std::move(step);
    return Ok{};
  }));
  if (newest) loader_.step(*std::move(newest));
  return Ok{};
}

// ---- hand-outs ----

Status Recovery::read_hand_outs() {
  std::vector<std::pair<LeaseBook::Row, LeasedWork>> ends;
  TIDEMILL_CHECK(lease_ends(ends));
  auto end = ends.begin();
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT row, data, sum FROM hand_outs ORDER BY row"));
  TIDEMILL_CHECK(each_row(s, [&](const Statement& row) -> Status {
    const uint64_t number = row.number(0);
    TIDEMILL_TRY(const HandOut hand_out, record_at<HandOut>(row, "hand_outs", 1, number));
    // An end is of every hand-out up to its row.
    for (; end != ends.end() && end->first < number; ++end) this->end(end->second);
    leases_.put(number, hand_out);
    return Ok{};
  }));
  for (; end != ends.end(); ++end) this->end(end->second);
  for (const HandOut& hand_out : leases_.out()) {
    for (const LeasedWork& item : hand_out.items) {
      if (item.work.task && handed_out_.insert(item.work.task).second) {
        loader_.handed_out(item.work.task);
      }
    }
  }
  return Ok{};
}

void Recovery::hand_outs() {
  end_what_has_an_outcome();
  for (HandOut& hand_out : leases_.out()) loader_.hand_out(std::move(hand_out));
}

Status Recovery::lease_ends(std::vector<std::pair<LeaseBook::Row, LeasedWork>>& out) {
  TIDEMILL_TRY(Statement s, db_.prepare("SELECT row, turn, part, data, sum FROM lease_ends "
                                        "ORDER BY row, turn, part"));
  return each_row(s, [&](const Statement& row) -> Status {
    TIDEMILL_TRY(const EndLease end, record_at<EndLease>(row, "lease_ends", 3, row.integer(0),
                                                         row.integer(1), row.integer(2)));
    out.emplace_back(row.number(0), end.ended);
    return Ok{};
  });
}

// The hand-out that gave the ended lease may be gone, and older ones of the same work still be
// there.
void Recovery::end(const LeasedWork& ended) {
  ended.epoch ? leases_.end_up_to(ended) : leases_.end(ended.work);
}

void Recovery::end_what_has_an_outcome() {
  for (const HandOut& hand_out : leases_.out()) {
    for (const LeasedWork& item : hand_out.items) {
      const WorkRef& work = item.work;
      if (work.task) {
        if (!live_.contains(work.task)) leases_.end_task(work.task);
        continue;
      }
      const auto states = states_.find(work.array);
      if (states == states_.end()) {
        leases_.end_array(work.array);
        continue;
      }
      for (uint64_t i = work.first; i < work.first + work.count; ++i) {
        if (states->second.of(i) != Outcome::open) leases_.end_indexes(work.array, i, 1);
      }
    }
  }
}

}  // namespace

Result<Heads> heads_at(const Statement& s, int at) {
  const int64_t array = s.integer(at), turn = s.integer(at + 1), part = s.integer(at + 2);
  const std::string_view bytes = s.bytes(at + 3);
  if (s.number(at + 4) != row_sum(bytes, array, turn, part)) {
    return bad_row("array_outcomes", key_text(array, turn, part), "its checksum is wrong");
  }
  Result<Heads> heads = unpack_heads(bytes);
  if (!heads.ok()) {
    return bad_row("array_outcomes", key_text(array, turn, part), heads.error().what);
  }
  return heads;
}

void replay(const Heads& heads, IndexStates& states) {
  if (heads.rest_cancelled) states.cancel_rest();
  for (const Run& run : heads.runs) states.set(run.first, run.count, run.outcome);
}

Status recover(Database& db, Writer* writer, Loader& loader) {
  TIDEMILL_CHECK(db.execute("BEGIN"));
  Status done = Recovery(db, writer, loader).run();
  const Status ended = db.execute("COMMIT");
  if (!done.ok()) return done;
  return ended;
}

Result<std::vector<TokenRecord>> tokens_of(Database& db) {
  std::vector<TokenRecord> all;
  TIDEMILL_TRY(const int64_t there,
               db.number("SELECT count(*) FROM sqlite_schema WHERE name = 'tokens'"));
  if (there == 0) return all;  // an older file that is only read
  TIDEMILL_TRY(Statement s, db.prepare("SELECT name, data, sum FROM tokens ORDER BY name"));
  TIDEMILL_CHECK(each_row(s, [&](const Statement& row) -> Status {
    Result<TokenRecord> token = record_at<TokenRecord>(row, "tokens", 1);
    if (!token.ok()) return std::move(token).error().with(row.bytes(0));
    all.push_back(std::move(token).value());
    return Ok{};
  }));
  return all;
}

Result<Turn> last_turn(Database& db) {
  TIDEMILL_TRY(const int64_t turn, db.number("SELECT max(turn) FROM turns"));
  return Turn{static_cast<uint64_t>(turn)};
}

}  // namespace tidemill::store
