#pragma once
// RandomChanges: a seeded stream of changes such as a machine would emit, with the small model of
// tasks, arrays and leases that keeps it sensible. The same seed gives the same stream. Test code;
// one thread.
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/change.h"

namespace tidemill::store {

class RandomChanges {
 public:
  explicit RandomChanges(uint64_t seed) : random_(seed) {}

  // The changes of one commit, up to a few dozen.
  std::vector<Change> next();
  uint64_t ids() const { return next_id_; }  // those given out are below

 private:
  struct OpenArray {
    ArrayRecord record;
    std::set<uint64_t> open;
    std::set<uint64_t> closed;
  };

  uint64_t below(uint64_t n) { return random_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  WallTime time() { return {1'000'000 + static_cast<int64_t>(below(1'000'000))}; }
  std::string text(size_t most);
  Trace trace();
  LeaseEpoch epoch() { return {.incarnation = 1, .counter = ++epoch_}; }
  template <class Map>
  auto pick(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(map.size())));
  }

  void spawn(std::vector<Change>& out);
  void change_task(std::vector<Change>& out);
  void finish_task(std::vector<Change>& out);
  void reopen_task(std::vector<Change>& out);
  void spawn_array(std::vector<Change>& out);
  void finish_indexes(std::vector<Change>& out);
  void touch_array(std::vector<Change>& out);
  void hand_out(std::vector<Change>& out);
  void end_lease(std::vector<Change>& out);
  void record(std::vector<Change>& out);

  std::mt19937_64 random_;
  uint64_t next_id_ = 1;
  uint64_t epoch_ = 0;
  std::map<TaskId, TaskRecord> live_;
  std::map<TaskId, TaskRecord> finished_;
  std::map<ArrayId, OpenArray> arrays_;
  std::map<ExecutionId, ExecutionRecord> executions_;
  std::vector<LeasedWork> leased_;  // some of these have ended
};

}  // namespace tidemill::store
