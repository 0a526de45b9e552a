#pragma once
// The tables of State besides executions: queues, tasks, arrays, barriers and sessions, as the
// machine holds them live. A record is what commits define; what stands around it is derived or may
// be lost at a restart. Records name each other by id, never by pointer. Engine thread only.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "machine/command.h"
#include "machine/internal/index_states.h"
#include "machine/internal/ready.h"
#include "model/change.h"
#include "model/exchange.h"
#include "model/records.h"

namespace tidemill::machine {

// ---- queues ----

// The ready tasks of one concurrency key. While the key is at its limit none of them is in the
// index; otherwise the first of each (lane, unit) is.
struct KeyState {
  uint32_t leased = 0;
  std::map<std::pair<LaneId, UnitId>, std::set<OrderKey>> waiting;
};

struct Queue {
  QueueConfig config;
  uint64_t share = 0;       // of state_hash; 0 until configured
  bool configured = false;  // by a command, and so on record
  uint64_t leased = 0;      // attempts leased or reserved, against `concurrency`
  ReadyIndex ready;
  std::map<std::string, KeyState> keys;  // those in use
};

using QueueNumber = uint32_t;

// The place of a ready task in its backlog.
struct BacklogPlace {
  WallTime ready;
  TaskId task;
  constexpr auto operator<=>(const BacklogPlace&) const = default;
};

using BacklogNumber = uint32_t;

// The ready tasks of one queue, kind and priority that belong to no execution, as far as memory
// holds them (internal/backlog.h).
struct Backlog {
  QueueNumber queue = 0;
  uint32_t kind = 0;
  int32_t priority = 0;
  uint32_t window = 0;         // counts those in memory for all priorities of the queue and kind
  uint64_t resident = 0;       // in memory and nobody's
  uint64_t stored = 0;         // in the store only
  uint64_t stored_in[2] = {};  // of them, in the lane of places and in that of slots
  BacklogPlace from;           // with `stored` > 0: before it all are in memory
  std::optional<BacklogPlace> gap[2];  // where it stands in each lane
  bool asked = false;                  // the next page is on its way, from `asked_from` on
  BacklogPlace asked_from;
  std::optional<BacklogPlace>
      left_since;  // the first that was left to the store since it was asked
  std::set<TaskId> ended_since;
  bool drawn = false;  // is to be looked at when the turn ends
};

struct QueueTable {
  std::deque<Queue> all;                       // by number
  std::map<std::string, QueueNumber> by_name;
  uint64_t claims = 0;                         // so that queues take turns
  std::map<std::string, uint32_t> kinds;       // names of kinds, numbered as they are met
  std::vector<std::string> kind_names;
  std::vector<Duration> kind_means;            // measured time of one attempt; 0: not known yet
  std::deque<Backlog> backlogs;                // by number
  std::map<std::tuple<QueueNumber, uint32_t, int32_t>, BacklogNumber> backlog_numbers;
  BacklogNumber last_backlog = 0;  // asked for last
  std::vector<uint64_t> windows;   // tasks in memory, of each queue and kind
};

// ---- tasks ----

struct LiveTask {
  TaskRecord record;
  uint64_t share = 0;   // of state_hash, when not stale
  bool stale = false;   // its share must be computed anew
  bool dirty = false;   // PutTask at the end of this turn
  bool offered = false; // it is in the ready index, or in its key's line for it
  QueueNumber queue = 0;
  uint32_t kind = 0;
  std::optional<BacklogNumber> backlog;  // none: it belongs to an execution
  LeaseEpoch epoch;     // of its lease or reservation; none: not leased
  SessionId holder;     // 0 while reserved after a restart
  Turn ready_turn;      // made it ready or ended its last lease: what a hand-out waits for

