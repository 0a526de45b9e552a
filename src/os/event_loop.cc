#include "os/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "os/clock.h"
#include "os/sync.h"

namespace tidemill::os {

namespace {

constexpr int kEventsPerRound = 256;
constexpr size_t kStaleTimersKept = 64;

using Events = std::array<epoll_event, kEventsPerRound>;

// Sleeps at most `left`; a tv_sec of -1 means: until something happens.
int wait_for_events(int epoll, Events& events, const timespec& left) {
  const bool for_ever = left.tv_sec < 0;
  const int n =
      epoll_pwait2(epoll, events.data(), kEventsPerRound, for_ever ? nullptr : &left, nullptr);
  if (n >= 0 || errno != ENOSYS) return n;
  // Linux before 5.11 counts in milliseconds: rounded up, so as not to wake too early and spin.
  constexpr int64_t kLongest = 3'600'000;
  const int64_t ms =
      std::min<int64_t>(left.tv_sec * 1'000 + (left.tv_nsec + 999'999) / 1'000'000, kLongest);
  return epoll_wait(epoll, events.data(), kEventsPerRound, for_ever ? -1 : static_cast<int>(ms));
}

}  // namespace

struct EventLoop::Impl {
  struct Deadline {
    SteadyTime at;
    TimerId timer;
    // The earliest on top; equal ones in the order they were asked for.
    bool operator<(const Deadline& other) const {
      return at != other.at ? at > other.at : timer > other.timer;
    }
  };
  // What one descriptor is watched for. The generation tells an event that was gathered before an
  // unwatch() in the same round from one that belongs to the descriptor's next owner.
  struct Watch {
    uint32_t generation = 0;
    std::shared_ptr<OnReady> on_ready;
  };

  int epoll = -1;
  int wake = -1;
  std::vector<Watch> watches;  // by descriptor

  std::priority_queue<Deadline> deadlines;
  std::unordered_map<TimerId, std::function<void()>> timers;  // those not yet fired or cancelled
  TimerId last_timer = 0;

  std::vector<std::function<void()>> deferred;
  std::vector<std::function<void()>> running;  // kept for its capacity

  Mutex mutex;
  std::vector<std::function<void()>> posted GUARDED_BY(mutex);
  // True from the first post (or stop) until the loop has taken it: one wake-up for many posts.
  std::atomic<bool> woken{false};
  std::atomic<bool> stopping{false};

