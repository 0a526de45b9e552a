#include "machine/internal/leases.h"

#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

namespace {

Timer attempt_timer(SessionId session, const LeaseEpoch& epoch) {
  return {
      .kind = Timer::Kind::attempt, .a = session.raw, .b = epoch.incarnation, .c = epoch.counter};
}

Lease& add_lease(State& s, Session& session, const LeasedWork& leased, const WorkSpec& work) {
  const auto [found, is_new] = session.leases.try_emplace(leased.epoch);
  TIDEMILL_ASSERT(is_new);
  Lease& lease = found->second;
  lease.leased = leased;
  lease.open = leased.work.count;
  lease.dispatched = s.turn.now.wall;
  lease.needs_slot = work.needs_slot;
  if (lease.needs_slot) {
    ++session.slot_leases;
    ++s.sessions.slot_leases;
  } else {
    session.open_places += lease.open;
  }
  if (work.attempt_timeout.ns > 0) {
    lease.times_out = s.turn.now.steady + work.attempt_timeout + limits::kTimeoutSlack;
    s.timers.steady.add(lease.times_out, attempt_timer(session.id, leased.epoch));
  }
  return lease;
}

void hold_task(State& s, LiveTask& task, SessionId session, const LeaseEpoch& epoch) {
  TIDEMILL_ASSERT(!task.leased() && task.record.state == TaskRecord::State::ready);
  TIDEMILL_ASSERT(epoch);
  task.epoch = epoch;
  task.holder = session;
  ++s.tasks.leased;
  count_lease(s, task.queue, 1);
  hold_key(s, task);
}

void hold_range(State& s, LiveArray& array, const IndexRange& range, SessionId session,
                const LeaseEpoch& epoch) {
  TIDEMILL_ASSERT(range.count > 0 && range.end() <= array.record.count);
  const auto [found, is_new] =
      array.holdings.try_emplace(range.first, Holding{range.count, session, epoch});
  TIDEMILL_ASSERT(is_new);
  static_cast<void>(found);
  array.leased += range.count;
  count_lease(s, array.queue, range.count);
}

// The end of one unit of a lease, wherever it is kept.
Dropped shrink(State& s, SessionId holder, const LeaseEpoch& epoch) {
  if (!holder) {
    const auto found = s.sessions.reserved.find(epoch);
    TIDEMILL_ASSERT(found != s.sessions.reserved.end());
    const Dropped dropped{found->second.leased, found->second.dispatched};
    if (--found->second.open == 0) s.sessions.reserved.erase(found);
    return dropped;
  }
  Session* session = find_session(s, holder);
  TIDEMILL_ASSERT(session != nullptr);
  const auto found = session->leases.find(epoch);
  TIDEMILL_ASSERT(found != session->leases.end());
  Lease& lease = found->second;
  const Dropped dropped{lease.leased, lease.dispatched};
  TIDEMILL_ASSERT(lease.open > 0);
  if (!lease.needs_slot) --session->open_places;
  if (--lease.open > 0) return dropped;
  if (lease.needs_slot) {
    --session->slot_leases;
    --s.sessions.slot_leases;
    session->slot_work = session->slot_work - lease.expected;
  }
  if (lease.times_out != SteadyTime::never()) {
    s.timers.steady.remove(lease.times_out, attempt_timer(holder, epoch));
  }
  session->leases.erase(found);
  return dropped;
}

// Who was to be told of a cancel went down with the last server: the holder that comes back is told
// again. An array that stops because too many failed lets what runs finish.
void remind_of_cancels(State& s, Session& session, const LiveArray& array,
                       const LeasedWork& leased) {
  const bool stops = array.states.of(Outcome::failed) > array.record.max_failed;
  if (array.record.cancel_requested && !stops) {
    tell_cancel(s, session.id, leased);
    return;
  }
  const uint64_t end = leased.work.first + leased.work.count;
  for (auto at = array.overrides.lower_bound(leased.work.first);
       at != array.overrides.end() && at->first < end; ++at) {
    if (!at->second.record.cancel_requested) continue;
    tell_cancel(s, session.id, {WorkRef::of(array.record.id, at->first), leased.epoch});
  }
}

std::map<uint64_t, Holding>::iterator holding_at(LiveArray& array, uint64_t index) {
  auto found = array.holdings.upper_bound(index);
  TIDEMILL_ASSERT(found != array.holdings.begin());
  --found;
  TIDEMILL_ASSERT(index < found->first + found->second.count);
  return found;
}

}  // namespace

Duration lease_time(const State& s) {
  return s.options.lease.ns > 0 ? s.options.lease : limits::kLease;
}

LeaseEpoch next_epoch(State& s) {
  return {.incarnation = s.options.incarnation, .counter = ++s.sessions.epoch_counter};
}

Session* find_session(State& s, SessionId id) {
  const auto found = s.sessions.all.find(id);
  return found == s.sessions.all.end() ? nullptr : &found->second;
}

