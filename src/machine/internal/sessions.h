#pragma once
// The parts of an exchange: what is reported, what is handed out, who is parked, and how a session
// ends. Each function is in the file of its name in session/. Engine thread only.
#include "machine/internal/state.h"

namespace tidemill::machine {

// ---- report.cc ----
// Takes one report of work that `session` holds, or says that it does not.
ReportAnswer take_report(State& s, Session& session, const Report& report);
// A lease of one task or index ends uncharged: it can be handed out again, in its old place.
void return_task(State& s, LiveTask& task);
void return_index(State& s, LiveArray& array, uint64_t index);

// ---- hand_out.cc ----
// Whether the token of the session lets it have work of this queue.
bool may_have(const Session& session, const std::string& queue);
struct Capacity {
  uint32_t slots = 0;   // free
  uint32_t places = 0;  // free
  uint32_t spare = 0;   // what may wait at the worker for a place
};
bool anything_ready(const State& s);
// Leases what the session can take, in the order of P5, and adds it to the reply. The turn that
// must be durable before that reply may leave.
Turn hand_out(State& s, Session& session, const Capacity& capacity, ExchangeReply& reply);

// ---- parked.cc ----
// Adds what the worker must be told (cancels, recalls) to a reply; true when there was something.
bool add_notices(Session& session, ExchangeReply& reply);
bool has_notices(const Session& session);  // that no reply carries yet
void park(State& s, Session& session, Tag tag, const Capacity& capacity);
// Answers the parked exchange with what there is, if only nothing.
void release_parked(State& s, Session& session);
// An exchange with reports has overtaken the parked one: that takes what there is to hand out, and
// need not wait until the reports are durable.
void serve_overtaken(State& s, Session& session, const Capacity& capacity);
// At the end of a turn: exchanges leave whose wait is over.
void serve_parked(State& s);
// Sends the reply and remembers it for a repetition.
void send_reply(State& s, Session& session, Tag tag, ExchangeReply reply, Turn needs);

// ---- recall.cc ----
// At the end of a turn: work that waits at a worker is asked back for one that has nothing to do.
void recall_for_idle(State& s);

// ---- end_session.cc ----
// Adds a session to what all can take, or takes it out.
enum class Counted : uint8_t { in, out };
void count_capacity(State& s, const Session& session, Counted way);
// The session's timer rang: its lease time or its grace has passed, or an exchange came in between.
void session_due(State& s, SessionId id);
void schedule_session(State& s, const Session& session);
void end_session(State& s, SessionId id);
// Its connection is gone, or it may not come back: after the grace it ends.
void close_session(State& s, SessionId id);
void attempt_due(State& s, SessionId id, const LeaseEpoch& epoch);

// ---- reservations.cc ----
// A worker presents what it held before the server was restarted, or before its session was lost.
void present(State& s, Session& session, const LeasedWork& held);
// The grace after a restart is over: what nobody came back with is ready again.
void end_reservations(State& s);
// Attempts inside the process that died with the last server go on record as lost.
void record_lost(State& s);

}  // namespace tidemill::machine
