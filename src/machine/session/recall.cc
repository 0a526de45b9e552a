// Recalls: a worker with a free slot and nothing to do gets what waits at another for a slot. It is
// a question: the work stays with its holder until that answers "returned" or "started", or its
// session ends. Work goes ahead of free slots only for the time of a round trip, by its measured
// mean; one that takes long all the same would hold up those behind it.
#include <algorithm>
#include <vector>

#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/sessions.h"

namespace tidemill::machine {

namespace {

// Leases for slots that none of its slots can be running.
uint64_t ahead_of(const Session& session) {
  return session.slot_leases > session.slots ? session.slot_leases - session.slots : 0;
}

bool can_run(State& s, const Session& session, const Lease& lease) {
  const WorkRef& work = lease.leased.work;
  uint32_t kind = 0;
  if (work.task) {
    const LiveTask* task = find_task(s, work.task);
    if (task == nullptr || !may_have(session, task->record.work.queue)) return false;
    kind = task->kind;
  } else {
    const LiveArray* array = find_array(s, work.array);
    if (array == nullptr || lease.open != work.count) return false;  // It has begun.
    if (!may_have(session, array->record.work.queue)) return false;
    kind = array->kind;
  }
  return std::binary_search(session.kinds.begin(), session.kinds.end(), kind);
}

// Asks for the newest of what waits, as they would start last. Gives how many are asked for.
uint64_t recall_from(State& s, Session& holder, const Session& idle, uint64_t wanted) {
  uint64_t ahead = ahead_of(holder);
  uint64_t asked = 0;
  for (auto at = holder.leases.rbegin(); at != holder.leases.rend(); ++at) {
    if (ahead == 0 || asked == wanted) break;
    Lease& lease = at->second;
    if (!lease.needs_slot) continue;
    --ahead;
    if (lease.started) continue;
    if (!lease.recalled) {
      if (!can_run(s, idle, lease)) continue;
      lease.recalled = true;
      holder.recalls.push_back({lease.leased, 0});
      s.turn.noticed.push_back(holder.id);
    }
    ++asked;
  }
  return asked;
}

}  // namespace

void recall_for_idle(State& s) {
  if (s.sessions.parked.empty() || s.sessions.slot_leases == 0) return;
  std::vector<Session*> holders;
  for (auto& [id, session] : s.sessions.all) {
    if (ahead_of(session) > 0) holders.push_back(&session);
  }
  if (holders.empty()) return;
  for (const SessionId id : s.sessions.parked) {
    const Session& idle = s.sessions.all.at(id);
    uint64_t wanted = idle.draining ? 0 : idle.parked->free_slots;
    for (Session* holder : holders) {
      if (wanted == 0) break;
      if (holder->id != id) wanted -= recall_from(s, *holder, idle, wanted);
    }
  }
}

}  // namespace tidemill::machine
