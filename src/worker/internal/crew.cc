#include "worker/internal/crew.h"

#include <algorithm>
#include <utility>

#include "os/clock.h"
#include "playbook/step_scope.h"
#include "worker/internal/tool_attempt.h"

namespace tidemill::worker {

namespace {

// Attempts begun in one round of the loop, so that reports leave and other work gets its turn
// between.
constexpr int kStartsPerRound = 1'024;

bool covers(const LeasedWork& all, const LeasedWork& one) {
  if (all.epoch != one.epoch || all.work.task != one.work.task ||
      all.work.array != one.work.array) {
    return false;
  }
  return one.work.task ||
         (one.work.first >= all.work.first && one.work.first < all.work.first + all.work.count);
}

std::vector<std::string> kinds() {
  std::vector<std::string> all = {std::string(playbook::kStepKind),
                                  std::string(playbook::kCursorKind),
                                  std::string(playbook::kExpandKind),
                                  std::string(playbook::kRouteKind)};
  for (const std::string_view kind : ToolAttempt::kinds()) all.emplace_back(kind);
  return all;
}

}  // namespace

Crew::Crew(os::EventLoop& loop, wire::Exchange& exchange, CrewOptions options, ToolSet tools)
    : loop_(loop),
      exchange_(exchange),
      options_(std::move(options)),
      tools_(std::move(tools)),
      slots_(options_.slots),
      contexts_(exchange, options_.on_plan, &tools_),
      children_(exchange, options_.base_folder),
      session_(std::make_unique<client::Session>(loop, exchange, *this, kinds())) {}

Crew::~Crew() {
  // Attempts refer to everything else.
  session_.reset();
  attempts_.clear();
}

void Crew::start() { schedule_round(); }

void Crew::drain(std::function<void()> on_drained) {
  draining_ = true;
  session_->drain();
  on_drained_ = std::move(on_drained);
  for (const LeasedWork& work : queue_.held()) {
    for (const LeasedWork& left : queue_.take_back(work)) answer(left, Report::Kind::returned);
  }
  std::vector<AttemptId> waiting;
  for (auto& [id, attempt] : attempts_) {
    attempt->drain();
    if (!attempt->begun()) waiting.push_back(id);
  }
  std::sort(waiting.begin(), waiting.end());
  for (const AttemptId id : waiting) give_back(id);
  schedule_round();
}

// ---- what the session asks and tells ----

client::Session::Host::Capacity Crew::capacity() {
  const auto left = [](uint64_t all, uint64_t taken) {
    return static_cast<uint32_t>(all > taken ? all - taken : 0);
  };
  if (draining_) return {};
  const uint64_t held = attempts_.size() + queue_.size();
  const uint64_t waiting = held > options_.places ? held - options_.places : 0;
  return {left(slots_.free(), slots_.waiting() + queue_.needing_slot()),
          left(options_.places, held), left(options_.spare, waiting)};
}

bool Crew::work_waits() const {
  return slots_.waiting() + queue_.needing_slot() > 0 ||
         attempts_.size() + queue_.size() > options_.places;
}

std::vector<LeasedWork> Crew::held() {
  std::vector<LeasedWork> all = queue_.held();
  for (const auto& [id, attempt] : attempts_) {
    all.push_back({attempt->item().ref(), attempt->item().assignment->epoch});
  }
  std::sort(all.begin(), all.end());
  return all;
}

void Crew::take_assignments(std::vector<Assignment> assignments) {
  const SteadyTime now = os::steady_now();
  for (Assignment& assignment : assignments) {
    const LeasedWork all{assignment.work, assignment.epoch};
    queue_.add(std::move(assignment), now);
    if (!draining_) continue;
    for (const LeasedWork& left : queue_.take_back(all)) answer(left, Report::Kind::returned);
  }
  schedule_round();
}

void Crew::recall(const LeasedWork& work) {
  for (const LeasedWork& left : queue_.take_back(work)) answer(left, Report::Kind::returned);
  for (const AttemptId id : running(work)) {
    const Attempt& attempt = *attempts_.at(id);
    if (attempt.begun()) {
      answer({attempt.item().ref(), work.epoch}, Report::Kind::started);
    } else {
      give_back(id);
    }
  }
  schedule_round();
}

void Crew::cancel(const LeasedWork& work) {
  for (const LeasedWork& left : queue_.take_back(work)) answer(left, Report::Kind::failed);
  for (const AttemptId id : running(work)) {
    const auto found = attempts_.find(id);
    if (found != attempts_.end()) found->second->stop({"cancelled", "cancelled", false});
  }
  schedule_round();
}

void Crew::answered() { schedule_round(); }

void Crew::lease_lost(const LeasedWork& work) {
  queue_.take_back(work);
  for (const AttemptId id : running(work)) attempts_.erase(id);
  schedule_round();
}

// ---- rounds ----

void Crew::schedule_round() {
  if (std::exchange(round_scheduled_, true)) return;
  loop_.defer([this] { round(); });
}

void Crew::round() {
  round_scheduled_ = false;
  start_more();
  session_->pump();
  check_drained();
}

// An attempt may end within its begin(), so this is a loop and never nests.
void Crew::start_more() {
  for (int i = 0; i < kStartsPerRound; ++i) {
    if (attempts_.size() >= options_.places) return;
    auto item = queue_.take();
    if (!item) return;
    start_one(std::move(*item));
  }
  if (!queue_.empty()) schedule_round();
}

void Crew::start_one(WorkItem item) {
  const AttemptId id = ++last_attempt_;
  const LeasedWork work{item.ref(), item.assignment->epoch};
  const std::string kind = item.assignment->kind;
  const AttemptServices services{
      {loop_, tools_, slots_, last_call_}, contexts_, children_, exchange_};
  auto attempt = make_attempt(services, std::move(item),
                              [this, id](Report report) { take_report(id, std::move(report)); });
  if (!attempt) {
    Report report{.kind = Report::Kind::failed, .work = work.work, .epoch = work.epoch};
    report.error = {"config", "this worker cannot run work of kind '" + kind + "'", false};
    session_->report({std::move(report), os::steady_now()});
    return schedule_round();
  }
  Attempt& begun = *attempt;
  attempts_.emplace(id, std::move(attempt));
  begun.begin();
}

void Crew::take_report(AttemptId id, Report report) {
  const auto found = attempts_.find(id);
  session_->report({std::move(report), found->second->item().received});
  attempts_.erase(found);
  schedule_round();
}

void Crew::give_back(AttemptId id) {
  const auto found = attempts_.find(id);
  const WorkItem& item = found->second->item();
  answer({item.ref(), item.assignment->epoch}, Report::Kind::returned);
  attempts_.erase(found);
}

void Crew::answer(const LeasedWork& work, Report::Kind kind) {
  Report report{.kind = kind, .work = work.work, .epoch = work.epoch};
  if (kind == Report::Kind::failed)
    report.error = {"cancelled", "cancelled before it began", false};
  session_->report({std::move(report), os::steady_now()});
}

// In the order in which they were begun.
std::vector<Crew::AttemptId> Crew::running(const LeasedWork& work) const {
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_) {
    if (covers(work, {attempt->item().ref(), attempt->item().assignment->epoch})) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void Crew::check_drained() {
  if (!draining_ || !on_drained_ || !attempts_.empty() || !session_->settled()) return;
  const auto tell = std::exchange(on_drained_, nullptr);
  tell();
}

}  // namespace tidemill::worker
