#pragma once
// Durations and the two clocks. SteadyTime never jumps and means nothing outside its process;
// leases and running timeouts use it. WallTime is what people and schedules use and may jump. The
// two do not mix. All are nanoseconds in int64. Values; any thread. Nothing here reads a clock (see
// os/clock.h).
#include <compare>
#include <cstdint>
#include <limits>

namespace tidemill {

struct Duration {
  int64_t ns{};
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration d) const { return {ns + d.ns}; }
  constexpr Duration operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator*(int64_t k) const { return {ns * k}; }
  constexpr Duration operator/(int64_t k) const { return {ns / k}; }
  constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
  constexpr double milliseconds() const { return static_cast<double>(ns) * 1e-6; }
  constexpr int64_t whole_milliseconds() const { return ns / 1'000'000; }
};

constexpr Duration nanoseconds(int64_t v) { return {v}; }
constexpr Duration microseconds(int64_t v) { return {v * 1'000}; }
constexpr Duration milliseconds(int64_t v) { return {v * 1'000'000}; }
constexpr Duration seconds(int64_t v) { return {v * 1'000'000'000}; }
constexpr Duration minutes(int64_t v) { return seconds(v * 60); }
constexpr Duration hours(int64_t v) { return minutes(v * 60); }
constexpr Duration seconds_f(double v) { return {static_cast<int64_t>(v * 1e9)}; }

template <class Clock>
struct TimePoint {
  int64_t ns{};
  constexpr auto operator<=>(const TimePoint&) const = default;
  constexpr TimePoint operator+(Duration d) const { return {ns + d.ns}; }
  constexpr TimePoint operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator-(TimePoint t) const { return {ns - t.ns}; }
  static constexpr TimePoint never() { return {std::numeric_limits<int64_t>::max()}; }
};

using SteadyTime = TimePoint<struct SteadyClockTag>;
using WallTime = TimePoint<struct WallClockTag>;  // since 1970-01-01T00:00:00Z

// What the machine is told of time, once per turn.
struct Now {
  SteadyTime steady;
  WallTime wall;
};

}  // namespace tidemill
