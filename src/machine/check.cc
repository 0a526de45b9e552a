#include "machine/internal/check.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "machine/internal/backlog.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"
#include "model/codec.h"

namespace tidemill::machine {

namespace {

// What is counted on the way, to be compared with the counters at the end.
struct Tally {
  std::map<QueueNumber, uint64_t> leased;  // attempts, of each queue
  std::map<std::pair<QueueNumber, std::string>, uint64_t> key_leased;
  std::map<BarrierId, uint64_t> open;  // live items of each barrier
  uint64_t tasks_leased = 0;
  uint64_t by_state[4] = {};
};

void check_lease_of(const State& s, SessionId holder, const LeaseEpoch& epoch) {
  if (!holder) {
    TIDEMILL_ASSERT(s.sessions.reserved.contains(epoch));
    return;
  }
  const auto session = s.sessions.all.find(holder);
  TIDEMILL_ASSERT(session != s.sessions.all.end());
  TIDEMILL_ASSERT(session->second.leases.contains(epoch));
}

void check_task(const State& s, const LiveTask& task, Tally& tally) {
  const TaskRecord& record = task.record;
  ++tally.by_state[static_cast<size_t>(record.state)];
  if (record.work.barrier) ++tally.open[record.work.barrier];
  TIDEMILL_ASSERT(!task.dirty);
  const bool ready = record.state == TaskRecord::State::ready;
  TIDEMILL_ASSERT(task.offered == (ready && !task.leased()));
  if (record.state == TaskRecord::State::blocked) {
    TIDEMILL_ASSERT(!record.after.empty() || s.tasks.held_by_barrier.contains(record.id));
    for (const TaskId on : record.after) {
      TIDEMILL_ASSERT(s.tasks.all.contains(on) || s.tasks.stored > 0);
    }
  }
  if (task.leased()) {
    TIDEMILL_ASSERT(ready);
    ++tally.tasks_leased;
    ++tally.leased[task.queue];
    if (has_limited_key(s, task)) ++tally.key_leased[{task.queue, record.concurrency_key}];
    check_lease_of(s, task.holder, task.epoch);
  } else if (ready && !has_limited_key(s, task)) {
    const ReadyIndex::Entry place = place_of(s, task);
    TIDEMILL_ASSERT(queue_of(s, task.queue).ready.contains(place.lane, place.unit, place.key));
  }
}

void check_array(const State& s, const LiveArray& array, Tally& tally) {
  array.states.check();
  const uint64_t count = array.record.count;
  if (array.record.work.barrier) {
    tally.open[array.record.work.barrier] += array.states.of(Outcome::open);
  }
  uint64_t held = 0;
  uint64_t end = 0;
  for (const auto& [first, holding] : array.holdings) {
    TIDEMILL_ASSERT(first >= end && holding.count > 0);
    end = first + holding.count;
    held += holding.count;
    for (uint64_t i = first; i < end; ++i) TIDEMILL_ASSERT(array.states.get(i) == Outcome::open);
    check_lease_of(s, holding.session, holding.epoch);
  }
  TIDEMILL_ASSERT(held == array.leased && end <= array.next && array.next <= count);
  tally.leased[array.queue] += held;
  uint64_t again = 0;
  end = 0;
  for (const auto& [first, range] : array.again) {
    TIDEMILL_ASSERT(first >= end && range.count > 0);
    end = first + range.count;
    again += range.count;
    for (uint64_t i = first; i < end; ++i) TIDEMILL_ASSERT(is_free(array, i));
  }
  TIDEMILL_ASSERT(again == array.again_count && end <= array.next);
  uint64_t waiting = 0;
  for (const auto& [index, own] : array.overrides) {
    const bool waits = own.record.suspended || own.record.run_at.ns != 0;
    if (waits) TIDEMILL_ASSERT(array.states.get(index) == Outcome::open);
    waiting += waits ? 1 : 0;
  }
  TIDEMILL_ASSERT(waiting == array.waiting);
  // Every index is in exactly one place: ended, held, waiting, again, or fresh.
  TIDEMILL_ASSERT(array.ended() + held + waiting + again + array.fresh() == count);
  TIDEMILL_ASSERT(array.offered == (takeable(array) > 0));
}

void check_queues(const State& s, const Tally& tally) {
  for (const auto& [name, number] : s.queues.by_name) {
    const Queue& queue = queue_of(s, number);
    TIDEMILL_ASSERT(queue.config.name == name);
    const auto leased = tally.leased.find(number);
    TIDEMILL_ASSERT(queue.leased == (leased == tally.leased.end() ? 0 : leased->second));
    for (const auto& [key, state] : queue.keys) {
      const auto held = tally.key_leased.find({number, key});
      TIDEMILL_ASSERT(state.leased == (held == tally.key_leased.end() ? 0 : held->second));
      for (const auto& [where, tasks] : state.waiting) {
        TIDEMILL_ASSERT(!tasks.empty());
        const bool shown = queue.ready.contains(where.first, where.second, *tasks.begin());
        TIDEMILL_ASSERT(shown == (state.leased < queue.config.key_concurrency));
      }
    }
  }
}

void check_barriers(const State& s, const Tally& tally) {
  for (const auto& [id, barrier] : s.barriers) {
    const BarrierRecord& r = barrier.record;
    TIDEMILL_ASSERT(!r.fired && !barrier.dirty);
    TIDEMILL_ASSERT(r.done + r.failed + r.cancelled <= r.joined && r.joined <= r.expected);
    const auto live = tally.open.find(id);
    const uint64_t open = live == tally.open.end() ? 0 : live->second;
    TIDEMILL_ASSERT(r.joined - r.done - r.failed - r.cancelled == open);
  }
}

void check_session(const State& s, const Session& session) {
  uint64_t on_slots = 0;
  uint64_t on_places = 0;
  for (const auto& [epoch, lease] : session.leases) {
    TIDEMILL_ASSERT(lease.leased.epoch == epoch && lease.open > 0);
    (lease.needs_slot ? on_slots : on_places) += lease.needs_slot ? 1 : lease.open;
    if (lease.leased.work.task) {
      const LiveTask* task = find_task(s, lease.leased.work.task);
      TIDEMILL_ASSERT(task != nullptr && task->epoch == epoch && task->holder == session.id);
      TIDEMILL_ASSERT(may_have(session, task->record.work.queue));
      continue;
    }
    const auto array = s.arrays.find(lease.leased.work.array);
    TIDEMILL_ASSERT(array != s.arrays.end());
    TIDEMILL_ASSERT(may_have(session, array->second.record.work.queue));
    uint64_t open = 0;
    for (const IndexRange& range : open_ranges(array->second, lease.leased)) open += range.count;
    TIDEMILL_ASSERT(open == lease.open);
  }
  TIDEMILL_ASSERT(on_slots == session.slot_leases && on_places == session.open_places);
  TIDEMILL_ASSERT(session.parked.has_value() == s.sessions.parked.contains(session.id));
}

void add_session(ByteWriter& out, const Session& session) {
  out.varint(session.id.raw);
  out.varint(session.last_number);
  out.i64(session.expires.ns);
  out.i64(session.closes.ns);
  out.u8(session.parked ? 1 : 0);
  out.varint(session.slots);
  out.varint(session.places);
  for (const uint32_t kind : session.kinds) out.varint(kind);
  out.bytes(session.token);
  for (const std::string& queue : session.queues) out.bytes(queue);
  for (const auto& [epoch, lease] : session.leases) {
    out.varint(epoch.counter);
    out.varint(lease.leased.work.task.raw);
    out.varint(lease.leased.work.array.raw);
    out.varint(lease.leased.work.first);
    out.varint(lease.open);
    out.varint(lease.reply);
  }
  out.varint(session.recorded.size());
  out.varint(session.cancels.size());
  out.varint(session.recalls.size());
}

}  // namespace

void check_state(const State& s) {
  Tally tally;
  for (const auto& [id, task] : s.tasks.all) check_task(s, task, tally);
  for (const auto& [id, array] : s.arrays) check_array(s, array, tally);
  tally.by_state[static_cast<size_t>(TaskRecord::State::ready)] += s.tasks.stored;
  check_backlogs(s);
  TIDEMILL_ASSERT(tally.tasks_leased == s.tasks.leased);
  TIDEMILL_ASSERT(std::equal(tally.by_state, tally.by_state + 4, s.tasks.by_state));
  check_queues(s, tally);
  check_barriers(s, tally);
  uint64_t working = 0, slots = 0, slot_leases = 0;
  for (const auto& [id, session] : s.sessions.all) {
    check_session(s, session);
    working += session.draining ? 0 : 1;
    slots += session.draining ? 0 : session.slots;
    slot_leases += session.slot_leases;
  }
  TIDEMILL_ASSERT(working == s.sessions.working && slots == s.sessions.slots);
  TIDEMILL_ASSERT(slot_leases == s.sessions.slot_leases);
}

uint64_t volatile_hash(const State& s) {
  uint64_t sum = mix64(s.next_id) + mix64(s.sessions.epoch_counter ^ s.options.incarnation);
  for (const auto& [id, session] : s.sessions.all) {
    ByteWriter out;
    add_session(out, session);
    sum += hash64(out.str());
  }
  for (const auto& [name, number] : s.queues.by_name) {
    const Queue& queue = queue_of(s, number);
    sum += hash64(name, queue.leased * 31 + queue.ready.size());
  }
  for (const Backlog& backlog : s.queues.backlogs) {
    sum += mix64(mix64(backlog.stored) + backlog.resident * 2 + (backlog.asked ? 1 : 0));
  }
  for (const auto& [id, array] : s.arrays) {
    sum += mix64(mix64(id.raw) + array.next) + mix64(array.again_count) + mix64(array.leased);
  }
  return sum;
}

}  // namespace tidemill::machine
