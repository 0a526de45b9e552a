#pragma once
// OrderModel: P5 as a model of its own. It is fed with the changes of each decided turn, in order,
// and never asks the machine what is ready. What is handed out must be ahead of all that has been
// ready since before the turn, that nothing in the turn has changed, and that no limit can hold;
// and after each turn no limit is exceeded. In a fair queue nobody has a third turn while another
// of equal priority has waited for its first. One owner.
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/change.h"
#include "model/exchange.h"

namespace tidemill::sim {

class OrderModel {
 public:
  // Each gives what is broken, if something is.
  std::optional<std::string> decided(std::span<const Change> turn);
  void committed(std::span<const Change> changes);
  // The server is back with what was committed; nothing of its own process holds a lease any more.
  void recovered();
  // A worker says what it holds: the server may let it keep a lease that no change has told of.
  void presented(const std::vector<LeasedWork>& held);
  // Whether one task or index is held under this epoch, as far as changes tell.
  bool is_leased(const LeasedWork& one) const;

 private:
  using Index = std::pair<ArrayId, uint64_t>;
  using Where = std::tuple<std::string, std::string, bool>;  // queue, kind, needs a slot
  using Key = std::tuple<int64_t, int64_t, uint64_t>;        // as docs/architecture.md, P5
  // An execution, an array, or everything that is neither: (0, 0).
  using Party = std::pair<int, uint64_t>;

  struct Held {
    LeaseEpoch epoch;
    bool in_process = false;
  };
  struct Array {
    ArrayRecord record;
    uint64_t next = 0;  // no index from here on was ever handed out
    // Handed out once, and without an outcome: between two attempts it keeps its place in the loop.
    std::set<uint64_t> begun = {};
    std::set<uint64_t> ended = {};  // cancelled before they began, above all

    bool has_fresh() const {
      const auto ahead = std::distance(ended.lower_bound(next), ended.end());
      return record.count > next + static_cast<uint64_t>(ahead);
    }
    uint64_t failed = 0;
  };
  struct State {
    std::map<std::string, QueueConfig> queues;
    std::map<TaskId, TaskRecord> tasks;  // without an outcome
    std::map<ArrayId, Array> arrays;
    std::map<TaskId, Held> leased_tasks;
    std::map<Index, Held> leased_indexes;
  };
  // What a turn does: of what it changes nothing can be said about the time before its end.
  struct TurnView {
    std::map<TaskId, TaskRecord> put;
    std::set<TaskId> tasks;
    std::set<ArrayId> arrays;
    std::set<std::string> queues;
    std::map<std::pair<std::string, std::string>, uint64_t> by_key;  // leases of a queue's key
    std::set<std::string> given_queues;
    std::set<std::pair<std::string, std::string>> given_keys;
    std::set<ArrayId> given_arrays;
  };
  struct Waiting {  // could have been handed out instead
    Party party;
    Key key;
    std::string name;
    bool steady = true;  // no limit of its own takes it out of its turn for a moment
  };

  static void apply(State& state, const Change& change);
  static void end(State& state, const WorkRef& work, const LeaseEpoch* epoch);
  static void hand_out(State& state, const HandOut& record);
  QueueConfig config_of(const std::string& queue) const;
  static Key key_of(const QueueConfig& config, const WorkSpec& work, WallTime ready, uint64_t id);
  static Party party_of(const QueueConfig& config, const WorkSpec& work, ArrayId array);

  TurnView view_of(std::span<const Change> turn) const;
  void check_hand_out(TurnView& view, const HandOut& record);
  void check_order(const TurnView& view, const WorkSpec& work, const Waiting& given);
  std::vector<Waiting> waiting(const TurnView& view, const Where& where, TaskId except) const;
  void check_turns(const Where& where, const Waiting& given, const std::vector<Waiting>& others);
  void forget_turns(const TurnView& view);
  void check_limits(const TurnView& view);
  void break_promise(const std::string& text) {
    if (!broken_) broken_ = text;
  }

  State live_;     // after the last decided turn
  State durable_;  // after the last committed one
  std::set<TaskId> unsure_tasks_;
  std::set<ArrayId> unsure_arrays_;
  // How often another has had its turn while this one waited.
  std::map<std::pair<Where, Party>, std::map<Party, int>> passed_;
  std::optional<std::string> broken_;
};

}  // namespace tidemill::sim
