#include "sim/worker.h"

#include <algorithm>
#include <utility>

#include "machine/command.h"

namespace tidemill::sim {

Worker::Worker(World& world, const Options& options, Server& server, Checker& checker,
               Handler handler)
    : world_(world),
      options_(options),
      server_(server),
      checker_(checker),
      handler_(std::move(handler)) {}

void Worker::start() {
  world_.after(world_.random().duration(nanoseconds(0), milliseconds(50)),
               [this, life = life_] {
                 if (life == life_) send();
               });
}

void Worker::crash() {
  ++life_;
  const bool said_so = session_ && world_.random().chance(50);
  if (said_so) server_.request(machine::CloseSession{session_}, [](machine::ReplyBody) {});
  session_ = {};
  number_ = last_reply_ = 0;
  introduce_ = true;
  outstanding_.clear();
  reports_.clear();
  held_.clear();
  world_.after(world_.random().duration(milliseconds(1), seconds(3)), [this, life = life_] {
    if (life == life_) send();
  });
}

void Worker::server_gone() {
  if (options_.in_process) crash();
}

std::vector<LeasedWork> Worker::open_attempts() const {
  std::vector<LeasedWork> open;
  for (const auto& [epoch, held] : held_) {
    for (uint64_t i = 0; i < held.finished.size(); ++i) {
      WorkRef one = held.work.work;
      one.first += i;
      one.count = 1;
      if (!held.finished[i]) open.push_back({one, epoch});
    }
  }
  return open;
}

uint32_t Worker::free_places() const {
  const uint64_t taken = open_attempts().size();
  return taken >= options_.places ? 0 : static_cast<uint32_t>(options_.places - taken);
}

uint32_t Worker::spare_places() const {
  const uint64_t taken = open_attempts().size() + free_places();
  const uint64_t all = uint64_t{options_.places} + options_.spare;
  return taken >= all ? 0 : static_cast<uint32_t>(std::min<uint64_t>(all - taken, options_.spare));
}

std::vector<LeasedWork> Worker::held_work() const {
  std::vector<LeasedWork> out;
  for (const auto& [epoch, held] : held_) out.push_back({held.work.work, epoch});
  return out;
}

ExchangeRequest Worker::next_request() {
  ExchangeRequest r;
  r.session = session_;
  r.number = ++number_;
  r.last_reply = last_reply_;
  r.reports = std::exchange(reports_, {});
  r.free_places = free_places();
  r.spare_places = spare_places();
  r.free_slots = std::min(options_.slots, r.free_places);
  if (introduce_) {
    r.kinds = {"work", "tidemill.step", "tidemill.route", "tidemill.expand"};
    r.held = held_work();
  }
  return r;
}

// A parked exchange is released by the next. What the second exchange after it still misses was
// passed over: its reply is ignored should it come after all (model/exchange.h).
void Worker::send() {
  const ExchangeRequest request = next_request();
  std::erase_if(outstanding_, [&](const auto& o) { return o.first + 2 <= request.number; });
  outstanding_[request.number] = request;
  transmit(request.number, request);
}

// No answer came for long: the same again, unless a later one was answered, which means that the
// server refuses this one by now.
void Worker::overdue(uint64_t number) {
  const auto found = outstanding_.find(number);
  if (found == outstanding_.end()) return;
  if (number == number_) {
    transmit(number, found->second);
  } else if (!outstanding_.contains(number_)) {
    send();
  }
}

bool Worker::reports_outstanding() const {
  return std::any_of(outstanding_.begin(), outstanding_.end(),
                     [](const auto& o) { return !o.second.reports.empty(); });
}

// Calls inside a process keep their order.
Duration Worker::message_delay() {
  if (options_.in_process) return microseconds(20);
  return world_.random().duration(microseconds(20), options_.delay_max);
}

void Worker::transmit(uint64_t number, const ExchangeRequest& request) {
  Random& random = world_.random();
  const uint32_t copies = random.chance(options_.lose)        ? 0
                          : random.chance(options_.duplicate) ? 2
                                                              : 1;
  for (uint32_t i = 0; i < copies; ++i) {
    world_.after(message_delay(), [this, request, life = life_] {
      server_.request(
          machine::Exchange{.request = request, .in_process = options_.in_process},
          [this, request, life](machine::ReplyBody body) {
            auto* reply = std::get_if<ExchangeReply>(&body);
            if (reply == nullptr) return;  // A duplicate whose number has passed is refused.
            if (world_.random().chance(options_.lose)) return;
            world_.after(message_delay(), [this, life, r = std::move(*reply), request] {
              receive(life, r, request);
            });
          });
    });
  }
  // A parked one is answered within a third of the lease.
  world_.after(options_.lease / 2 + options_.delay_max * 2, [this, number, life = life_] {
    if (life == life_) overdue(number);
  });
}

void Worker::receive(uint64_t life, const ExchangeReply& reply, const ExchangeRequest& request) {
  const auto found = outstanding_.find(request.number);
  if (life != life_ || found == outstanding_.end()) return;
  if (found->second.session != request.session) return;  // Of a session before this one.
  if (reply.session_unknown) return begin_again();
  TIDEMILL_ASSERT(reply.number == request.number);
  TIDEMILL_ASSERT(reply.answers.size() == request.reports.size());
  for (size_t i = 0; i < reply.answers.size(); ++i) {
    checker_.answered(request.reports[i], reply.answers[i]);
    if (reply.answers[i] == ReportAnswer::lease_lost) drop(request.reports[i].epoch);
  }
  session_ = reply.session;
  outstanding_.erase(found);
  last_reply_ = outstanding_.empty() ? number_ : outstanding_.begin()->first - 1;
  introduce_ = incarnation_ != 0 && reply.incarnation != incarnation_;
  incarnation_ = reply.incarnation;
  take(reply);
  answer_recalls(reply);
  answer_cancels(reply);
  world_.after(world_.random().duration(microseconds(10), milliseconds(2)), [this, life] {
    const bool to_report = !reports_.empty() && !reports_outstanding();
    if (life == life_ && (outstanding_.empty() || to_report)) send();
  });
}

// The server does not know the session. What was reported may not have been taken: it is reported
// again to whoever is there now.
void Worker::begin_again() {
  std::vector<Report> again;
  for (auto& [number, request] : outstanding_) {
    again.insert(again.end(), request.reports.begin(), request.reports.end());
  }
  again.insert(again.end(), reports_.begin(), reports_.end());
  reports_ = std::move(again);
  outstanding_.clear();
  session_ = {};
  number_ = last_reply_ = 0;
  introduce_ = true;
  send();
}

void Worker::take(const ExchangeReply& reply) {
  for (const Assignment& a : reply.assignments) {
    if (held_.contains(a.epoch)) continue;
    held_[a.epoch] = {a, std::vector<bool>(a.work.count, false), false};
    for (uint64_t i = 0; i < a.work.count; ++i) run(a.epoch, i);
  }
  if (!reply.assignments.empty()) checker_.holds(open_attempts(), options_.places + options_.spare);
}

void Worker::run(LeaseEpoch epoch, uint64_t index) {
  // Only its timeout ends it.
  const bool can_time_out = held_[epoch].work.attempt_timeout.ns > 0;
  if (can_time_out && world_.random().chance(options_.hang)) return;
  world_.after(world_.random().duration(nanoseconds(0), options_.run_max),
               [this, epoch, index, life = life_] {
                 if (life == life_) finish(epoch, index);
               });
}

void Worker::finish(LeaseEpoch epoch, uint64_t index) {
  const auto found = held_.find(epoch);
  if (found == held_.end() || found->second.finished[index]) return;
  Held& held = found->second;
  held.finished[index] = true;
  Report report;
  report.work = held.work.work.array
                    ? WorkRef::of(held.work.work.array, held.work.work.first + index)
                    : held.work.work;
  report.epoch = epoch;
  handler_(held.work, index, report);
  reports_.push_back(std::move(report));
  if (std::find(held.finished.begin(), held.finished.end(), false) == held.finished.end()) {
    held_.erase(found);
  }
  if (session_ && !reports_outstanding()) send();  // A parked one is released by it.
}

void Worker::answer_recalls(const ExchangeReply& reply) {
  for (const LeasedWork& recall : reply.recalls) {
    const auto found = held_.find(recall.epoch);
    if (found == held_.end()) continue;
    Report report;
    report.work = recall.work;
    report.epoch = recall.epoch;
    const bool give_back = world_.random().chance(50);
    report.kind = give_back ? Report::Kind::returned : Report::Kind::started;
    reports_.push_back(report);
    if (give_back) held_.erase(found);
  }
}

void Worker::answer_cancels(const ExchangeReply& reply) {
  for (const LeasedWork& cancel : reply.cancels) {
    const auto found = held_.find(cancel.epoch);
    if (found == held_.end()) continue;
    Report report;
    report.work = cancel.work;
    report.epoch = cancel.epoch;
    report.kind = Report::Kind::failed;
    report.error = {"cancelled", "stopped as asked", false};
    reports_.push_back(report);
    held_.erase(found);
  }
}

void Worker::drop(LeaseEpoch epoch) { held_.erase(epoch); }

}  // namespace tidemill::sim
