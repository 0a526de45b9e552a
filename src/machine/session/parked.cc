// Parked exchanges: those with nothing to report and nothing to get wait here, at most a third of
// the lease time, until there is work or something to tell.
#include <algorithm>
#include <utility>

#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/sessions.h"

namespace tidemill::machine {

namespace {

Timer parked_timer(const Session& session) {
  return {.kind = Timer::Kind::parked, .a = session.id.raw};
}

ExchangeReply empty_reply(const State& s, const Session& session) {
  ExchangeReply reply{.session = session.id, .number = session.parked->number};
  reply.incarnation = s.options.incarnation;
  reply.lease = lease_time(s);
  return reply;
}

Parked unpark(State& s, Session& session) {
  TIDEMILL_ASSERT(session.parked.has_value());
  const Parked parked = *session.parked;
  s.timers.steady.remove(parked.until, parked_timer(session));
  session.parked.reset();
  s.sessions.parked.erase(session.id);
  return parked;
}

bool add_unsent(std::vector<Notice>& notices, uint64_t reply, std::vector<LeasedWork>& out) {
  bool any = false;
  for (Notice& notice : notices) {
    if (notice.reply != 0) continue;
    notice.reply = reply;
    out.push_back(notice.work);
    any = true;
  }
  return any;
}

// Hands what is ready to those that wait for work.
void serve_waiting(State& s) {
  const std::vector<SessionId> parked(s.sessions.parked.begin(), s.sessions.parked.end());
  for (const SessionId id : parked) {
    if (!anything_ready(s)) return;
    Session& session = s.sessions.all.at(id);
    const Capacity capacity{session.parked->free_slots, session.parked->free_places,
                            session.parked->spare_places};
    ExchangeReply reply = empty_reply(s, session);
    const Turn needs = hand_out(s, session, capacity, reply);
    if (reply.assignments.empty()) continue;
    add_notices(session, reply);
    const Tag tag = unpark(s, session).tag;
    send_reply(s, session, tag, std::move(reply), needs);
  }
}

}  // namespace

bool has_notices(const Session& session) {
  const auto unsent = [](const Notice& notice) { return notice.reply == 0; };
  return std::any_of(session.cancels.begin(), session.cancels.end(), unsent) ||
         std::any_of(session.recalls.begin(), session.recalls.end(), unsent);
}

bool add_notices(Session& session, ExchangeReply& reply) {
  const bool cancels = add_unsent(session.cancels, reply.number, reply.cancels);
  const bool recalls = add_unsent(session.recalls, reply.number, reply.recalls);
  return cancels || recalls;
}

void park(State& s, Session& session, Tag tag, const Capacity& capacity) {
  TIDEMILL_ASSERT(!session.parked.has_value());
  session.parked = Parked{.tag = tag,
                          .number = session.last_number,
                          .until = s.turn.now.steady + lease_time(s) / 3,
                          .free_slots = capacity.slots,
                          .free_places = capacity.places,
                          .spare_places = capacity.spare};
  s.timers.steady.add(session.parked->until, parked_timer(session));
  s.sessions.parked.insert(session.id);
}

void release_parked(State& s, Session& session) {
  ExchangeReply reply = empty_reply(s, session);
  const Parked parked = unpark(s, session);
  add_notices(session, reply);
  send_reply(s, session, parked.tag, std::move(reply), Turn{});
}

void serve_overtaken(State& s, Session& session, const Capacity& capacity) {
  ExchangeReply reply = empty_reply(s, session);
  const Parked parked = unpark(s, session);
  add_notices(session, reply);
  const Turn needs = hand_out(s, session, capacity, reply);
  if (!session.in_process) {
    session.overtaken_reply = reply;
    session.overtaken_needs = needs;
  }
  answer(s, parked.tag, std::move(reply), needs);
}

void serve_parked(State& s) {
  if (s.turn.something_ready) serve_waiting(s);
  s.turn.something_ready = false;
  recall_for_idle(s);
  for (const SessionId id : std::exchange(s.turn.noticed, {})) {
    Session* session = find_session(s, id);
    if (session != nullptr && session->parked && has_notices(*session)) release_parked(s, *session);
  }
}

void send_reply(State& s, Session& session, Tag tag, ExchangeReply reply, Turn needs) {
  TIDEMILL_ASSERT(reply.number == session.last_number);
  if (!session.in_process) {  // inside the process nothing gets lost on the way
    session.last_reply = reply;
    session.last_reply_needs = needs;
  }
  answer(s, tag, std::move(reply), needs);
}

}  // namespace tidemill::machine
