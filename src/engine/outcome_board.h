#pragma once
// OutcomeBoard: who waits for the outcomes of which tasks, or for the end of an array. The commit
// thread tells it every turn that became durable; whoever registers also has to ask the store for
// what had ended before (Queries) and tell it with found(). Any thread.
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "model/change.h"
#include "os/sync.h"

namespace tidemill::engine {

class OutcomeBoard {
 public:
  struct Told {
    TaskId id;
    Outcome outcome = Outcome::open;  // open: it had not ended when the time was over
    bool unknown = false;             // there is no such task
    ResultValue result;
    TaskError error;
  };
  // In the order of the ids. Called once, on the thread that brought the last outcome.
  using OnTold = std::function<void(std::vector<Told>)>;
  enum class For : uint8_t { all, any };
  using Ticket = uint64_t;

  Ticket wait(std::vector<TaskId> ids, For wait_for, OnTold on_told);
  // Told when the array has ended. Tasks and arrays share one counter of ids: what is told bears
  // the array's number.
  Ticket wait_array(ArrayId id, OnTold on_told);
  static Told ended(ArrayId id) {
    return {.id = TaskId{id.raw}, .outcome = Outcome::done, .result = {}, .error = {}};
  }
  void committed(const std::vector<Change>& changes);
  void found(Ticket ticket, Told told);
  // Its time is over: it is answered with what there is. No effect when it has been answered.
  void expire(Ticket ticket);

 private:
  struct Waiter {
    std::vector<Told> told;
    std::unordered_map<TaskId, size_t> places;  // in `told`
    size_t left = 0;
    OnTold on_told;
  };
  using Waiters = std::unordered_map<Ticket, Waiter>;
  struct Ready {
    OnTold on_told;
    std::vector<Told> told;
  };

  void take(Ticket ticket, Told told, std::vector<Ready>& ready) REQUIRES(mutex_);
  void finish(Waiters::iterator waiter, std::vector<Ready>& ready) REQUIRES(mutex_);

  os::Mutex mutex_;
  Ticket last_ticket_ GUARDED_BY(mutex_) = 0;
  Waiters waiters_ GUARDED_BY(mutex_);
  std::unordered_map<TaskId, std::vector<Ticket>> by_task_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::engine
