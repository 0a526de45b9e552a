#include "client/session.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "model/limits.h"
#include "os/clock.h"

namespace tidemill::client {

namespace {

constexpr Duration kFirstRetry = milliseconds(20);
constexpr Duration kLastRetry = seconds(1);
constexpr const char* kUnreadKind = "report";
constexpr uint64_t kReportBytesMax = 16 * 1024 * 1024;  // a server takes 64 MiB in one request

}  // namespace

Session::Session(os::EventLoop& loop, wire::Exchange& exchange, Host& host,
                 std::vector<std::string> kinds)
    : loop_(loop), exchange_(exchange), host_(host), kinds_(std::move(kinds)) {}

Session::~Session() {
  if (gathering_ != 0) loop_.cancel(gathering_);
  for (auto& [number, open] : open_) {
    if (open.retry != 0) loop_.cancel(open.retry);
  }
}

void Session::report(PendingReport report) {
  if (pending_.empty()) pending_since_ = os::steady_now();
  pending_.push_back(std::move(report));
}

// Short work ends one by one; a commit for each would take the time that the next ones
// need. Nothing waits for these reports while other work is at hand.
bool Session::may_gather() {
  if (draining_ || !host_.work_waits()) return false;
  const Duration left = limits::kReportGather - (os::steady_now() - pending_since_);
  if (left.ns <= 0) return false;
  if (gathering_ == 0) {
    gathering_ = loop_.after(left, [this] {
      gathering_ = 0;
      pump();
    });
  }
  return true;
}

void Session::pump() {
  // Until the first reply has named the session nothing can be numbered in it.
  if (!id_) {
    if (open_.empty()) send(next_reports());
    return;
  }
  const bool reports = !pending_.empty() && with_reports_ == 0 && !may_gather();
  if (reports ? open_.empty() : wants_idle()) send({});
  if (reports) send(next_reports());
}

// As many as fit well into one request; the others follow when it is answered.
std::vector<PendingReport> Session::next_reports() {
  uint64_t bytes = 0;
  size_t count = 0;
  for (; count < pending_.size() && bytes < kReportBytesMax; ++count) {
    const Report& report = pending_[count].report;
    bytes += report.result.inline_json.size() + report.log.size();
    for (const std::string& result : report.results) bytes += result.size();
  }
  if (count == pending_.size()) return std::exchange(pending_, {});
  const auto end = pending_.begin() + static_cast<ptrdiff_t>(count);
  std::vector<PendingReport> some(std::make_move_iterator(pending_.begin()),
                                  std::make_move_iterator(end));
  pending_.erase(pending_.begin(), end);
  return some;
}

// One without reports is kept open: what there is to hand out comes with its reply, which waits for
// nothing. Reports overtake it. The one with reports is overtaken by one other at most, or its
// reply would count as passed over (model/exchange.h).
bool Session::wants_idle() const {
  const bool has_idle = open_.size() > with_reports_;
  if (with_reports_ > 0) {
    const bool newest_reports = !open_.rbegin()->second.request.reports.empty();
    return !has_idle && newest_reports && !draining_;
  }
  if (!has_idle) return true;
  if (draining_) return !drain_told_;
  const auto now = host_.capacity();
  return (advertised_.slots == 0 && now.slots > 0) ||
         (advertised_.places + advertised_.spare == 0 && now.places + now.spare > 0);
}

void Session::drain() { draining_ = true; }

bool Session::settled() const { return pending_.empty() && with_reports_ == 0; }

void Session::send(std::vector<PendingReport> reports) {
  const uint64_t number = ++last_number_;
  ExchangeRequest request;
  request.session = id_;
  request.number = number;
  request.last_reply = last_reply_;
  advertised_ = host_.capacity();
  request.free_slots = advertised_.slots;
  request.free_places = advertised_.places;
  request.spare_places = advertised_.spare;
  request.draining = draining_;
  drain_told_ = draining_;
  const SteadyTime now = os::steady_now();
  request.reports.reserve(reports.size());
  if (number == 1) {
    request.kinds = kinds_;
    request.held = host_.held();
    for (const std::vector<PendingReport>* all : {&reports, &pending_}) {
      for (const PendingReport& p : *all) request.held.push_back({p.report.work, p.report.epoch});
    }
  }
  for (PendingReport& p : reports) {
    p.report.trace.sent = now - p.received;
    request.reports.push_back(std::move(p.report));
  }
  if (!request.reports.empty()) ++with_reports_;
  open_[number].request = std::move(request);
  transmit(number);
}

void Session::transmit(uint64_t number) {
  exchange_.exchange(open_.at(number).request,
                     [this, number, life = life_,
                      alive = std::weak_ptr<int>(alive_)](Result<ExchangeReply> reply) {
                       if (alive.expired() || life != life_) return;
                       take_reply(number, std::move(reply));
                     });
}

void Session::take_reply(uint64_t number, Result<ExchangeReply> reply) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  if (!reply.ok()) {
    if (amend(number, reply.error())) return transmit(number);
    if (reply.error().code == ErrorCode::conflict && id_) return begin_again();
    return retry_later(number);
  }
  if (reply->session_unknown) return begin_again();
  // Work begins at once; the rest of a reply that came early waits for the one before it.
  auto assignments = std::exchange(reply->assignments, {});
  found->second.reply = std::move(reply);
  if (!assignments.empty()) host_.take_assignments(std::move(assignments));
  while (!open_.empty() && open_.begin()->second.reply) {
    Open first = std::move(open_.begin()->second);
    open_.erase(open_.begin());
    apply(std::move(first));
  }
  pump();
}

