#pragma once
// ReadyIndex: the work of one queue that could be handed out now, in the order of P5. A lane holds
// what one (kind, slot or place) can run. In a lane, units (an execution, an array, or everything
// that belongs to neither) of equal priority take turns by ticket; inside a unit the order is
// (priority or aged time, ready time, id). What a limit holds is not in here, so a claim looks at
// heads only:
//
//   lane (kind, needs_slot) ── heads, sorted ── unit ── keys, sorted ── task or array
//
// Owned by its Queue; engine thread only.
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

namespace tidemill::machine {

// Fixed when the work becomes ready. A gap stands where the part of a backlog begins that lies in
// the store only: just before the work whose key it has otherwise.
struct OrderKey {
  enum class What : uint8_t { gap, work };
  int32_t major = 0;  // priority; 0 when the queue ages
  What what = What::work;
  int64_t ready = 0;  // ready time; when the queue ages, later by priority × D
  uint64_t id = 0;    // task or array
  constexpr bool operator==(const OrderKey&) const = default;
  constexpr std::strong_ordering operator<=>(const OrderKey& o) const {
    if (const auto c = major <=> o.major; c != 0) return c;
    if (const auto c = ready <=> o.ready; c != 0) return c;
    if (const auto c = id <=> o.id; c != 0) return c;
    return what <=> o.what;
  }
};

struct UnitId {
  enum class Kind : uint8_t { loose, execution, array };
  int64_t major = 0;
  Kind kind = Kind::loose;
  uint64_t id = 0;
  constexpr auto operator<=>(const UnitId&) const = default;
};

// A lane's number: twice the number of the kind, plus one when it needs a slot.
using LaneId = uint32_t;
constexpr LaneId lane_of(uint32_t kind, bool needs_slot) { return kind * 2 + (needs_slot ? 1 : 0); }

class ReadyIndex {
 public:
  struct Entry {
    LaneId lane = 0;
    UnitId unit;
    OrderKey key;
  };

  void insert(LaneId lane, const UnitId& unit, const OrderKey& key);
  // Removes it when it is there; true when it was.
  bool remove(LaneId lane, const UnitId& unit, const OrderKey& key);
  bool contains(LaneId lane, const UnitId& unit, const OrderKey& key) const;

  // The entry that is ahead of all others of these lanes; false when they are empty.
  bool front(std::span<const LaneId> lanes, Entry& out) const;
  // Says that the unit, still in the index, has its turn. In a queue that is not fair nobody calls
  // it.
  void took_turn(LaneId lane, const UnitId& unit);

  bool empty(LaneId lane) const { return lane >= lanes_.size() || lanes_[lane].heads.empty(); }
  size_t units(LaneId lane) const { return lane >= lanes_.size() ? 0 : lanes_[lane].heads.size(); }
  uint64_t size() const { return size_; }
  void clear();

 private:
  struct Head {
    int64_t major = 0;
    uint64_t ticket = 0;
    OrderKey key;
    UnitId unit;
    constexpr auto operator<=>(const Head&) const = default;
  };
  struct Unit {
    uint64_t ticket = 0;
    std::set<OrderKey> keys;
  };
  struct Lane {
    std::map<UnitId, Unit> units;
    std::set<Head> heads;  // one for each unit
  };
  static Head head_of(const UnitId& id, const Unit& unit);

  std::vector<Lane> lanes_;
  uint64_t clock_ = 0;  // the ticket served last; a unit that comes back starts here
  uint64_t size_ = 0;
};

}  // namespace tidemill::machine
