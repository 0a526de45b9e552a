#pragma once
// Slots: how many pieces of code run at once on this worker. Who needs one waits in line; an
// attempt that waits for I/O holds none. Owned by the Worker; its event thread only.
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace tidemill::worker {

class Slots {
 public:
  explicit Slots(uint32_t count) : free_(count) {}

  using Ticket = uint64_t;
  // `on_granted` is called at once when a slot is free, else when it is this one's turn.
  Ticket acquire(std::function<void()> on_granted);
  void release();
  // Leaves the line. False when the slot has been granted already (it must be released).
  bool withdraw(Ticket ticket);

  uint32_t free() const { return free_; }
  uint32_t waiting() const { return static_cast<uint32_t>(line_.size()); }

 private:
  uint32_t free_;
  Ticket last_ = 0;
  bool granting_ = false;
  std::deque<std::pair<Ticket, std::function<void()>>> line_;
};

}  // namespace tidemill::worker
