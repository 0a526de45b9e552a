#pragma once
// WorkQueue: the work this worker holds and has not started, in the order it was handed out. Ranges
// of an array are started index by index and can be taken back in part. Owned by the Worker; its
// event thread only.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/exchange.h"

namespace tidemill::worker {

// One attempt to be made: a task, or one index of an array.
struct WorkItem {
  std::shared_ptr<const Assignment> assignment;
  uint64_t index = 0;  // of the array
  SteadyTime received;

  WorkRef ref() const {
    const WorkRef& all = assignment->work;
    return all.array ? WorkRef::of(all.array, index) : all;
  }
};

class WorkQueue {
 public:
  void add(Assignment assignment, SteadyTime received);
  std::optional<WorkItem> take();
  // Takes out what has not been started of a piece of work: as single works or ranges.
  std::vector<LeasedWork> take_back(const LeasedWork& work);
  std::vector<LeasedWork> held() const;

  uint64_t size() const { return size_; }
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

}  // namespace tidemill::worker
