#pragma once
// Leases: who holds what. Granting counts against every limit, dropping gives it all back; both
// know tasks and ranges of arrays. What becomes of the work is the caller's matter. Engine thread
// only.
#include <vector>

#include "machine/internal/state.h"

namespace tidemill::machine {

Duration lease_time(const State& s);
LeaseEpoch next_epoch(State& s);
Session* find_session(State& s, SessionId id);

// ---- granting ----
// The task is ready and out of the index; the range was taken from the array.
Lease& grant_task(State& s, Session& session, LiveTask& task, const LeaseEpoch& epoch);
Lease& grant_range(State& s, Session& session, LiveArray& array, const IndexRange& range,
                   const LeaseEpoch& epoch);
// The same without a session: kept for who held it before a restart.
void reserve_task(State& s, LiveTask& task, const LeaseEpoch& epoch);
void reserve_range(State& s, LiveArray& array, const IndexRange& range, const LeaseEpoch& epoch);
// A session came back with reserved work.
void take_over(State& s, Session& session, const LeaseEpoch& epoch);

// ---- dropping ----
// What the dropped lease was, for the trace and the record.
struct Dropped {
  LeasedWork leased;
  WallTime dispatched;
};
Dropped drop_task(State& s, LiveTask& task);
Dropped drop_index(State& s, LiveArray& array, uint64_t index);
// The end of a lease that is not an outcome goes on record: a later lease of that work waits for
// it.
void record_end(State& s, const LeasedWork& leased);

// ---- looking ----
// Who holds an index; null: nobody.
const Holding* holding_of(const LiveArray& array, uint64_t index);
// The parts of a lease on a range that have not ended.
std::vector<IndexRange> open_ranges(const LiveArray& array, const LeasedWork& leased);

// The holder is told to stop, with its next reply.
void tell_cancel(State& s, SessionId session, const LeasedWork& leased);

}  // namespace tidemill::machine