void Session::apply(Open open) {
  ExchangeReply reply = std::move(*open.reply).value();
  id_ = reply.session;
  last_reply_ = open.request.number;
  const auto& reports = open.request.reports;
  if (!reports.empty()) --with_reports_;
  for (size_t i = 0; i < std::min(reports.size(), reply.answers.size()); ++i) {
    if (reply.answers[i] == ReportAnswer::lease_lost) {
      host_.lease_lost({reports[i].work, reports[i].epoch});
    }
  }
  if (!reports.empty()) host_.answered();
  for (const LeasedWork& work : reply.cancels) host_.cancel(work);
  for (const LeasedWork& work : reply.recalls) host_.recall(work);
}

// A server that cannot read a report (a result with a number beyond 64 bits) has taken nothing of
// the exchange. Halved until it is alone, such a report says that its attempt has failed; to send
// it again would help nobody.
bool Session::amend(uint64_t number, const Error& error) {
  if (error.code != ErrorCode::invalid && error.code != ErrorCode::too_large) return false;
  std::vector<Report>& reports = open_.at(number).request.reports;
  if (reports.empty()) return false;
  if (reports.size() > 1) {
    const auto half = reports.begin() + static_cast<ptrdiff_t>(reports.size() / 2);
    std::vector<PendingReport> rest;
    for (auto at = half; at != reports.end(); ++at) {
      const SteadyTime received = os::steady_now() - at->trace.sent;
      rest.push_back({std::move(*at), received});
    }
    reports.erase(half, reports.end());
    pending_.insert(pending_.begin(), std::make_move_iterator(rest.begin()),
                    std::make_move_iterator(rest.end()));
    return true;
  }
  Report& unread = reports.front();
  if (unread.error.kind == kUnreadKind) return false;
  Report failed{.kind = Report::Kind::failed, .work = unread.work, .epoch = unread.epoch};
  failed.trace = unread.trace;
  failed.error = {.kind = kUnreadKind,
                  .message = "the server cannot take what this attempt reported: " + error.what,
                  .retryable = false};
  unread = std::move(failed);
  return true;
}

// The server may have it or not: the same number again gets the same reply.
void Session::retry_later(uint64_t number) {
  Open& open = open_.at(number);
  open.retry_delay = std::clamp(open.retry_delay * 2, kFirstRetry, kLastRetry);
  open.retry = loop_.after(open.retry_delay, [this, number] {
    open_.at(number).retry = 0;
    transmit(number);
  });
}

// The server does not know the session (it was started anew): a new one is opened with all that is
// held, and what had no answer is reported again.
void Session::begin_again() {
  std::vector<PendingReport> again;
  for (auto& [number, open] : open_) {
    if (open.retry != 0) loop_.cancel(open.retry);
    for (Report& report : open.request.reports) {
      again.push_back({std::move(report), os::steady_now() - report.trace.sent});
    }
  }
  for (PendingReport& p : pending_) again.push_back(std::move(p));
  pending_ = std::move(again);
  open_.clear();
  with_reports_ = 0;
  id_ = {};
  last_number_ = 0;
  last_reply_ = 0;
  ++life_;
  send(next_reports());
}

}  // namespace tidemill::client
