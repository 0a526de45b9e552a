#pragma once
// Checker: watches what is acknowledged, committed and handed out, and knows what Tidemill promises
// (docs/architecture.md). It keeps a model of its own and never asks the machine what is right. The
// first broken promise is kept with its number and text; the run then stops. One owner.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/turn_loop.h"
#include "machine/command.h"
#include "machine/reply.h"
#include "model/exchange.h"
#include "sim/order_model.h"
#include "store/store.h"

namespace tidemill::sim {

class Checker {
 public:
  // ---- what was seen ----
  void spawned(const machine::Spawned& reply);         // an acknowledgement reached its producer
  void array_spawned(ArrayId id, uint64_t count);
  void execution_started(ExecutionId id);
  void answered(const Report& report, ReportAnswer answer);
  void presented(const ExchangeRequest& request);      // reaches the server
  void changed(std::span<const Change> turn);          // decided, not durable yet
  void committed(const engine::CommitBatch& batch);    // is durable
  void decided(Turn turn, uint64_t state_hash);        // after each turn
  // A worker's open attempts, after each reply.
  void holds(const std::vector<LeasedWork>& attempts, uint32_t places);
  void recovered(Turn durable, uint64_t state_hash);   // before the first new command

  // ---- at the end, when faults have stopped and everything has come to rest ----
  void at_rest(store::Reader& reader);

  // Adds to what is broken, if something is.
  void explain(const std::string& text) {
    if (broken_) *broken_ += text;
  }

  const std::optional<std::string>& broken() const { return broken_; }
  uint64_t outcomes() const { return outcomes_; }

 private:
  // An index of an array, or a task (array 0).
  using Unit = std::pair<uint64_t, uint64_t>;
  static Unit unit_of(const WorkRef& work, uint64_t offset = 0);

  struct Record {
    std::set<LeaseEpoch> recorded;    // whose outcome was acknowledged as recorded, in any round
    uint64_t rounds = 1;
    Outcome outcome = Outcome::open;  // as committed
  };

  void break_promise(const std::string& promise, const std::string& text);
  void see(const Change& change);
  void see_outcome(const Unit& unit, Outcome outcome);
  void see_reopened(const Unit& unit);
  void see_barrier(const BarrierRecord& barrier);
  void check_execution_at_rest(store::Reader& reader, ExecutionId id);

  OrderModel order_;
  std::map<Unit, Record> units_;
  std::set<TaskId> acknowledged_tasks_;
  std::map<ArrayId, uint64_t> acknowledged_arrays_;
  std::set<ExecutionId> acknowledged_executions_;
  std::set<BarrierId> fired_;
  std::set<BarrierId> open_barriers_;
  std::set<std::pair<StepRef, int>> loop_done_;
  std::map<Turn, uint64_t> hashes_;
  std::optional<std::string> broken_;
  uint64_t outcomes_ = 0;
};

}  // namespace tidemill::sim