  void wake_up();
  void wait();
  void drop_stale_deadlines();
  timespec time_left();
  void fire_timers();
  void run_posted();
  void run_deferred();
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  impl_->epoll = epoll_create1(EPOLL_CLOEXEC);
  impl_->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  TIDEMILL_ASSERT(impl_->epoll >= 0 && impl_->wake >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<uint32_t>(impl_->wake);
  TIDEMILL_ASSERT(epoll_ctl(impl_->epoll, EPOLL_CTL_ADD, impl_->wake, &event) == 0);
}

EventLoop::~EventLoop() {
  close(impl_->wake);
  close(impl_->epoll);
}

void EventLoop::watch(int fd, uint32_t events, OnReady on_ready) {
  TIDEMILL_ASSERT(fd >= 0 && fd != impl_->wake);
  const auto slot = static_cast<size_t>(fd);
  if (slot >= impl_->watches.size()) impl_->watches.resize(slot + 1);
  Impl::Watch& w = impl_->watches[slot];
  const int operation = w.on_ready ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (!w.on_ready) ++w.generation;
  w.on_ready = std::make_shared<OnReady>(std::move(on_ready));
  epoll_event event{};
  event.events = events;
  event.data.u64 = uint64_t{w.generation} << 32 | static_cast<uint32_t>(fd);
  TIDEMILL_ASSERT(epoll_ctl(impl_->epoll, operation, fd, &event) == 0);
}

void EventLoop::unwatch(int fd) {
  const auto slot = static_cast<size_t>(fd);
  if (fd < 0 || slot >= impl_->watches.size() || !impl_->watches[slot].on_ready) return;
  impl_->watches[slot].on_ready.reset();
  // The descriptor may be closed already, which took it out of the set.
  (void)epoll_ctl(impl_->epoll, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::after(Duration delay, std::function<void()> fire) {
  const TimerId timer = ++impl_->last_timer;
  impl_->deadlines.push({steady_now() + delay, timer});
  impl_->timers.emplace(timer, std::move(fire));
  return timer;
}

void EventLoop::cancel(TimerId timer) {
  if (impl_->timers.erase(timer) != 0) impl_->drop_stale_deadlines();
}

void EventLoop::post(std::function<void()> f) {
  {
    Lock lock(impl_->mutex);
    impl_->posted.push_back(std::move(f));
  }
  impl_->wake_up();
}

void EventLoop::defer(std::function<void()> f) { impl_->deferred.push_back(std::move(f)); }

void EventLoop::run() {
  while (!impl_->stopping.exchange(false)) {
    impl_->wait();
    impl_->run_posted();
    impl_->fire_timers();
    impl_->run_deferred();
  }
}

void EventLoop::stop() {
  impl_->stopping.store(true);
  impl_->wake_up();
}

void EventLoop::Impl::wake_up() {
  if (woken.exchange(true)) return;
  const uint64_t one = 1;
  TIDEMILL_ASSERT(write(wake, &one, sizeof one) == static_cast<ssize_t>(sizeof one));
}

void EventLoop::Impl::wait() {
  Events events;
  const int n = wait_for_events(epoll, events, time_left());
  TIDEMILL_ASSERT(n >= 0 || errno == EINTR);
  for (int i = 0; i < n; ++i) {
    const auto& event = events[static_cast<size_t>(i)];
    const auto fd = static_cast<uint32_t>(event.data.u64);
    if (static_cast<int>(fd) == wake) {
      uint64_t count = 0;
      (void)!read(wake, &count, sizeof count);
      // From here on a post wakes again; what was posted before is taken by run_posted() below.
      woken.store(false);
      continue;
    }
    const Impl::Watch& w = watches[fd];
    if (!w.on_ready || w.generation != static_cast<uint32_t>(event.data.u64 >> 32)) continue;
    // Kept alive here, for the function may unwatch or replace itself.
    const std::shared_ptr<OnReady> on_ready = w.on_ready;
    (*on_ready)(event.events);
  }
}

// A time of tv_sec -1 means: until something happens.
timespec EventLoop::Impl::time_left() {
  if (!deferred.empty()) return {0, 0};
  while (!deadlines.empty() && !timers.contains(deadlines.top().timer)) deadlines.pop();
  if (deadlines.empty()) return {-1, 0};
  const int64_t ns = (deadlines.top().at - steady_now()).ns;
  if (ns <= 0) return {0, 0};
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

// Timeouts are mostly cancelled long before they are due, so the heap is rebuilt when most of it is
// cancelled ones.
void EventLoop::Impl::drop_stale_deadlines() {
  if (deadlines.size() < 2 * timers.size() + kStaleTimersKept) return;
  std::priority_queue<Deadline> kept;
  for (; !deadlines.empty(); deadlines.pop()) {
    if (timers.contains(deadlines.top().timer)) kept.push(deadlines.top());
  }
  deadlines = std::move(kept);
}

void EventLoop::Impl::fire_timers() {
  if (deadlines.empty()) return;
  const SteadyTime now = steady_now();
  while (!deadlines.empty() && deadlines.top().at <= now) {
    const TimerId timer = deadlines.top().timer;
    deadlines.pop();
    const auto found = timers.find(timer);
    if (found == timers.end()) continue;
    const std::function<void()> fire = std::move(found->second);
    timers.erase(found);
    fire();
  }
}

void EventLoop::Impl::run_posted() {
  {
    Lock lock(mutex);
    running.swap(posted);
  }
  for (auto& f : running) f();
  running.clear();
}

void EventLoop::Impl::run_deferred() {
  // What a deferred function defers belongs to the next round.
  std::vector<std::function<void()>> now;
  now.swap(deferred);
  for (auto& f : now) f();
}

}  // namespace tidemill::os
