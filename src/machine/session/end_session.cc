// The end of a session: its lease time ran out, or its connection closed and did not come back in
// the grace. A crash is charged to what it can have been running; the rest goes back as it was
// (P7).
#include <algorithm>

#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

using End = AttemptRecord::End;

Timer session_timer(SessionId id) { return {.kind = Timer::Kind::session, .a = id.raw}; }

SteadyTime due_at(const Session& session) { return std::min(session.expires, session.closes); }

Ending crash_ending(const State& s, const Dropped& dropped) {
  Ending ending;
  ending.error = {.kind = "crash", .message = "the worker went away while this attempt ran"};
  ending.trace.dispatched = dropped.dispatched;
  ending.trace.reported = s.turn.now.wall;
  return ending;
}

void crash_task(State& s, LiveTask& task) {
  const Dropped dropped = drop_task(s, task);
  record_end(s, dropped.leased);
  if (task.record.cancel_requested) {
    finish_task(s, task, Outcome::cancelled, crash_ending(s, dropped));
  } else {
    fail_task(s, task, End::crashed, crash_ending(s, dropped));
  }
}

void crash_index(State& s, LiveArray& array, uint64_t index) {
  const Dropped dropped = drop_index(s, array, index);
  record_end(s, {WorkRef::of(array.record.id, index), dropped.leased.epoch});
  const IndexOverride* own = peek_override(array, index);
  if (array.record.cancel_requested || (own != nullptr && own->cancel_requested)) {
    finish_index(s, array, index, Outcome::cancelled, crash_ending(s, dropped));
  } else {
    fail_index(s, array, index, End::crashed, crash_ending(s, dropped));
  }
}

// Ends one lease; `charged` says how many of its attempts can have been running.
void end_lease(State& s, const LeasedWork& leased, uint64_t charged) {
  if (leased.work.task) {
    LiveTask& task = *find_task(s, leased.work.task);
    if (charged > 0) {
      crash_task(s, task);
    } else {
      return_task(s, task);
    }
    return;
  }
  const ArrayId id = leased.work.array;
  for (const IndexRange& range : open_ranges(*find_array(s, id), leased)) {
    for (uint64_t index = range.first; index < range.end(); ++index) {
      LiveArray& array = *find_array(s, id);
      if (charged > 0) {
        --charged;
        crash_index(s, array, index);
      } else {
        return_index(s, array, index);
      }
    }
  }
  LiveArray& array = *find_array(s, id);
  reoffer(s, array);
  if (array.record.cancel_requested && array.leased == 0) s.turn.full_arrays.push_back(id);
}

}  // namespace

void schedule_session(State& s, const Session& session) {
  s.timers.steady.add(due_at(session), session_timer(session.id));
}

void session_due(State& s, SessionId id) {
  Session* session = find_session(s, id);
  if (session == nullptr) return;
  if (due_at(*session) > s.turn.now.steady) {
    schedule_session(s, *session);
  } else {
    end_session(s, id);
  }
}

void end_session(State& s, SessionId id) {
  Session* session = find_session(s, id);
  TIDEMILL_ASSERT(session != nullptr);
  if (session->parked) release_parked(s, *session);
  uint64_t slots = session->slots;
  uint64_t places = session->places;
  std::vector<std::pair<LeasedWork, uint64_t>> ending;  // oldest first
  for (const auto& [epoch, lease] : session->leases) {
    // Code runs on slots, whatever waits for one beside them.
    uint64_t& left = lease.needs_slot ? slots : places;
    const uint64_t running = std::min(left, lease.open);
    left -= running;
    ending.emplace_back(lease.leased, running);
  }
  for (const auto& [leased, running] : ending) {
    end_lease(s, leased, running);
    settle(s);
  }
  TIDEMILL_ASSERT(session->leases.empty());
  s.timers.steady.remove(due_at(*session), session_timer(id));
  count_capacity(s, *session, Counted::out);
  s.sessions.all.erase(id);
}

void count_capacity(State& s, const Session& session, Counted way) {
  if (session.draining) return;
  if (way == Counted::in) {
    s.sessions.working += 1;
    s.sessions.slots += session.slots;
  } else {
    TIDEMILL_ASSERT(s.sessions.working > 0 && s.sessions.slots >= session.slots);
    s.sessions.working -= 1;
    s.sessions.slots -= session.slots;
  }
}

void attempt_due(State& s, SessionId id, const LeaseEpoch& epoch) {
  Session* session = find_session(s, id);
  if (session == nullptr) return;
  const auto found = session->leases.find(epoch);
  if (found == session->leases.end()) return;
  const LeasedWork leased = found->second.leased;
  tell_cancel(s, id, leased);
  Ending ending;
  ending.error = {.kind = "timeout", .message = "the attempt took longer than its timeout"};
  ending.trace.dispatched = found->second.dispatched;
  ending.trace.reported = s.turn.now.wall;
  if (leased.work.task) {
    LiveTask& task = *find_task(s, leased.work.task);
    record_end(s, drop_task(s, task).leased);
    if (task.record.cancel_requested) {
      finish_task(s, task, Outcome::cancelled, std::move(ending));
    } else {
      fail_task(s, task, End::timed_out, std::move(ending));
    }
    return;
  }
  for (const IndexRange& range : open_ranges(*find_array(s, leased.work.array), leased)) {
    for (uint64_t index = range.first; index < range.end(); ++index) {
      LiveArray& array = *find_array(s, leased.work.array);
      drop_index(s, array, index);
      record_end(s, {WorkRef::of(array.record.id, index), epoch});
      if (array.record.cancel_requested) {
        finish_index(s, array, index, Outcome::cancelled, ending);
      } else {
        fail_index(s, array, index, End::timed_out, ending);
      }
    }
  }
  reoffer(s, *find_array(s, leased.work.array));
}

void close_session(State& s, SessionId id) {
  Session* session = find_session(s, id);
  if (session == nullptr) return;
  if (session->parked) release_parked(s, *session);
  if (session->leases.empty()) {
    end_session(s, id);
  } else {
    session->closes = s.turn.now.steady + limits::kCloseGrace;
    schedule_session(s, *session);
  }
}

void decide(State& s, Tag tag, const CloseSession& command) {
  close_session(s, command.session);
  answer(s, tag, Done{}, Turn{});
}

}  // namespace tidemill::machine
