#include "store/internal/lease_book.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace tidemill::store {

void LeaseBook::put(Row row, const HandOut& hand_out) {
  TIDEMILL_ASSERT(rows_.empty() || row > rows_.rbegin()->first);
  Left& left = rows_[row];
  left.head = hand_out;
  left.head.items.clear();
  for (const LeasedWork& item : hand_out.items) {
    end(item.work);
    if (item.work.task) {
      tasks_[item.work.task] = {row, 1, item.epoch};
      left.count += 1;
    } else {
      arrays_[item.work.array][item.work.first] = {row, item.work.count, item.epoch};
      left.count += item.work.count;
    }
  }
  if (left.count == 0) release(row, 0);
}

template <class Ends>
bool LeaseBook::end_if(const WorkRef& work, Ends ends) {
  if (work.task) {
    const auto found = tasks_.find(work.task);
    return found != tasks_.end() && ends(found->second.epoch) && end_task(work.task);
  }
  const auto found = arrays_.find(work.array);
  if (found == arrays_.end()) return false;
  const bool ended = cut(found->second, work.first, work.count, ends);
  if (found->second.empty()) arrays_.erase(found);
  return ended;
}

bool LeaseBook::end(const WorkRef& work) {
  return end_if(work, [](const LeaseEpoch&) { return true; });
}

bool LeaseBook::end(const LeasedWork& leased) {
  return end_if(leased.work, [&](const LeaseEpoch& epoch) { return epoch == leased.epoch; });
}

bool LeaseBook::end_up_to(const LeasedWork& leased) {
  return end_if(leased.work, [&](const LeaseEpoch& epoch) { return epoch <= leased.epoch; });
}

bool LeaseBook::end_task(TaskId task) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return false;
  const Row row = found->second.row;
  tasks_.erase(found);
  release(row, 1);
  return true;
}

bool LeaseBook::end_indexes(ArrayId array, uint64_t first, uint64_t count) {
  return end(WorkRef::of(array, first, count));
}

bool LeaseBook::end_array(ArrayId array) {
  const auto found = arrays_.find(array);
  if (found == arrays_.end()) return false;
  for (const auto& [first, piece] : found->second) release(piece.row, piece.count);
  arrays_.erase(found);
  return true;
}

// Takes [first, first + count) out of the pieces it meets; what is left of them on either side
// stays.
template <class Ends>
bool LeaseBook::cut(Ranges& ranges, uint64_t first, uint64_t count, Ends ends) {
  const uint64_t last = first + count;
  auto at = ranges.upper_bound(first);
  if (at != ranges.begin()) --at;
  bool any = false;
  while (at != ranges.end() && at->first < last) {
    const uint64_t begin = at->first, end = begin + at->second.count;
    const Piece piece = at->second;
    if (end <= first || !ends(piece.epoch)) {
      ++at;
      continue;
    }
    at = ranges.erase(at);
    if (begin < first) ranges[begin] = {piece.row, first - begin, piece.epoch};
    if (end > last)
      at = ranges.insert_or_assign(last, Piece{piece.row, end - last, piece.epoch}).first;
    release(piece.row, std::min(end, last) - std::max(begin, first));
    any = true;
  }
  return any;
}

void LeaseBook::release(Row row, uint64_t count) {
  const auto found = rows_.find(row);
  TIDEMILL_ASSERT(found != rows_.end() && found->second.count >= count);
  found->second.count -= count;
  if (found->second.count > 0) return;
  rows_.erase(found);
  emptied_.push_back(row);
}

std::vector<HandOut> LeaseBook::out() const {
  std::map<Row, std::vector<LeasedWork>> items;
  for (const auto& [task, piece] : tasks_) {
    items[piece.row].push_back({WorkRef::of(task), piece.epoch});
  }
  for (const auto& [array, ranges] : arrays_) {
    for (const auto& [first, piece] : ranges) {
      items[piece.row].push_back({WorkRef::of(array, first, piece.count), piece.epoch});
    }
  }
  std::vector<HandOut> all;
  for (auto& [row, pieces] : items) {
    std::sort(pieces.begin(), pieces.end());
    HandOut hand_out = rows_.at(row).head;
    hand_out.items = std::move(pieces);
    all.push_back(std::move(hand_out));
  }
  return all;
}

}  // namespace tidemill::store
