#pragma once
// WorkQueue: the work this worker holds and has not started, in the order it was handed out. Ranges
// of an array are started index by index, or whole, and can be taken back in part. Owned by a
// worker, who sees to it that one thread at a time uses it.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/exchange.h"

namespace tidemill::client {

// What is begun at once: a task, one index of an array, or several.
struct WorkItem {
  std::shared_ptr<const Assignment> assignment;
  uint64_t index = 0;  // of the array: the first
  SteadyTime received;
  uint64_t count = 1;

  WorkRef ref() const {
    const WorkRef& all = assignment->work;
    return all.array ? WorkRef::of(all.array, index, count) : all;
  }
};

class WorkQueue {
 public:
  void add(Assignment assignment, SteadyTime received);
  // What take() gives next; null when there is nothing.
  const Assignment* next() const;
  std::optional<WorkItem> take();
  // All that is left of the first assignment.
  std::optional<WorkItem> take_whole();
  // Takes out what has not been started of a piece of work: as single works or ranges.
  std::vector<LeasedWork> take_back(const LeasedWork& work);
  std::vector<LeasedWork> held() const;

  uint64_t size() const { return size_; }
  uint64_t entries() const { return entries_.size(); }  // assignments
  uint64_t needing_slot() const { return needing_slot_; }
  bool empty() const { return size_ == 0; }

 private:
  // What is left of an assignment: indexes [next, end); of a task [0, 1).
  struct Entry {
    std::shared_ptr<const Assignment> assignment;
    SteadyTime received;
    uint64_t next = 0;
    uint64_t end = 1;
  };
  static LeasedWork left_of(const Entry& entry, uint64_t from, uint64_t to);
  void uncount(const Entry& entry, uint64_t n);

  std::deque<Entry> entries_;
  uint64_t size_ = 0;
  uint64_t needing_slot_ = 0;
};

}  // namespace tidemill::client
