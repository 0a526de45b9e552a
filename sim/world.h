#pragma once
// World: virtual time and what will happen in it. Events run in order of time, then of their
// making; the steady clock only moves when the next event is later. The wall clock may jump. One
// thread, one owner.
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/time.h"
#include "sim/random.h"

namespace tidemill::sim {

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }
  Now now() const { return {steady_, WallTime{steady_.ns} + wall_offset_}; }
  void after(Duration delay, std::function<void()> event) {
    events_.emplace(std::pair{steady_ + delay, next_++}, std::move(event));
  }
  void jump_wall_clock(Duration by) { wall_offset_ = wall_offset_ + by; }

  // Runs the next event. False: nothing will ever happen any more.
  bool step();
  uint64_t steps() const { return steps_; }

 private:
  Random random_;
  SteadyTime steady_{seconds(1'000).ns};
  Duration wall_offset_ = hours(24 * 365 * 50);
  std::map<std::pair<SteadyTime, uint64_t>, std::function<void()>> events_;
  uint64_t next_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace tidemill::sim
