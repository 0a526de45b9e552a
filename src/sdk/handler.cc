#include "tidemill/handler.h"

#include <algorithm>
#include <utility>

#include "os/clock.h"
#include "sdk/internal/attempt.h"
#include "sdk/internal/json_access.h"

namespace tidemill::sdk {

void Attempt::begin(client::WorkItem begun) {
  item = std::move(begun);
  input = assignment().input ? JsonAccess::trusted(*assignment().input) : Json();
  cancelled = false;
}

void Attempt::cancel() {
  os::Lock lock(mutex);
  cancelled = true;
  changed.notify_all();
}

Json Attempt::own_input() const {
  const Assignment& all = assignment();
  if (all.items.empty()) return input;
  return JsonAccess::trusted(all.items.at(item.index - all.work.first));
}

bool Context::cancelled() const { return attempt_.cancelled; }

bool Context::cancelled_within(std::chrono::nanoseconds time) const {
  const SteadyTime until = os::steady_now() + nanoseconds(time.count());
  os::Lock lock(attempt_.mutex);
  while (!attempt_.cancelled) {
    const Duration left = until - os::steady_now();
    if (left.ns <= 0) return false;
    attempt_.changed.wait_for(attempt_.mutex, left);
  }
  return true;
}

std::uint64_t Context::id() const {
  const WorkRef& work = attempt_.assignment().work;
  return work.task ? work.task.raw : work.array.raw;
}

std::uint64_t Context::index() const { return attempt_.item.index; }
std::uint32_t Context::attempt() const { return attempt_.assignment().attempt; }
const std::string& Context::kind() const { return attempt_.assignment().kind; }
const std::string& Context::queue() const { return attempt_.assignment().queue; }

std::uint64_t Range::first() const { return attempt_.item.index; }
std::uint64_t Range::count() const { return attempt_.item.count; }
std::uint64_t Range::array_count() const {
  return std::max<std::uint64_t>(attempt_.assignment().array_count, 1);
}
const Json& Range::input() const { return attempt_.input; }
bool Range::has_items() const { return !attempt_.assignment().items.empty(); }

Json Range::item(std::uint64_t index) const {
  const Assignment& all = attempt_.assignment();
  const std::uint64_t at = index - all.work.first;
  return at < all.items.size() ? JsonAccess::trusted(all.items[at]) : Json();
}

}  // namespace tidemill::sdk
