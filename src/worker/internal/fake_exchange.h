#pragma once
// A server for the tests of the worker: it hands out what a test gives it, keeps every report,
// parks exchanges that have nothing to say, and knows plans, executions, results and blobs. Calls
// back through the loop, as the real one does. One thread.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "os/event_loop.h"
#include "playbook/compile.h"
#include "playbook/json.h"
#include "playbook/step_scope.h"
#include "wire/exchange.h"

namespace tidemill::worker {

class FakeExchange final : public wire::Exchange {
 public:
  explicit FakeExchange(os::EventLoop& loop) : loop_(loop) {}

  // ---- what a test prepares ----

  // An execution of this playbook; its steps are named by `scope()`.
  ExecutionId add_execution(std::string text, std::string workload = "{}",
                            std::string file = "test.yaml") {
    const Sha256 hash = sha256(text);
    plans[hash] = std::make_shared<const std::string>(std::move(text));
    const ExecutionId id{++last_execution_};
    executions[id] = {id, hash, std::make_shared<const std::string>(std::move(workload)),
                      std::move(file)};
    return id;
  }
  SharedBytes scope(const std::string& step, std::string ctx = "{}",
                    std::vector<playbook::StepScope::Result> of = {}) {
    playbook::StepScope scope;
    scope.step = step;
    scope.ctx = playbook::parse_json(ctx).value();
    scope.results = std::move(of);
    return std::make_shared<const std::string>(playbook::encode_scope(scope));
  }
  Assignment task(ExecutionId execution, const std::string& step) {
    return {.work = WorkRef::of(TaskId{++last_task_}),
            .epoch = {1, ++last_epoch_},
            .kind = std::string(playbook::kStepKind),
            .input = scope(step),
            .step = {execution, 0, 1},
            .needs_slot = false};
  }
  Assignment array(ExecutionId execution, const std::string& step, std::vector<std::string> items) {
    Assignment a = task(execution, step);
    a.work = WorkRef::of(ArrayId{++last_task_}, 0, items.size());
    a.array_count = items.size();
    a.items = std::move(items);
    return a;
  }
  void hand_out(Assignment assignment) {
    ready_.push_back(std::move(assignment));
    answer_parked();
  }
  void cancel(const LeasedWork& work) {
    cancels_.push_back(work);
    answer_parked();
  }
  void recall(const LeasedWork& work) {
    recalls_.push_back(work);
    answer_parked();
  }

  // ---- what it saw ----

  std::vector<ExchangeRequest> requests;
  std::vector<Report> reports;
  std::function<void()> on_report;  // after each exchange that brought some
  std::map<Sha256, SharedBytes> plans;
  std::map<ExecutionId, wire::ExecutionInfo> executions;
  std::map<uint64_t, std::string> results;  // by task
  std::map<Sha256, SharedBytes> blobs;
  uint32_t fetches = 0;
  uint64_t most_handed_out = UINT64_MAX;  // in one reply
  uint32_t errors_to_give = 0;            // exchanges that fail first
  std::string cannot_read;                // a result: exchanges that bring it are refused
  bool forgets_session = false;
  std::vector<LeasedWork> lost;  // reports under these get lease_lost

  // ---- wire::Exchange ----

  void exchange(ExchangeRequest request, OnReply on_reply) override {
    requests.push_back(request);
    if (errors_to_give > 0) {
      --errors_to_give;
      return later([on_reply] { on_reply(Error{ErrorCode::unavailable, "no route"}); });
    }
    for (const Report& report : request.reports) {
      if (cannot_read.empty() || report.result.inline_json != cannot_read) continue;
      return later([on_reply] { on_reply(Error{ErrorCode::invalid, "reports: [0]: no JSON"}); });
    }
    if (std::exchange(forgets_session, false)) {
      parked_.reset();
      return later([on_reply] { on_reply(ExchangeReply{.session_unknown = true}); });
    }
    if (request.number > last_number_ + 1 && request.session) {
      ADD_FAILURE() << "a number was skipped";
    }
    last_number_ = request.number;
    if (parked_) release();
    ExchangeReply reply{.session = SessionId{7}, .number = request.number};
    for (const Report& report : request.reports) {
      reports.push_back(report);
      const LeasedWork work{report.work, report.epoch};
      const bool is_lost = std::find(lost.begin(), lost.end(), work) != lost.end();
      reply.answers.push_back(is_lost ? ReportAnswer::lease_lost : ReportAnswer::recorded);
    }
    const bool had_reports = !request.reports.empty();
    parked_.emplace(std::move(reply), std::move(on_reply));
    if (had_reports || anything_to_say()) release();
    if (had_reports && on_report) on_report();
  }
  void fetch_result(const ResultRef& ref, OnBytes on_bytes) override {
    ++fetches;
    const auto found = results.find(ref.task.raw + ref.array.raw);
    if (found == results.end()) {
      return later([on_bytes] { on_bytes(Error{ErrorCode::not_found, "no such result"}); });
    }
    later([on_bytes, text = found->second] {
      on_bytes(std::make_shared<const std::string>(text));
    });
  }
  void fetch_plan(const Sha256& hash, OnBytes on_text) override {
    ++fetches;
    later([this, hash, on_text] { on_text(plans.at(hash)); });
  }
  void fetch_execution(ExecutionId id, OnExecution on_execution) override {
    ++fetches;
    later([this, id, on_execution] { on_execution(executions.at(id)); });
  }
  void put_plan(const Sha256& hash, std::string text, OnDone on_done) override {
    plans[hash] = std::make_shared<const std::string>(std::move(text));
    later([on_done] { on_done(Ok{}); });
  }
  void put_blob(SharedBytes bytes, OnRef on_ref) override {
    const Sha256 name = sha256(*bytes);
    blobs[name] = bytes;
    later([on_ref, name, size = bytes->size()] {
      on_ref(ResultRef{.place = ResultRef::Place::blob, .blob = name, .size = size});
    });
  }

 private:
  void later(std::function<void()> f) { loop_.post(std::move(f)); }
  bool anything_to_say() const { return !ready_.empty() || !cancels_.empty() || !recalls_.empty(); }
  void answer_parked() {
    if (parked_) release();
  }
  void release() {
    auto [reply, on_reply] = std::move(*parked_);
    parked_.reset();
    while (!ready_.empty() && reply.assignments.size() < most_handed_out) {
      reply.assignments.push_back(std::move(ready_.front()));
      ready_.pop_front();
    }
    reply.cancels = std::exchange(cancels_, {});
    reply.recalls = std::exchange(recalls_, {});
    later([reply = std::move(reply), on_reply = std::move(on_reply)] { on_reply(reply); });
  }

  os::EventLoop& loop_;
  uint64_t last_execution_ = 100;
  uint64_t last_task_ = 0;
  uint64_t last_epoch_ = 0;
  uint64_t last_number_ = 0;
  std::deque<Assignment> ready_;
  std::vector<LeasedWork> cancels_;
  std::vector<LeasedWork> recalls_;
  std::optional<std::pair<ExchangeReply, OnReply>> parked_;
};

}  // namespace tidemill::worker
