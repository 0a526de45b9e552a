#include "client/work_queue.h"

#include <algorithm>
#include <utility>

namespace tidemill::client {

namespace {

bool same_work(const Assignment& a, const LeasedWork& w) {
  return a.epoch == w.epoch && a.work.task == w.work.task && a.work.array == w.work.array;
}

}  // namespace

void WorkQueue::add(Assignment assignment, SteadyTime received) {
  Entry entry{.received = received};
  if (assignment.work.array) {
    entry.next = assignment.work.first;
    entry.end = assignment.work.first + assignment.work.count;
  }
  size_ += entry.end - entry.next;
  if (assignment.needs_slot) needing_slot_ += entry.end - entry.next;
  entry.assignment = std::make_shared<const Assignment>(std::move(assignment));
  entries_.push_back(std::move(entry));
}

const Assignment* WorkQueue::next() const {
  return entries_.empty() ? nullptr : entries_.front().assignment.get();
}

std::optional<WorkItem> WorkQueue::take_whole() {
  if (entries_.empty()) return std::nullopt;
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  uncount(entry, entry.end - entry.next);
  return WorkItem{std::move(entry.assignment), entry.next, entry.received, entry.end - entry.next};
}

std::optional<WorkItem> WorkQueue::take() {
  if (entries_.empty()) return std::nullopt;
  Entry& entry = entries_.front();
  WorkItem item{entry.assignment, entry.next, entry.received};
  uncount(entry, 1);
  if (++entry.next == entry.end) entries_.pop_front();
  return item;
}

std::vector<LeasedWork> WorkQueue::take_back(const LeasedWork& work) {
  std::vector<LeasedWork> taken;
  std::deque<Entry> kept;
  for (Entry& entry : entries_) {
    if (!same_work(*entry.assignment, work)) {
      kept.push_back(std::move(entry));
      continue;
    }
    uint64_t from = entry.next;
    uint64_t to = entry.end;
    if (entry.assignment->work.array) {
      from = std::clamp(work.work.first, entry.next, entry.end);
      to = std::clamp(work.work.first + work.work.count, from, entry.end);
    }
    if (from < to) taken.push_back(left_of(entry, from, to));
    uncount(entry, to - from);
    if (entry.next < from) kept.push_back({entry.assignment, entry.received, entry.next, from});
    if (to < entry.end) kept.push_back({entry.assignment, entry.received, to, entry.end});
  }
  entries_ = std::move(kept);
  return taken;
}

std::vector<LeasedWork> WorkQueue::held() const {
  std::vector<LeasedWork> all;
  for (const Entry& entry : entries_) all.push_back(left_of(entry, entry.next, entry.end));
  return all;
}

LeasedWork WorkQueue::left_of(const Entry& entry, uint64_t from, uint64_t to) {
  const Assignment& a = *entry.assignment;
  return {a.work.array ? WorkRef::of(a.work.array, from, to - from) : a.work, a.epoch};
}

void WorkQueue::uncount(const Entry& entry, uint64_t n) {
  size_ -= n;
  if (entry.assignment->needs_slot) needing_slot_ -= n;
}

}  // namespace tidemill::client
