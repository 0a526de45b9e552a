#include "machine/internal/ready.h"

#include "base/assert.h"

namespace tidemill::machine {

ReadyIndex::Head ReadyIndex::head_of(const UnitId& id, const Unit& unit) {
  TIDEMILL_ASSERT(!unit.keys.empty());
  return {.major = id.major, .ticket = unit.ticket, .key = *unit.keys.begin(), .unit = id};
}

void ReadyIndex::insert(LaneId lane_id, const UnitId& unit_id, const OrderKey& key) {
  if (lane_id >= lanes_.size()) lanes_.resize(lane_id + 1);
  Lane& lane = lanes_[lane_id];
  // A unit that comes back goes behind those that are waiting for their turn.
  const auto [found, is_new] =
      lane.units.try_emplace(unit_id, Unit{.ticket = clock_ + 1, .keys = {}});
  Unit& unit = found->second;
  if (is_new) {
    unit.keys.insert(key);
    lane.heads.insert(head_of(unit_id, unit));
  } else if (key < *unit.keys.begin()) {
    auto head = lane.heads.extract(head_of(unit_id, unit));
    TIDEMILL_ASSERT(!head.empty());
    unit.keys.insert(unit.keys.begin(), key);
    head.value() = head_of(unit_id, unit);
    lane.heads.insert(std::move(head));
  } else {
    // Most keys come in the order of their ready times.
    const size_t before = unit.keys.size();
    unit.keys.insert(unit.keys.end(), key);
    TIDEMILL_ASSERT(unit.keys.size() == before + 1);
  }
  ++size_;
}

bool ReadyIndex::remove(LaneId lane_id, const UnitId& unit_id, const OrderKey& key) {
  if (lane_id >= lanes_.size()) return false;
  Lane& lane = lanes_[lane_id];
  const auto found = lane.units.find(unit_id);
  if (found == lane.units.end()) return false;
  Unit& unit = found->second;
  if (*unit.keys.begin() == key) {
    auto head = lane.heads.extract(head_of(unit_id, unit));
    TIDEMILL_ASSERT(!head.empty());
    unit.keys.erase(unit.keys.begin());
    if (unit.keys.empty()) {
      lane.units.erase(found);
    } else {
      head.value() = head_of(unit_id, unit);
      lane.heads.insert(std::move(head));
    }
  } else if (unit.keys.erase(key) == 0) {
    return false;
  }
  TIDEMILL_ASSERT(size_ > 0);
  --size_;
  return true;
}

bool ReadyIndex::contains(LaneId lane_id, const UnitId& unit_id, const OrderKey& key) const {
  if (lane_id >= lanes_.size()) return false;
  const auto found = lanes_[lane_id].units.find(unit_id);
  return found != lanes_[lane_id].units.end() && found->second.keys.contains(key);
}

bool ReadyIndex::front(std::span<const LaneId> lanes, Entry& out) const {
  const Head* best = nullptr;
  for (const LaneId lane : lanes) {
    if (empty(lane)) continue;
    const Head& head = *lanes_[lane].heads.begin();
    if (best != nullptr && *best <= head) continue;
    best = &head;
    out = {.lane = lane, .unit = head.unit, .key = head.key};
  }
  return best != nullptr;
}

void ReadyIndex::took_turn(LaneId lane_id, const UnitId& unit_id) {
  TIDEMILL_ASSERT(lane_id < lanes_.size());
  Lane& lane = lanes_[lane_id];
  const auto found = lane.units.find(unit_id);
  TIDEMILL_ASSERT(found != lane.units.end());
  Unit& unit = found->second;
  if (unit.ticket > clock_) clock_ = unit.ticket;
  // Alone in its lane, too: units of other lanes wait for their turn as well. One that its lane has
  // kept waiting does not make up for it, or a newcomer in the lane would wait for all of that.
  auto head = lane.heads.extract(head_of(unit_id, unit));
  TIDEMILL_ASSERT(!head.empty());
  unit.ticket = clock_ + 1;
  head.value() = head_of(unit_id, unit);
  lane.heads.insert(std::move(head));
}

void ReadyIndex::clear() {
  lanes_.clear();
  size_ = 0;
}

}  // namespace tidemill::machine
