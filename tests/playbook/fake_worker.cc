#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "model/limits.h"
#include "playbook/json.h"
#include "playbook/routing.h"
#include "world.h"

namespace tidemill::playbook_test {

namespace {

using playbook::StepScope;
using playbook::Value;

SharedBytes shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

TaskError from(const playbook::EvalError& error) {
  return {.kind = "playbook", .message = error.text, .retryable = false};
}

}  // namespace

ResultValue FakeWorker::store_result(std::string text) {
  ResultValue out;
  if (text.size() <= limits::kInlineMax) {
    out.inline_json = std::move(text);
    return out;
  }
  out.blob.place = ResultRef::Place::blob;
  out.blob.blob = sha256(text);
  out.blob.size = text.size();
  world_.blobs[out.blob.blob] = std::move(text);
  return out;
}

Value FakeWorker::fetch(const ResultRef& ref) const { return world_.result(ref); }

playbook::RoutingScope FakeWorker::routing_scope(const StepScope& scope, ExecutionId id) const {
  playbook::RoutingScope out;
  out.execution = id;
  out.ctx = scope.ctx;
  out.workload = json(*world_.execution(id).workload);
  for (const StepScope::Result& result : scope.results) {
    playbook::StepOutput output = result.output;
    if (result.ref.place != ResultRef::Place::none) {
      Value data = fetch(result.ref);
      if (output.loop) {
        const auto n = [&](const char* name) {
          return static_cast<uint64_t>(output.data.get(name).as_integer());
        };
        data = playbook::loop_data(std::move(data), n("total"), n("done"), n("failed"));
      }
      output.data = std::move(data);
    }
    out.steps.emplace_back(result.step, playbook::step_view(output));
  }
  return out;
}

Report FakeWorker::run_tool(const Assignment& work, uint64_t index, const StepScope& scope) {
  const auto names = routing_scope(scope, work.step.execution);
  Call call{.step = scope.step, .epoch = scope.epoch, .index = index, .attempt = work.attempt};
  call.ctx = scope.ctx;
  call.workload = names.workload;
  call.execution_name = world_.execution(work.step.execution).name;
  call.loop = static_cast<bool>(work.work.array);
  for (const auto& [name, view] : names.steps) call.steps[name] = view;
  if (!work.items.empty()) call.item = json(work.items[index - work.work.first]);
  if (work.child) call.child = *work.child;
  if (work.child && !work.child->failed) call.child_data = fetch(work.child->result);
  call.resumed = work.resumed_with != nullptr;
  world_.calls.push_back(scope.step + "#" + std::to_string(scope.epoch) +
                         (call.loop ? "[" + std::to_string(index) + "]" : ""));
  const auto tool = world_.tools.find(scope.step);
  const Answer answer = tool == world_.tools.end() ? Answer{} : tool->second(call);

  Report report;
  const playbook::PlanPtr plan = world_.plan(scope.plan);
  const playbook::Step& step = plan->step(*plan->find_step(scope.step));
  if (answer.child) {
    report.kind = Report::Kind::suspended;
    report.child = *answer.child;
    report.resume_with = shared("before the child");
    return report;
  }
  auto routing = playbook::encode_routing(step, answer.data, answer.http_status);
  report.routing_too_large = !routing;
  if (routing) report.routing = shared(std::move(*routing));
  if (answer.rows) report.routing = shared(playbook::encode_cursor_counts(*answer.rows));
  if (!answer.ctx.empty()) report.ctx_writes = shared(playbook::encode_ctx_writes(answer.ctx));
  report.kind = answer.error ? Report::Kind::failed : Report::Kind::done;
  if (answer.error) report.error = *answer.error;
  if (!answer.error && !answer.data.is_null()) report.result = store_result(text_of(answer.data));
  return report;
}

Report FakeWorker::run_expansion(const StepScope& scope) {
  const playbook::PlanPtr plan = world_.plan(scope.plan);
  const playbook::Step& step = plan->step(*plan->find_step(scope.step));
  const auto names = routing_scope(scope, running_);
  playbook::Fuel fuel{playbook::kWorkerFuel};
  Report report;
  playbook::Expansion expansion;
  const auto admitted = playbook::admitted(*plan, step, names, fuel);
  report.kind = Report::Kind::failed;
  if (!admitted.ok()) return report.error = from(admitted.error()), report;
  expansion.admitted = admitted.value();
  if (expansion.admitted && step.loop) {
    const auto range = playbook::loop_range(*plan, step, names, fuel);
    if (!range.ok()) return report.error = from(range.error()), report;
    expansion.max_in_flight = range.value().max_in_flight;
    for (const Value& item : range.value().items.as_list()) {
      report.loop_items.push_back(text_of(item));
    }
  }
  report.kind = Report::Kind::done;
  report.routing = shared(playbook::encode_expansion(expansion));
  return report;
}

Report FakeWorker::run_routing(const StepScope& scope) {
  const playbook::PlanPtr plan = world_.plan(scope.plan);
  const playbook::Step& step = plan->step(*plan->find_step(scope.step));
  auto names = routing_scope(scope, running_);
  playbook::StepOutput own;
  std::erase_if(names.steps, [&](const auto& entry) { return entry.first == scope.step; });
  for (const StepScope::Result& result : scope.results) {
    if (result.step != scope.step) continue;
    own = result.output;
    if (result.ref.place == ResultRef::Place::none) continue;
    Value data = fetch(result.ref);
    if (own.loop) {
      const auto n = [&](const char* name) {
        return static_cast<uint64_t>(own.data.get(name).as_integer());
      };
      data = playbook::loop_data(std::move(data), n("total"), n("done"), n("failed"));
    }
    own.data = std::move(data);
  }
  playbook::Fuel fuel{playbook::kWorkerFuel};
  Report report;
  const auto chosen = playbook::transition(*plan, step, *scope.ending, own, names, fuel);
  report.kind = chosen.ok() ? Report::Kind::done : Report::Kind::failed;
  if (!chosen.ok()) return report.error = from(chosen.error()), report;
  report.routing = shared(playbook::encode_arcs(chosen.value().arcs));
  if (!chosen.value().writes.empty()) {
    report.ctx_writes = shared(playbook::encode_ctx_writes(chosen.value().writes));
  }
  return report;
}

Report FakeWorker::run(const Assignment& work, uint64_t index) {
  const auto scope = playbook::decode_scope(*work.input);
  EXPECT_TRUE(scope.ok()) << *work.input;
  running_ = work.step.execution;
  Report report;
  if (work.kind == playbook::kExpandKind) {
    world_.calls.push_back("expand:" + scope->step);
    report = run_expansion(*scope);
  } else if (work.kind == playbook::kRouteKind) {
    world_.calls.push_back("route:" + scope->step);
    report = run_routing(*scope);
  } else {
    report = run_tool(work, index, *scope);
  }
  report.work = work.work;
  if (work.work.array) report.work = WorkRef::of(work.work.array, index);
  report.epoch = work.epoch;
  return report;
}

std::vector<Report> FakeWorker::take_reports() {
  std::vector<Report> out = std::move(again_);
  again_.clear();
  if (world_.faults.shuffle) std::shuffle(held_.begin(), held_.end(), world_.random);
  const size_t most = world_.faults.one_by_one ? 1 : 1 + world_.random() % 8;
  std::vector<Held> kept;
  for (Held& held : held_) {
    const bool cancelled =
        std::any_of(to_cancel_.begin(), to_cancel_.end(),
                    [&](const LeasedWork& cancel) { return cancel.epoch == held.work.epoch; });
    const auto scope = playbook::decode_scope(*held.work.input);
    const bool stuck = world_.never_end.contains(scope->step);
    if (out.size() >= most || (stuck && !cancelled)) {
      kept.push_back(std::move(held));
      continue;
    }
    if (cancelled && stuck) {
      Report report{.kind = Report::Kind::failed, .work = held.work.work, .epoch = held.work.epoch};
      if (held.work.work.array) report.work = WorkRef::of(held.work.work.array, held.index);
      report.error = {.kind = "cancelled", .message = "stopped", .retryable = false};
      out.push_back(std::move(report));
      continue;
    }
    out.push_back(run(held.work, held.index));
    if (world_.faults.duplicate && world_.chance(30)) again_.push_back(out.back());
  }
  held_ = std::move(kept);
  return out;
}

void FakeWorker::take_answers(const std::vector<Report>& sent, const ExchangeReply& reply) {
  EXPECT_EQ(reply.answers.size(), sent.size());
  for (const Assignment& work : reply.assignments) {
    for (uint64_t i = 0; i < work.work.count; ++i) {
      held_.push_back({work, work.work.array ? work.work.first + i : 0});
    }
  }
  for (const LeasedWork& cancel : reply.cancels) to_cancel_.push_back(cancel);
}

bool FakeWorker::turn() {
  std::vector<Report> reports = take_reports();
  ExchangeRequest request{.session = session_, .number = ++number_, .last_reply = last_reply_};
  request.reports = reports;
  const auto used = static_cast<uint32_t>(held_.size());
  request.free_places = world_.faults.places > used ? world_.faults.places - used : 0;
  request.free_slots = request.free_places;
  request.wait = false;
  if (number_ == 1) {
    request.kinds = {std::string(playbook::kStepKind), std::string(playbook::kCursorKind),
                     std::string(playbook::kExpandKind), std::string(playbook::kRouteKind)};
    for (const Held& held : held_) {
      LeasedWork work{held.work.work, held.work.epoch};
      if (work.work.array) work.work = WorkRef::of(work.work.array, held.index);
      request.held.push_back(work);
    }
  }
  const uint32_t life = world_.incarnation;
  const auto body = world_.apply(machine::Exchange{std::move(request), in_process_});
  const bool restarted = world_.incarnation != life;
  if (!body || (restarted && in_process_)) return restarted || !reports.empty();
  const auto* reply = std::get_if<ExchangeReply>(&*body);
  if (!reply) {
    ADD_FAILURE() << "no exchange reply";
    return false;
  }
  take_answers(reports, *reply);
  if (restarted) return true;  // it comes back with what it holds
  if (reply->session_unknown) {
    server_restarted();
    return true;
  }
  session_ = reply->session;
  last_reply_ = reply->number;
  // Fewer than max_crashes, or the machine rightly buries what kills its workers.
  if (world_.faults.lose_attempts && !held_.empty() && losses_ < 2 && world_.chance(10)) {
    ++losses_;
    world_.apply(machine::CloseSession{session_});
    world_.advance(seconds(60));
    held_.clear();
    server_restarted();
  }
  return number_ <= 1 || !reports.empty() || !reply->assignments.empty();
}

void FakeWorker::server_restarted() {
  session_ = {};
  number_ = last_reply_ = 0;
  to_cancel_.clear();
  again_.clear();
  if (in_process_) held_.clear();
}

}  // namespace tidemill::playbook_test
