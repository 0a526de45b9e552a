#include "sim/world.h"

namespace tidemill::sim {

bool World::step() {
  if (events_.empty()) return false;
  auto first = events_.extract(events_.begin());
  TIDEMILL_ASSERT(first.key().first >= steady_);
  steady_ = first.key().first;
  ++steps_;
  first.mapped()();
  return true;
}

}  // namespace tidemill::sim
