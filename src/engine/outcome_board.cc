#include "engine/outcome_board.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace tidemill::engine {

OutcomeBoard::Ticket OutcomeBoard::wait(std::vector<TaskId> ids, For wait_for, OnTold on_told) {
  os::Lock lock(mutex_);
  const Ticket ticket = ++last_ticket_;
  Waiter& waiter = waiters_[ticket];
  waiter.on_told = std::move(on_told);
  for (const TaskId id : ids) {
    if (!waiter.places.emplace(id, waiter.told.size()).second) continue;
    waiter.told.push_back({.id = id, .result = {}, .error = {}});
    by_task_[id].push_back(ticket);
  }
  waiter.left = wait_for == For::any ? 1 : waiter.told.size();
  return ticket;
}

OutcomeBoard::Ticket OutcomeBoard::wait_array(ArrayId id, OnTold on_told) {
  return wait({TaskId{id.raw}}, For::all, std::move(on_told));
}

void OutcomeBoard::committed(const std::vector<Change>& changes) {
  std::vector<Ready> ready;
  {
    os::Lock lock(mutex_);
    if (by_task_.empty()) return;
    for (const Change& change : changes) {
      if (const auto* array = std::get_if<FinishArray>(&change)) {
        const auto waits = by_task_.find(TaskId{array->array.raw});
        if (waits == by_task_.end()) continue;
        const std::vector<Ticket> tickets = waits->second;
        for (const Ticket ticket : tickets) take(ticket, ended(array->array), ready);
        continue;
      }
      const auto* finish = std::get_if<FinishTask>(&change);
      if (finish == nullptr) continue;
      const HistoryRecord& h = finish->history;
      const auto waited_for = by_task_.find(h.task.id);
      if (waited_for == by_task_.end()) continue;
      const std::vector<Ticket> tickets = waited_for->second;
      for (const Ticket ticket : tickets) {
        take(ticket, {h.task.id, h.outcome, false, h.result, h.error}, ready);
      }
    }
  }
  for (Ready& r : ready) r.on_told(std::move(r.told));
}

void OutcomeBoard::found(Ticket ticket, Told told) {
  std::vector<Ready> ready;
  {
    os::Lock lock(mutex_);
    take(ticket, std::move(told), ready);
  }
  for (Ready& r : ready) r.on_told(std::move(r.told));
}

void OutcomeBoard::expire(Ticket ticket) {
  std::vector<Ready> ready;
  {
    os::Lock lock(mutex_);
    const auto waiter = waiters_.find(ticket);
    if (waiter != waiters_.end()) finish(waiter, ready);
  }
  for (Ready& r : ready) r.on_told(std::move(r.told));
}

void OutcomeBoard::take(Ticket ticket, Told told, std::vector<Ready>& ready) {
  const auto found = waiters_.find(ticket);
  if (found == waiters_.end()) return;
  Waiter& waiter = found->second;
  Told& place = waiter.told[waiter.places.at(told.id)];
  const bool known = place.outcome != Outcome::open || place.unknown;
  if (known || (told.outcome == Outcome::open && !told.unknown)) return;
  place = std::move(told);
  if (--waiter.left == 0) finish(found, ready);
}

void OutcomeBoard::finish(Waiters::iterator waiter, std::vector<Ready>& ready) {
  for (const Told& told : waiter->second.told) {
    const auto at = by_task_.find(told.id);
    std::erase(at->second, waiter->first);
    if (at->second.empty()) by_task_.erase(at);
  }
  ready.push_back({std::move(waiter->second.on_told), std::move(waiter->second.told)});
  waiters_.erase(waiter);
}

}  // namespace tidemill::engine
