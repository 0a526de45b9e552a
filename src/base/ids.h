#pragma once
// Id<Tag>: a 64-bit id that cannot be mixed up with another kind of id. 12 bits of partition and 52
// of a durable counter; 0 means "none". In JSON an id is a decimal string.
// A value; any thread.
#include <compare>
#include <cstdint>
#include <functional>

namespace tidemill {

template <class Tag, class Rep = uint64_t>
struct Id {
  Rep raw{};
  constexpr auto operator<=>(const Id&) const = default;
  constexpr explicit operator bool() const { return raw != 0; }
};

using TaskId = Id<struct TaskTag>;
using ArrayId = Id<struct ArrayTag>;
using BarrierId = Id<struct BarrierTag>;
using ExecutionId = Id<struct ExecutionTag>;
using SessionId = Id<struct SessionTag>;
using Turn = Id<struct TurnTag>;  // number of a turn of the engine, counted from 1 per store

inline constexpr int kPartitionBits = 12;
inline constexpr int kCounterBits = 52;

}  // namespace tidemill

template <class Tag, class Rep>
struct std::hash<tidemill::Id<Tag, Rep>> {
  size_t operator()(const tidemill::Id<Tag, Rep>& id) const noexcept {
    // Fibonacci multiplier: neighbouring counters spread over the buckets.
    return static_cast<size_t>(id.raw * 0x9e3779b97f4a7c15ULL);
  }
};
