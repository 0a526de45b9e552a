#include "worker/internal/slots.h"

#include <algorithm>

namespace tidemill::worker {

Slots::Ticket Slots::acquire(std::function<void()> on_granted) {
  const Ticket ticket = ++last_;
  if (free_ == 0 || !line_.empty()) {
    line_.emplace_back(ticket, std::move(on_granted));
    return ticket;
  }
  --free_;
  on_granted();
  return ticket;
}

void Slots::release() {
  ++free_;
  if (granting_) return;
  // Who is granted a slot may give it back at once; that must not nest.
  granting_ = true;
  while (free_ > 0 && !line_.empty()) {
    const std::function<void()> next = std::move(line_.front().second);
    line_.pop_front();
    --free_;
    next();
  }
  granting_ = false;
}

bool Slots::withdraw(Ticket ticket) {
  const auto found = std::find_if(line_.begin(), line_.end(),
                                  [ticket](const auto& entry) { return entry.first == ticket; });
  if (found == line_.end()) return false;
  line_.erase(found);
  return true;
}

}  // namespace tidemill::worker
