// Exchange: the one verb of a worker. It renews the session, acknowledges replies, reports what
// ended, and is answered with what is next, or parked until there is something.
#include <algorithm>

#include "machine/execution/hooks.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

// Who let it in has not heard of that yet.
bool is_revoked(const State& s, const std::string& token) {
  return !token.empty() && !s.tokens.contains(token);
}

Session& open_session(State& s, const Exchange& command) {
  const SessionId id{take_id(s)};
  Session& session = s.sessions.all[id];
  session.id = id;
  session.in_process = command.in_process;
  ++s.sessions.working;
  session.token = command.token;
  session.queues = command.queues;
  std::sort(session.queues.begin(), session.queues.end());
  return session;
}

// The number came before: the same answer again, or a refusal when that is long gone.
void repeat(State& s, Tag tag, Session& session, const ExchangeRequest& request) {
  const std::optional<ExchangeReply>& overtaken = session.overtaken_reply;
  if (overtaken && overtaken->number == request.number) {
    answer(s, tag, *overtaken, session.overtaken_needs);
    return;
  }
  if (request.number == session.last_number) {
    if (session.parked) release_parked(s, session);
    if (session.last_reply) {
      answer(s, tag, *session.last_reply, session.last_reply_needs);
      return;
    }
  }
  refuse(s, tag, Refused::Why::wrong_state,
         "exchange number " + std::to_string(request.number) + " of session " +
             std::to_string(session.id.raw) + " has passed; the last one was " +
             std::to_string(session.last_number));
}

void return_lease(State& s, const LeasedWork& leased) {
  if (leased.work.task) {
    return_task(s, *find_task(s, leased.work.task));
    return;
  }
  LiveArray& array = *find_array(s, leased.work.array);
  for (const IndexRange& range : open_ranges(array, leased)) {
    for (uint64_t i = range.first; i < range.end(); ++i) return_index(s, array, i);
  }
}

// The reply to the exchange just before this one may still be on its way: an idle exchange is
// overtaken by one with reports. What an older reply handed out, and has not arrived, was passed
// over and goes back.
void acknowledge(State& s, Session& session, const ExchangeRequest& request) {
  const uint64_t seen = request.last_reply;
  const auto passed_over = [&](uint64_t reply) {
    return reply > seen && reply + 1 < request.number;
  };
  std::vector<LeasedWork> unseen;
  for (auto at = session.leases.rbegin(); at != session.leases.rend(); ++at) {
    if (at->second.reply != 0 && at->second.reply <= seen) break;
    if (passed_over(at->second.reply)) unseen.push_back(at->second.leased);
  }
  for (const LeasedWork& leased : unseen) return_lease(s, leased);
  std::erase_if(session.recorded, [&](const Recorded& r) { return r.exchange <= seen; });
  for (std::vector<Notice>* notices : {&session.cancels, &session.recalls}) {
    std::erase_if(*notices, [&](const Notice& n) { return n.reply != 0 && n.reply <= seen; });
    for (Notice& notice : *notices) {
      if (passed_over(notice.reply)) notice.reply = 0;
    }
  }
}

// What is free at the worker once everything on its way to it has arrived.
Capacity capacity_of(const Session& session, const ExchangeRequest& request) {
  uint64_t slots = 0;
  uint64_t places = 0;
  for (auto at = session.leases.rbegin(); at != session.leases.rend(); ++at) {
    const Lease& lease = at->second;
    if (lease.reply <= request.last_reply) break;
    slots += lease.needs_slot ? 1 : 0;
    places += lease.open;
  }
  const auto left = [](uint32_t free, uint64_t taken) {
    return free > taken ? static_cast<uint32_t>(free - taken) : 0;
  };
  const uint64_t waiting = places - std::min<uint64_t>(places, request.free_places);
  return {.slots = left(request.free_slots, slots),
          .places = left(request.free_places, places),
          .spare = left(request.spare_places, waiting)};
}

void take_capacity(State& s, Session& session, const ExchangeRequest& request) {
  count_capacity(s, session, Counted::out);
  session.draining = request.draining;
  if (!request.kinds.empty()) {
    session.kinds.clear();
    for (const std::string& kind : request.kinds) session.kinds.push_back(kind_number(s, kind));
    std::sort(session.kinds.begin(), session.kinds.end());
  }
  // A worker says what is free; what it has in all shows when it is least busy.
  // With a place free nothing waits for one.
  const uint64_t held = session.open_places + session.slot_leases;
  const uint64_t places = std::min<uint64_t>(request.free_places + held, limits::kPlacesBound);
  if (request.free_places > 0)
    session.places = std::max(session.places, static_cast<uint32_t>(places));
  session.slots = std::max(session.slots, request.free_slots);
  count_capacity(s, session, Counted::in);
}

}  // namespace

void decide(State& s, Tag tag, const Exchange& command) {
  const ExchangeRequest& request = command.request;
  const bool opens = !request.session;
  if (opens && is_revoked(s, command.token)) {
    refuse(s, tag, Refused::Why::wrong_state, "the token it came with has been revoked");
    return;
  }
  Session* session = opens ? &open_session(s, command) : find_session(s, request.session);
  if (session == nullptr || is_revoked(s, session->token)) {
    ExchangeReply unknown{.session = request.session, .number = request.number};
    unknown.incarnation = s.options.incarnation;
    unknown.session_unknown = true;
    unknown.answers.assign(request.reports.size(), ReportAnswer::lease_lost);
    answer(s, tag, std::move(unknown), Turn{});
    return;
  }
  session->expires = s.turn.now.steady + lease_time(s);
  session->closes = SteadyTime::never();
  if (opens) schedule_session(s, *session);
  if (request.number <= session->last_number) {
    repeat(s, tag, *session, request);
    return;
  }
  const bool overtakes = session->parked && !request.reports.empty();
  if (session->parked && !overtakes) release_parked(s, *session);
  session->last_number = request.number;
  session->last_reply.reset();
  session->overtaken_reply.reset();
  acknowledge(s, *session, request);

  ExchangeReply reply{.session = session->id, .number = request.number};
  reply.incarnation = s.options.incarnation;
  reply.lease = lease_time(s);
  for (const LeasedWork& held : request.held) {
    present(s, *session, held);
    // It belongs to somebody else by now, or has ended: the worker stops it.
    if (!session->leases.contains(held.epoch)) session->cancels.push_back({.work = held});
  }
  for (const Report& report : request.reports) {
    if (opens) present(s, *session, {report.work, report.epoch});
    reply.answers.push_back(take_report(s, *session, report));
    settle(s);
  }
  execution::settle(s);
  take_capacity(s, *session, request);
  const Capacity capacity = capacity_of(*session, request);
  Turn needs = request.reports.empty() && !opens ? Turn{} : s.turn.number;
  if (overtakes) {
    serve_overtaken(s, *session, capacity);
  } else if (!opens || session->in_process) {
    // A remote worker that never hears of its session would hold what the first reply hands out.
    needs = std::max(needs, hand_out(s, *session, capacity, reply));
  }
  const bool told = add_notices(*session, reply);
  const bool idle = request.reports.empty() && reply.assignments.empty() && !told;
  if (idle && request.wait && !opens) {
    park(s, *session, tag, capacity);
    return;
  }
  send_reply(s, *session, tag, std::move(reply), needs);
}

}  // namespace tidemill::machine