Lease& grant_task(State& s, Session& session, LiveTask& task, const LeaseEpoch& epoch) {
  hold_task(s, task, session.id, epoch);
  return add_lease(s, session, {WorkRef::of(task.record.id), epoch}, task.record.work);
}

Lease& grant_range(State& s, Session& session, LiveArray& array, const IndexRange& range,
                   const LeaseEpoch& epoch) {
  hold_range(s, array, range, session.id, epoch);
  return add_lease(s, session, {WorkRef::of(array.record.id, range.first, range.count), epoch},
                   array.record.work);
}

void reserve_task(State& s, LiveTask& task, const LeaseEpoch& epoch) {
  hold_task(s, task, {}, epoch);
  Lease& lease = s.sessions.reserved[epoch];
  lease.leased = {WorkRef::of(task.record.id), epoch};
  lease.open = 1;
}

void reserve_range(State& s, LiveArray& array, const IndexRange& range, const LeaseEpoch& epoch) {
  hold_range(s, array, range, {}, epoch);
  Lease& lease = s.sessions.reserved[epoch];
  const bool is_new = !lease.leased.epoch;
  lease.open = (is_new ? 0 : lease.open) + range.count;
  // Parts of one lease: from the first to the last of them.
  const uint64_t first = is_new ? range.first : lease.leased.work.first;
  lease.leased = {WorkRef::of(array.record.id, first, range.end() - first), epoch};
}

void take_over(State& s, Session& session, const LeaseEpoch& epoch) {
  const auto found = s.sessions.reserved.find(epoch);
  TIDEMILL_ASSERT(found != s.sessions.reserved.end());
  const Lease reserved = found->second;
  s.sessions.reserved.erase(found);
  const WorkRef& work = reserved.leased.work;
  if (work.task) {
    LiveTask* task = find_task(s, work.task);
    TIDEMILL_ASSERT(task != nullptr && task->epoch == epoch);
    task->holder = session.id;
    add_lease(s, session, reserved.leased, task->record.work);
    if (task->record.cancel_requested) tell_cancel(s, session.id, reserved.leased);
    return;
  }
  LiveArray* array = find_array(s, work.array);
  TIDEMILL_ASSERT(array != nullptr);
  for (const IndexRange& range : open_ranges(*array, reserved.leased)) {
    array->holdings.at(range.first).session = session.id;
  }
  Lease& lease = add_lease(s, session, reserved.leased, array->record.work);
  if (!lease.needs_slot) session.open_places -= lease.open - reserved.open;
  lease.open = reserved.open;
  remind_of_cancels(s, session, *array, reserved.leased);
}

Dropped drop_task(State& s, LiveTask& task) {
  TIDEMILL_ASSERT(task.leased());
  const Dropped dropped = shrink(s, task.holder, task.epoch);
  task.epoch = {};
  task.holder = {};
  task.ready_turn = s.turn.number;
  TIDEMILL_ASSERT(s.tasks.leased > 0);
  --s.tasks.leased;
  uncount_lease(s, task.queue, 1);
  free_key(s, task);
  return dropped;
}

Dropped drop_index(State& s, LiveArray& array, uint64_t index) {
  const auto found = holding_at(array, index);
  const auto [first, held] = *found;
  const Dropped dropped = shrink(s, held.session, held.epoch);
  const uint64_t before = index - first;
  const uint64_t behind = held.count - before - 1;
  if (before == 0 && behind > 0) {  // the usual case: they end in order
    auto node = array.holdings.extract(found);
    node.key() = index + 1;
    node.mapped().count = behind;
    array.holdings.insert(std::move(node));
  } else if (before == 0) {
    array.holdings.erase(found);
  } else {
    found->second.count = before;
    if (behind > 0) array.holdings.emplace(index + 1, Holding{behind, held.session, held.epoch});
  }
  TIDEMILL_ASSERT(array.leased > 0);
  --array.leased;
  uncount_lease(s, array.queue, 1);
  return dropped;
}

void record_end(State& s, const LeasedWork& leased) { emit(s, EndLease{leased}); }

const Holding* holding_of(const LiveArray& array, uint64_t index) {
  auto found = array.holdings.upper_bound(index);
  if (found == array.holdings.begin()) return nullptr;
  --found;
  return index < found->first + found->second.count ? &found->second : nullptr;
}

std::vector<IndexRange> open_ranges(const LiveArray& array, const LeasedWork& leased) {
  std::vector<IndexRange> ranges;
  const uint64_t end = leased.work.first + leased.work.count;
  auto at = array.holdings.lower_bound(leased.work.first);
  for (; at != array.holdings.end() && at->first < end; ++at) {
    if (at->second.epoch == leased.epoch) ranges.push_back({at->first, at->second.count});
  }
  return ranges;
}

void tell_cancel(State& s, SessionId id, const LeasedWork& leased) {
  Session* session = find_session(s, id);
  if (session == nullptr) return;
  session->cancels.push_back({leased, 0});
  s.turn.noticed.push_back(id);
}

}  // namespace tidemill::machine
