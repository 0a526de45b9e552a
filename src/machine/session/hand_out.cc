// Hand-outs: what a session gets, in the order of P5, within every limit. How much at a time is
// decided here and is nobody's setting: work that runs on slots goes out for the free slots and,
// when there is more of it than slots in all, some ahead to cover the round trip; work that only
// waits goes out for the free places and, when it is short or nobody else could have it, for those
// that come free meanwhile; array indexes go out in ranges that aim at a fixed duration
// and shrink towards the end (guided self-scheduling, Polychronopoulos and Kuck 1987).
#include <algorithm>

#include "machine/internal/backlog.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"

namespace tidemill::machine {

namespace {

struct Giving {
  State& s;
  Session& session;
  ExchangeReply& reply;
  HandOut record;
  uint64_t slots;      // free ones left
  Duration ahead;      // time of slots that may be filled beyond the free ones
  uint64_t places;     // free ones left
  uint64_t spare;      // what may wait at the worker for a place
  uint64_t workers;    // sessions that share what is ready
  uint64_t all_slots;  // of all sessions
  Turn needs;
};

// ---- how much ----

constexpr bool is_short(Duration mean) {
  return mean.ns > 0 && mean <= limits::kPrefetchLongest;
}

constexpr uint64_t up(uint64_t a, uint64_t b) { return a / b + (a % b == 0 ? 0 : 1); }

uint64_t chunk_size(const Giving& g, const LiveArray& array, uint64_t room, uint64_t in_lane) {
  const WorkSpec& work = array.record.work;
  const uint64_t left = takeable(array);
  if (!work.needs_slot) {
    // A range has one lease and its outcomes one record, so a turn of short work is not too small.
    const uint64_t turn = is_short(array.mean) ? limits::kPlacesTurn : 1;
    return std::max<uint64_t>(1, std::min(std::max(turn, up(room, in_lane)), up(left, g.workers)));
  }
  // Not measured yet, or timed by the server from when it is handed out.
  if (work.attempt_timeout.ns > 0 || array.mean.ns == 0) return 1;
  const auto aimed = static_cast<uint64_t>(limits::kChunkTime.ns / array.mean.ns);
  const uint64_t most = std::clamp<uint64_t>(aimed, 1, limits::kChunkMax);
  return std::clamp<uint64_t>(left / (2 * g.all_slots), 1, most);
}

// Whether work for a slot may go out although none is free. Only short work does, and only while
// there is more of it than slots to run it.
bool may_go_ahead(const Giving& g, Duration mean, uint64_t ready) {
  return g.ahead.ns > 0 && is_short(mean) && ready > g.all_slots;
}

// How much of some work the worker can take: for a free place, or to wait for one. What is timed
// by the server from when it is handed out, or has crashed a worker, does not wait.
uint64_t room_for(const Giving& g, const WorkSpec& work, uint32_t crashes, Duration mean) {
  const bool may_wait = !work.needs_slot && work.attempt_timeout.ns == 0 && crashes == 0 &&
                        (is_short(mean) || g.session.in_process);
  return g.places + (may_wait ? g.spare : 0);
}

// ---- what ----

void add_lanes(const Session& session, bool slots, bool places, std::vector<LaneId>& lanes) {
  lanes.clear();
  for (const uint32_t kind : session.kinds) {
    if (places) lanes.push_back(lane_of(kind, false));
    if (places && slots) lanes.push_back(lane_of(kind, true));
  }
}

uint64_t next_to_take(const LiveArray& array) {
  return array.again.empty() ? array.next : array.again.begin()->first;
}

void copy_items(const LiveArray& array, const IndexRange& range, std::vector<std::string>& items) {
  if (!array.record.has_items) return;
  items.reserve(range.count);
  for (uint64_t i = range.first; i < range.end(); ++i) {
    const ItemChunk& chunk = array.items[i / limits::kItemChunk];
    TIDEMILL_ASSERT(chunk.first + limits::kItemChunk > i && chunk.first <= i);
    items.push_back((*chunk.items)[i - chunk.first]);
  }
}

Assignment assignment_of(const LeasedWork& leased, const WorkSpec& work) {
  Assignment out{.work = leased.work, .epoch = leased.epoch};
  out.queue = work.queue;
  out.kind = work.kind;
  out.input = work.input;
  out.step = work.step;
  out.attempt_timeout = work.attempt_timeout;
  out.needs_slot = work.needs_slot;
  return out;
}

// Counts a grant against what is free. A range takes one slot, and a place for each index.
void use(Giving& g, Lease& lease, Duration mean, uint64_t count) {
  TIDEMILL_ASSERT(g.places + g.spare >= count);
  const uint64_t begins = std::min(g.places, count);
  g.places -= begins;
  g.spare -= count - begins;
  if (!lease.needs_slot) return;
  lease.expected = mean * static_cast<int64_t>(count);
  g.session.slot_work = g.session.slot_work + lease.expected;
  if (g.slots > 0) {
    --g.slots;
  } else {
    g.ahead = g.ahead - lease.expected;
  }
}

void finish_grant(Giving& g, Lease& lease, Turn ready_turn, const QueueConfig& config,
                  bool limited) {
  lease.reply = g.reply.number;
  g.record.items.push_back(lease.leased);
  // A limit must hold across a restart, so its count must be on record before the work begins.
  const bool waits = (limited || config.concurrency > 0) && !g.session.in_process;
  g.needs = std::max(g.needs, waits ? g.s.turn.number : ready_turn);
}

// ---- giving ----

bool give_task(Giving& g, Queue& queue, const ReadyIndex::Entry& entry, LiveTask& task) {
  const WorkSpec& work = task.record.work;
  const Duration mean = g.s.queues.kind_means[task.kind];
  if (work.needs_slot && g.slots == 0) {
    // What has crashed a worker, or is timed by the server, starts at once or not at all.
    if (task.record.crashes > 0 || work.attempt_timeout.ns > 0) return false;
    if (!may_go_ahead(g, mean, queue.ready.size())) return false;
  }
  if (room_for(g, work, task.record.crashes, mean) == 0) return false;
  queue.ready.took_turn(entry.lane, entry.unit);
  withdraw(g.s, task);
  Lease& lease = grant_task(g.s, g.session, task, next_epoch(g.s));
  finish_grant(g, lease, task.ready_turn, queue.config, has_limited_key(g.s, task));
  Assignment out = assignment_of(lease.leased, work);
  out.attempt = task.record.attempts + task.record.crashes + 1;
  out.resumed_with = task.record.suspended_with;
  out.child = task.record.child;
  g.reply.assignments.push_back(std::move(out));
  use(g, lease, mean, 1);
  return true;
}

bool give_range(Giving& g, Queue& queue, const ReadyIndex::Entry& entry, LiveArray& array) {
  const WorkSpec& work = array.record.work;
  const IndexOverride* own = peek_override(array, next_to_take(array));
  if (work.needs_slot && g.slots == 0) {
    if (work.attempt_timeout.ns > 0 || (own != nullptr && own->crashes > 0)) return false;
    if (!may_go_ahead(g, array.mean, takeable(array))) return false;
  }
  const uint64_t room = room_for(g, work, own != nullptr ? own->crashes : 0, array.mean);
  if (room == 0) return false;
  const uint64_t wanted = std::min({chunk_size(g, array, room, queue.ready.units(entry.lane)),
                                    takeable(array), room_in(queue), room});
  const TakenRange taken = take_range(array, wanted);
  TIDEMILL_ASSERT(taken.range.count > 0);
  queue.ready.took_turn(entry.lane, entry.unit);
  Lease& lease = grant_range(g.s, g.session, array, taken.range, next_epoch(g.s));
  finish_grant(g, lease, taken.ready_turn, queue.config, array.record.max_in_flight > 0);
  Assignment out = assignment_of(lease.leased, work);
  copy_items(array, taken.range, out.items);
  out.array_count = array.record.count;
  if (own != nullptr) {
    out.attempt = own->attempts + own->crashes + 1;
    out.resumed_with = own->suspended_with;
    out.child = own->child;
  }
  g.reply.assignments.push_back(std::move(out));
  use(g, lease, array.mean, taken.range.count);
  reoffer(g.s, array);
  return true;
}

// Gives the first of this queue that the session can take; false when there is none.
bool give_from(Giving& g, QueueNumber number, std::vector<LaneId>& lanes) {
  Queue& queue = queue_of(g.s, number);
  if (room_in(queue) == 0 || g.places + g.spare == 0) return false;
  if (!may_have(g.session, queue.config.name)) return false;
  for (bool slots = g.places > 0 && (g.slots > 0 || g.ahead.ns > 0);; slots = false) {
    add_lanes(g.session, slots, true, lanes);
    ReadyIndex::Entry entry;
    if (!queue.ready.front(lanes, entry)) return false;
    if (entry.key.what == OrderKey::What::gap) {
      met_gap(g.s, number, entry);
      return false;
    }
    LiveTask* task = find_task(g.s, TaskId{entry.key.id});
    const bool given =
        task != nullptr ? give_task(g, queue, entry, *task)
                        : give_range(g, queue, entry, g.s.arrays.at(ArrayId{entry.key.id}));
    if (given) return true;
    if (!slots) return false;
    g.ahead = {};  // the next for a slot must not wait behind others
  }
}

// How much more work for slots may wait at the worker, so that no slot waits for the round trip.
Duration allowed_ahead(const Session& session, const Capacity& capacity) {
  const Duration wanted = limits::kPrefetchTime * session.slots;
  const uint64_t busy = session.slots - std::min(session.slots, capacity.slots);
  if (session.slot_leases <= busy) return wanted;
  const uint64_t waiting = session.slot_leases - busy;
  return wanted - session.slot_work / static_cast<int64_t>(session.slot_leases) *
                      static_cast<int64_t>(waiting);
}

}  // namespace

bool may_have(const Session& session, const std::string& queue) {
  return session.queues.empty() ||
         std::binary_search(session.queues.begin(), session.queues.end(), queue);
}

bool anything_ready(const State& s) {
  return std::any_of(s.queues.all.begin(), s.queues.all.end(),
                     [](const Queue& queue) { return queue.ready.size() > 0; });
}

Turn hand_out(State& s, Session& session, const Capacity& capacity, ExchangeReply& reply) {
  if (session.draining || session.kinds.empty()) return Turn{};
  if (capacity.places == 0 && capacity.spare == 0) return Turn{};
  if (!anything_ready(s)) return Turn{};
  Giving g{.s = s,
           .session = session,
           .reply = reply,
           .record = {.session = session.id, .in_process = session.in_process, .items = {}},
           .slots = capacity.slots,
           .ahead = allowed_ahead(session, capacity),
           .places = capacity.places,
           .spare = capacity.spare,
           .workers = std::max<uint64_t>(s.sessions.working, 1),
           .all_slots = std::max<uint64_t>(s.sessions.slots, 1),
           .needs = {}};

  std::vector<LaneId> lanes;
  const auto queues = static_cast<uint64_t>(s.queues.all.size());
  for (uint64_t empty = 0; empty < queues;) {
    const auto number = static_cast<QueueNumber>(s.queues.claims++ % queues);
    empty = give_from(g, number, lanes) ? 0 : empty + 1;
  }
  if (!g.record.items.empty()) emit(s, std::move(g.record));
  return g.needs;
}

}  // namespace tidemill::machine