  bool leased() const { return static_cast<bool>(epoch); }
};

struct TaskTable {
  std::unordered_map<TaskId, LiveTask> all;
  std::unordered_map<TaskId, std::vector<TaskId>> dependants;  // by what they wait for
  std::set<TaskId> held_by_barrier;  // blocked until their barrier fires
  uint64_t by_state[4] = {};  // TaskRecord::State; leased ones count as ready
  uint64_t leased = 0;
  uint64_t stored = 0;                    // of the ready ones, those in the store only
  std::unordered_set<TaskId> handed_out;  // until recovery is finished: those that may be held
};

// ---- arrays ----

struct IndexRange {
  uint64_t first = 0;
  uint64_t count = 0;
  uint64_t end() const { return first + count; }
};

// Indexes below `next` that are to be handed out again, as ranges by their first index.
struct AgainRange {
  uint64_t count = 0;
  Turn ready_turn;
};

struct LiveOverride {
  IndexOverride record;
  uint64_t share = 0;
};

// Who holds successive indexes. The epoch is the fence: a report counts only where it is found
// here.
struct Holding {
  uint64_t count = 0;
  SessionId session;  // 0 while reserved after a restart
  LeaseEpoch epoch;
};

struct LiveArray {
  ArrayRecord record;
  uint64_t share = 0;           // of state_hash, of the record
  uint64_t outcomes_share = 0;  // of state_hash, of all outcomes and overrides
  bool dirty = false;
  bool offered = false;         // it is in the ready index
  QueueNumber queue = 0;
  uint32_t kind = 0;
  Turn ready_turn;              // of indexes that were never handed out
  uint64_t next = 0;            // no index from here on was handed out
  std::map<uint64_t, AgainRange> again;
  uint64_t again_count = 0;
  std::map<uint64_t, Holding> holdings;  // by first index; they do not overlap
  uint64_t leased = 0;          // indexes in them
  uint64_t ended_ahead = 0;     // indexes from `next` on that have ended (cancelled singly)
  uint64_t waiting = 0;         // indexes delayed or suspended
  IndexStates states;
  std::map<uint64_t, LiveOverride> overrides;
  std::vector<ItemChunk> items;  // by first index
  TaskError first_error;         // of the first failed index, for people
  uint64_t first_failed = 0;     // that index
  Duration mean;                 // measured time of one index; 0: not known yet

  uint64_t ended() const {
    return states.of(Outcome::done) + states.of(Outcome::failed) + states.of(Outcome::cancelled);
  }
  uint64_t fresh() const { return record.count - next - ended_ahead; }
};

using ArrayTable = std::map<ArrayId, LiveArray>;

// ---- barriers ----

struct LiveBarrier {
  BarrierRecord record;
  uint64_t share = 0;
  bool dirty = false;
};

using BarrierTable = std::map<BarrierId, LiveBarrier>;

// ---- sessions ----

struct Lease {
  LeasedWork leased;
  uint64_t open = 1;   // indexes of the range without an end; of a task 1
  uint64_t reply = 0;  // number of the reply that carried it; 0: it was presented
  WallTime dispatched;
  SteadyTime times_out = SteadyTime::never();
  Duration expected;   // how long its slot will be busy with it, when that was known
  bool needs_slot = true;
  bool recalled = false;  // asked, and not answered
  bool started = false;   // the holder said so, when it was asked
};

// Something the worker must be told, repeated until the reply that said it is known to have
// arrived.
struct Notice {
  LeasedWork work;
  uint64_t reply = 0;  // number of the reply that carries it; 0: none yet
};

struct Recorded {
  LeasedWork work;
  uint64_t exchange = 0;  // forgotten when the reply to it is known to have arrived
};

struct Parked {
  Tag tag;
  uint64_t number = 0;
  SteadyTime until;
  uint32_t free_slots = 0;
  uint32_t free_places = 0;
  uint32_t spare_places = 0;
};

struct Session {
  SessionId id;
  bool in_process = false;
  bool draining = false;
  uint64_t last_number = 0;  // of the last exchange taken
  std::optional<Parked> parked;
  std::optional<ExchangeReply> last_reply;  // to last_number; not kept inside the process
  Turn last_reply_needs;
  // To the number before it, which was parked and overtaken by one with reports.
  std::optional<ExchangeReply> overtaken_reply;
  Turn overtaken_needs;
  std::vector<uint32_t> kinds;  // numbers, sorted
  std::string token;                // it was opened with
  std::vector<std::string> queues;  // it may have work of these only, sorted; none: of all
  uint32_t slots = 0;           // how many it seems to have in all
  uint32_t places = 0;
  SteadyTime expires;
  SteadyTime closes = SteadyTime::never();  // its connection is gone
  std::map<LeaseEpoch, Lease> leases;       // oldest first
  uint64_t slot_leases = 0;                 // of them, those that run on a slot
  uint64_t open_places = 0;                 // attempts of the others
  Duration slot_work;                       // expected of the former
  std::vector<Recorded> recorded;
  std::vector<Notice> cancels;
  std::vector<Notice> recalls;
};

struct SessionTable {
  std::map<SessionId, Session> all;
  std::set<SessionId> parked;
  // Of those that are not draining: how many there are, and their slots.
  uint64_t working = 0;
  uint64_t slots = 0;
  uint64_t slot_leases = 0;  // of all sessions
  // Work of hand-outs of earlier incarnations, kept for who may come back with it: indexes still
  // open.
  std::map<LeaseEpoch, Lease> reserved;
  SteadyTime reserved_until = SteadyTime::never();
  std::vector<LeasedWork> lost;  // of in-process sessions that died with the last server
  std::vector<HandOut> restored;  // until recovery is finished
  uint64_t epoch_counter = 0;
};

}  // namespace tidemill::machine
