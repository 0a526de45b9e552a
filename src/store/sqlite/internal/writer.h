#pragma once
// Writer: changes to rows, inside the transaction that its owner has begun. It remembers what the
// tables cannot answer without a search: which live tasks have left their first place, and which
// hand-outs are out; recovery fills that in (recovery.h). Owned by the store; the writer's thread.
//
// A live task lies at (lane, ready, priority, spawned_at, id), which its record alone says, so that
// no index by id is needed; only those that wait, were blocked or run again lie elsewhere and are
// remembered.
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/change.h"
#include "store/internal/lease_book.h"
#include "store/sqlite/internal/database.h"
#include "store/store.h"

namespace tidemill::store {

struct Place {  // of a live task, before its id
  int64_t lane = 0;
  int64_t state = 0;
  int64_t priority = 0;
  int64_t at = 0;
  bool operator==(const Place&) const = default;
};

class Writer {
 public:
  static Result<std::unique_ptr<Writer>> open(Database& db);
  ~Writer();

  Status apply(std::span<const Change> changes, const CommitInfo& info);
  Status set_recorded(Turn turn, WallTime at);

  // What recovery found.
  void found_lane(int64_t lane, std::string queue, std::string kind);
  Status found_live(const TaskRecord& task, const Place& at);
  void found_last_bodies(uint64_t row) { last_bodies_row_ = row; }
  void found_last(LeaseBook leases, uint64_t last_hand_out, uint64_t last_finished_row,
                  TaskId newest_task);

 private:
  struct Statements;  // writer_statements.h
  explicit Writer(std::unique_ptr<Statements> statements);

  Status one(const PutQueue& v);
  Status one(const PutTask& v);
  Status one(const FinishTask& v);
  Status one(const ReopenTask& v);
  Status one(const PutAttempt& v);
  Status one(const PutArray& v) { return put_array(v.array); }
  Status one(const PutItems& v);
  Status one(const PutOutcomes& v);
  Status one(const ReopenIndex& v);
  Status one(const CancelRest& v);
  Status one(const PutOverride& v);
  Status one(const DropOverride& v);
  Status one(const FinishArray& v);
  Status one(const ReopenArray& v) { return put_array(v.array); }
  Status one(const PutBarrier& v);
  Status one(const DropBarrier& v);
  Status one(const PutExecution& v);
  Status one(const PutStep& v);
  Status one(const PutKey& v);
  Status one(const HandOut& v);
  Status one(const EndLease& v);
  Status one(const PutCounters& v);
  Status one(const PutToken& v);
  Status one(const DropToken& v);

  Result<int64_t> lane_of(const WorkSpec& work);
  Result<Place> first_place(const TaskRecord& task);
  Result<Place> place_of(const TaskRecord& task);
  Status put_live(const TaskRecord& task);
  Result<Place> last_place(const TaskRecord& task);
  Status leave(TaskId id, const Place& place);
  Status insert_finished(const HistoryRecord& v);
  Status put_array(const ArrayRecord& v);
  Status put_pack(ArrayId array, std::span<const IndexOutcome* const> outcomes);
  Status put_mark(ArrayId array, uint64_t first, uint64_t last, int64_t counts[3],
                  std::string_view heads);
  Result<Outcome> outcome_of(ArrayId array, uint64_t index);
  Status mark_ended(const LeasedWork& ended);
  Status drop_ended_hand_outs();
  std::string_view encoded(const auto& record);

  std::unique_ptr<Statements> s_;
  std::map<std::pair<std::string, std::string>, int64_t> lanes_;
  std::pair<std::string, std::string> last_lane_names_;  // most tasks of a turn are of one lane
  int64_t last_lane_ = 0;
  std::unordered_map<TaskId, Place> moved_;  // those not at their first place
  TaskId newest_task_;
  TaskId newest_before_;  // this turn
  LeaseBook leases_;
  uint64_t last_hand_out_ = 0;
  uint64_t oldest_end_ = UINT64_MAX;  // of the rows of lease_ends
  uint64_t last_finished_row_ = 0;
  uint64_t last_bodies_row_ = 0;
  Turn turn_;           // being written
  int64_t part_ = 0;    // next number within the turn
  std::string buffer_;  // of encoded()
};

}  // namespace tidemill::store
