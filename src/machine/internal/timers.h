#pragma once
// Timers: what is due when, over both clocks (P8). Wall time: delayed work, back-off, deadlines.
// Steady time: sessions, parked exchanges, running attempts. An ordered set for each, so the order
// in which due things are done depends on nothing but the times and the ids. Part of State; engine
// thread only.
#include <compare>
#include <cstdint>
#include <optional>
#include <set>

#include "base/time.h"

namespace tidemill::machine {

struct Timer {
  enum class Kind : uint8_t {
    task_ready,     // wall: a delayed task's run-at has come; a = task
    index_ready,    // wall: an index's back-off has passed; a = array, b = index
    task_deadline,  // wall: a = task
    execution,      // wall: asked for by execution/; a = execution, b = whatever it means there
    session,        // steady: its lease time or its grace may have passed; a = session
    parked,         // steady: a parked exchange is answered; a = session
    attempt,        // steady: an attempt's timeout; a = session, b, c = epoch (incarnation, counter)
    reservations,   // steady: the grace after a restart ends
  };
  Kind kind = Kind::task_ready;
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
  constexpr auto operator<=>(const Timer&) const = default;
};

template <class Time>
class TimerSet {
 public:
  void add(Time at, const Timer& timer) { set_.insert({at, timer}); }
  void remove(Time at, const Timer& timer) { set_.erase({at, timer}); }
  bool contains(Time at, const Timer& timer) const { return set_.contains({at, timer}); }
  Time next() const { return set_.empty() ? Time::never() : set_.begin()->at; }
  // Takes the earliest timer that is due.
  std::optional<Timer> pop_due(Time now) {
    if (set_.empty() || set_.begin()->at > now) return std::nullopt;
    return set_.extract(set_.begin()).value().timer;
  }
  size_t size() const { return set_.size(); }

 private:
  struct Entry {
    Time at;
    Timer timer;
    constexpr auto operator<=>(const Entry&) const = default;
  };
  std::set<Entry> set_;
};

struct Timers {
  TimerSet<WallTime> wall;
  TimerSet<SteadyTime> steady;
};

}  // namespace tidemill::machine
