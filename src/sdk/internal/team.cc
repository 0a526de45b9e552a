#include "sdk/internal/team.h"

#include <algorithm>
#include <utility>

#include "model/limits.h"
#include "os/clock.h"

namespace tidemill::sdk {

namespace {

// Indexes of ranges that a slot may have beside it: what runs and what is handed out ahead.
constexpr uint64_t kPlacesOfSlot = 4 * limits::kChunkMax;
constexpr Duration kUploadRetry = seconds(1);

uint32_t left_of(uint64_t all, uint64_t taken) {
  return static_cast<uint32_t>(all > taken ? all - taken : 0);
}

bool overlaps(const LeasedWork& a, const LeasedWork& b) {
  if (a.epoch != b.epoch || a.work.task != b.work.task || a.work.array != b.work.array)
    return false;
  return a.work.task ||
         (a.work.first < b.work.first + b.work.count && b.work.first < a.work.first + a.work.count);
}

bool covers_all(const LeasedWork& all, const LeasedWork& part) {
  return overlaps(all, part) &&
         (all.work.task || (all.work.first <= part.work.first &&
                            part.work.first + part.work.count <= all.work.first + all.work.count));
}

LeasedWork lease_of(const Attempt& attempt) {
  return {attempt.item.ref(), attempt.assignment().epoch};
}

}  // namespace

Team::Team(os::EventLoop& loop, wire::Exchange& exchange, const Handlers& handlers, uint32_t slots)
    : loop_(loop),
      exchange_(exchange),
      handlers_(handlers),
      session_(std::make_unique<client::Session>(loop, exchange, *this, handlers.kinds())) {
  for (uint32_t i = 0; i < slots; ++i) slots_.emplace_back();
  for (Slot& slot : slots_) {
    slot.thread = os::Thread("tm-slot", [this, &slot] { work(slot); });
  }
}

Team::~Team() {
  cut();
  if (gather_timer_ != 0) loop_.cancel(gather_timer_);
  if (deadline_timer_ != 0) loop_.cancel(deadline_timer_);
}

void Team::start() { schedule_round(); }

void Team::drain(std::function<void()> on_drained) {
  std::vector<LeasedWork> returned;
  {
    os::Lock lock(mutex_);
    draining_ = true;
    for (const LeasedWork& all : queue_.held()) {
      for (const LeasedWork& left : queue_.take_back(all)) returned.push_back(left);
    }
  }
  on_drained_ = std::move(on_drained);
  session_->drain();
  for (const LeasedWork& one : returned) answer(one, Report::Kind::returned);
  collect();
}

void Team::cut() {
  {
    os::Lock lock(mutex_);
    cut_ = true;
    for (Slot& slot : slots_) {
      if (slot.busy) slot.attempt.cancel();
    }
    work_came_.notify_all();
  }
  for (Slot& slot : slots_) slot.thread.join();
}

// ---- what the session asks and tells ----

client::Session::Host::Capacity Team::capacity() {
  os::Lock lock(mutex_);
  if (draining_) return {};
  uint64_t busy = 0;
  uint64_t indexes = queue_.size();
  for (const Slot& slot : slots_) {
    if (!slot.busy) continue;
    ++busy;
    indexes += slot.attempt.item.count;
  }
  const uint64_t places = std::min<uint64_t>(kPlacesOfSlot * slots_.size(), limits::kPlacesBound);
  return {left_of(slots_.size(), busy + queue_.entries()), left_of(places, indexes), 0};
}

std::vector<LeasedWork> Team::held() {
  os::Lock lock(mutex_);
  std::vector<LeasedWork> all = queue_.held();
  for (const Slot& slot : slots_) {
    if (slot.busy && !slot.abandoned) all.push_back(lease_of(slot.attempt));
  }
  for (const client::PendingReport& p : outbox_) all.push_back({p.report.work, p.report.epoch});
  for (const auto& [number, p] : uploads_) all.push_back({p.report.work, p.report.epoch});
  std::sort(all.begin(), all.end());
  return all;
}

void Team::take_assignments(std::vector<Assignment> assignments) {
  const SteadyTime now = os::steady_now();
  std::vector<LeasedWork> returned;
  {
    os::Lock lock(mutex_);
    for (Assignment& assignment : assignments) {
      const LeasedWork all{assignment.work, assignment.epoch};
      queue_.add(std::move(assignment), now);
      if (!draining_) continue;
      for (const LeasedWork& left : queue_.take_back(all)) returned.push_back(left);
    }
    if (queue_.size() == 1) {
      work_came_.notify_one();
    } else if (!queue_.empty()) {
      work_came_.notify_all();
    }
  }
  for (const LeasedWork& one : returned) answer(one, Report::Kind::returned);
  schedule_round();
}

void Team::recall(const LeasedWork& work) {
  std::vector<LeasedWork> returned;
  std::vector<LeasedWork> started;
  {
    os::Lock lock(mutex_);
    returned = queue_.take_back(work);
    for (const Slot& slot : slots_) {
      if (slot.busy && !slot.abandoned && overlaps(work, lease_of(slot.attempt))) {
        started.push_back(lease_of(slot.attempt));
      }
    }
  }
  for (const LeasedWork& one : returned) answer(one, Report::Kind::returned);
  for (const LeasedWork& one : started) answer(one, Report::Kind::started);
  schedule_round();
}

void Team::cancel(const LeasedWork& work) {
  std::vector<LeasedWork> waiting;
  {
    os::Lock lock(mutex_);
    waiting = queue_.take_back(work);
    for (Slot& slot : slots_) {
      if (slot.busy && covers_all(work, lease_of(slot.attempt))) slot.attempt.cancel();
    }
  }
  for (const LeasedWork& one : waiting) answer(one, Report::Kind::failed);
  schedule_round();
}

void Team::lease_lost(const LeasedWork& work) {
  {
    os::Lock lock(mutex_);
    queue_.take_back(work);
    for (Slot& slot : slots_) {
      if (!slot.busy || !covers_all(work, lease_of(slot.attempt))) continue;
      slot.abandoned = true;
      slot.attempt.cancel();
    }
  }
  schedule_round();
}

void Team::answer(const LeasedWork& work, Report::Kind kind) {
  Report report{.kind = kind, .work = work.work, .epoch = work.epoch};
  if (kind == Report::Kind::failed) {
    report.error = {"cancelled", "cancelled before it began", false};
  }
  session_->report({std::move(report), os::steady_now()});
}

// ---- on a slot's thread ----

void Team::work(Slot& slot) {
  wire::JsonCheck check;
  while (next(slot)) finish(slot, call(handlers_, slot.attempt, check));
}

bool Team::next(Slot& slot) {
  bool look_at_deadlines = false;
  {
    os::Lock lock(mutex_);
    while (!cut_ && queue_.empty()) work_came_.wait(mutex_);
    if (cut_) return false;
    const Assignment& assignment = *queue_.next();
    const Duration timeout = assignment.attempt_timeout;
    const bool whole = handlers_.takes_whole(assignment);
    slot.attempt.begin(*(whole ? queue_.take_whole() : queue_.take()));
    slot.busy = true;
    slot.abandoned = false;
    if (timeout.ns > 0) {
      slot.deadline = os::steady_now() + timeout;
      look_at_deadlines = slot.deadline < watched_;
      if (look_at_deadlines) watched_ = slot.deadline;
    }
  }
  if (look_at_deadlines) loop_.post([this] { watch_deadlines(); });
  return true;
}

void Team::finish(Slot& slot, std::vector<Report> reports) {
  enum class Then : uint8_t { nothing, gather, collect } then = Then::nothing;
  {
    os::Lock lock(mutex_);
    slot.busy = false;
    slot.deadline = SteadyTime::never();
    if (cut_) return;
    if (!slot.abandoned) {
      for (Report& report : reports) {
        outbox_.push_back({std::move(report), slot.attempt.item.received});
      }
    }
    if (queue_.empty()) {
      if (!std::exchange(collecting_, true)) then = Then::collect;
    } else if (!collecting_ && !std::exchange(gathering_, true)) {
      then = Then::gather;
    }
  }
  if (then == Then::collect) loop_.post([this] { collect(); });
  if (then == Then::gather) loop_.post([this] { gather(); });
}

// ---- the event thread's ----

void Team::schedule_round() {
  if (std::exchange(round_scheduled_, true)) return;
  loop_.defer([this] { round(); });
}

void Team::round() {
  round_scheduled_ = false;
  session_->pump();
  check_drained();
}

void Team::gather() {
  if (gather_timer_ != 0) return;
  gather_timer_ = loop_.after(limits::kReportGather, [this] {
    gather_timer_ = 0;
    collect();
  });
}

void Team::collect() {
  if (gather_timer_ != 0) loop_.cancel(std::exchange(gather_timer_, 0));
  std::vector<client::PendingReport> reports;
  {
    os::Lock lock(mutex_);
    reports.swap(outbox_);
    gathering_ = false;
    collecting_ = false;
  }
  for (client::PendingReport& p : reports) {
    if (p.report.result.inline_json.size() > limits::kInlineMax) {
      upload(std::move(p));
    } else {
      session_->report(std::move(p));
    }
  }
  schedule_round();
}

// A large result is stored before the report that names it.
void Team::upload(client::PendingReport report) {
  const uint64_t number = ++last_upload_;
  auto bytes = std::make_shared<const std::string>(std::move(report.report.result.inline_json));
  report.report.result.inline_json.clear();
  uploads_.emplace(number, std::move(report));
  send_blob(number, bytes);
}

void Team::send_blob(uint64_t number, const SharedBytes& bytes) {
  exchange_.put_blob(bytes, [this, number, bytes](tidemill::Result<ResultRef> ref) {
    if (ref.ok()) return uploaded(number, ref.value(), nullptr);
    const tidemill::Error& error = ref.error();
    if (error.code != tidemill::ErrorCode::unavailable) return uploaded(number, {}, &error);
    loop_.after(kUploadRetry, [this, number, bytes] { send_blob(number, bytes); });
  });
}

void Team::uploaded(uint64_t number, const ResultRef& ref, const tidemill::Error* error) {
  client::PendingReport report = std::move(uploads_.at(number));
  uploads_.erase(number);
  report.report.result.blob = ref;
  if (error != nullptr) {
    report.report.kind = Report::Kind::failed;
    report.report.error = {"result", "the result could not be stored: " + error->what, true};
  }
  session_->report(std::move(report));
  schedule_round();
}

// One timer for the nearest deadline of all slots. What runs on past its own is reported as such;
// its slot stays taken until the handler returns.
void Team::watch_deadlines() {
  if (deadline_timer_ != 0) loop_.cancel(std::exchange(deadline_timer_, 0));
  const SteadyTime now = os::steady_now();
  SteadyTime nearest = SteadyTime::never();
  bool over = false;
  {
    os::Lock lock(mutex_);
    for (Slot& slot : slots_) {
      if (!slot.busy || slot.abandoned || slot.deadline == SteadyTime::never()) continue;
      if (slot.deadline > now) {
        nearest = std::min(nearest, slot.deadline);
        continue;
      }
      over = true;
      slot.abandoned = true;
      slot.attempt.cancel();
      const client::WorkItem& item = slot.attempt.item;
      Report report{.kind = Report::Kind::failed, .work = item.ref()};
      report.epoch = item.assignment->epoch;
      report.error = {"timeout", "the handler had not returned in time", true};
      report.trace.finished = now - item.received;
      outbox_.push_back({std::move(report), item.received});
    }
    watched_ = nearest;
  }
  if (nearest != SteadyTime::never()) {
    deadline_timer_ = loop_.after(nearest - now, [this] {
      deadline_timer_ = 0;
      watch_deadlines();
    });
  }
  if (over) collect();
}

void Team::check_drained() {
  {
    os::Lock lock(mutex_);
    const bool busy =
        std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.busy; });
    if (!draining_ || busy || !queue_.empty() || !outbox_.empty()) return;
  }
  if (!on_drained_ || !uploads_.empty() || !session_->settled()) return;
  const auto tell = std::exchange(on_drained_, nullptr);
  tell();
}

}  // namespace tidemill::sdk
