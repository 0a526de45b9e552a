// Recovery, and what a later life needs to go on: the sets and tables that are derived from
// records.
#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"
#include "playbook/json.h"

namespace tidemill::machine::execution {

namespace {

void put_step(State& s, LiveExecution& e, StepRecord record) {
  const uint32_t at = record.ref.step;
  if (e.steps.size() <= at) e.steps.resize(at + 1);
  TIDEMILL_ASSERT(!e.steps[at]);  // of each step the newest epoch only
  e.steps[at] = std::make_unique<LiveStep>();
  e.steps[at]->record = std::move(record);
  rehash(s, e.steps[at]->share, e.steps[at]->record);
}

void complete(State& s, LiveExecution& e, const playbook::PlanPtr& plan) {
  e.index = index_of(s, plan);
  TIDEMILL_ASSERT(e.steps.size() <= e.index->steps.size());
  e.steps.resize(e.index->steps.size());
  auto ctx = playbook::parse_json(*e.record.ctx);
  TIDEMILL_ASSERT(ctx.ok() && ctx->is_map());
  e.ctx = std::move(*ctx);
  rebuild_sets(e);
}

// Whose work `work` is; none when it is gone.
ExecutionId execution_of(const State& s, const WorkRef& work) {
  if (work.task) {
    const auto found = s.tasks.all.find(work.task);
    return found == s.tasks.all.end() ? ExecutionId{} : found->second.record.work.step.execution;
  }
  const auto found = s.arrays.find(work.array);
  return found == s.arrays.end() ? ExecutionId{} : found->second.record.work.step.execution;
}

}  // namespace

void restore(State& s, ExecutionRecord record) {
  LiveExecution& e = adopt(s, std::move(record), nullptr);
  rehash(s, e.share, e.record);
}

void restore(State& s, StepRecord record) {
  LiveExecution* e = find(s, record.ref.execution);
  TIDEMILL_ASSERT(e != nullptr);  // the store gives steps of unfinished executions only
  put_step(s, *e, std::move(record));
}

void restored(State& s, const Rows& rows) {
  for (auto& [id, e] : s.executions.live) {
    complete(s, e, rows.plan(e.record.plan));
    if (!e.record.parent.task && !e.record.parent.array) continue;
    e.parent = execution_of(s, e.record.parent);
    if (e.record.deadline != WallTime::never()) set_execution_timer(s, id, 0, e.record.deadline);
    if (!e.parent) continue;
    s.executions.children.emplace(std::pair{e.parent, e.record.child_key}, id);
    find(s, e.parent)->children.insert(id);
  }
}

LiveExecution& revive(State& s, const ExecutionRecord& record, const std::vector<StepRecord>& steps,
                      const playbook::PlanPtr& plan) {
  LiveExecution& e = adopt(s, record, nullptr);
  for (const StepRecord& step : steps) put_step(s, e, step);
  complete(s, e, plan);
  return e;
}

void needs(const State& s, const Command& command, Needs& out) {
  if (const auto* start = std::get_if<StartExecution>(&command.body))
    out.plans.push_back(start->plan);
  if (const auto* retry = std::get_if<RetryExecution>(&command.body)) {
    if (!find(s, retry->execution)) out.finished_executions.push_back(retry->execution);
  }
  if (const auto* exchange = std::get_if<Exchange>(&command.body)) {
    for (const Report& report : exchange->request.reports) {
      if (report.kind == Report::Kind::suspended) out.plans.push_back(report.child.plan);
    }
  }
}

uint64_t count(const State& s) { return s.executions.live.size(); }

}  // namespace tidemill::machine::execution
