// What a step reads: values the machine holds go inline, everything else by reference. Fixed when
// the step is entered, and never computed again for another attempt.
#include <algorithm>

#include "machine/execution/flow.h"
#include "playbook/json.h"

namespace tidemill::machine::execution {

namespace {

using playbook::Path;
using playbook::StepOutput;
using playbook::StepScope;
using playbook::Value;

// The step's newest record when templates may read it: it has ended, in the epoch that counts.
const LiveStep* readable(const LiveExecution& e, uint32_t at) {
  const LiveStep* step = e.steps[at].get();
  if (!step || step->record.superseded || is_live(step->record.state)) return nullptr;
  return step->record.state == StepRecord::State::cancelled ? nullptr : step;
}

bool holds(const LiveExecution& e, const LiveStep& step, const Path& path) {
  const StepRecord& record = step.record;
  const playbook::Step& plan_step = e.plan().steps[record.ref.step];
  if (plan_step.loop) {
    if (record.total == 0) return true;
    return !path.empty() && (path[0] == "total" || path[0] == "done" || path[0] == "failed");
  }
  if (record.result.place == ResultRef::Place::none) return true;
  return record.routing && playbook::covers(plan_step.routing_reads, path);
}

bool holds(const LiveExecution& e, const LiveStep& step, const std::vector<Path>& paths) {
  return std::all_of(paths.begin(), paths.end(),
                     [&](const Path& path) { return holds(e, step, path); });
}

StepScope::Result result_for(const LiveExecution& e, const LiveStep& step,
                             const std::vector<Path>& paths) {
  StepScope::Result result{
      .step = e.plan().steps[step.record.ref.step].name, .output = output_of(e, step), .ref = {}};
  if (holds(e, step, paths)) return result;
  result.ref = step.record.result;
  if (!result.output.loop) result.output.data = Value();  // a part is not the whole
  return result;
}

StepScope scope_of(const LiveExecution& e, const LiveStep& step, const StepReads& reads) {
  StepScope scope;
  scope.plan = e.record.plan;
  scope.step = e.plan().steps[step.record.ref.step].name;
  scope.epoch = step.record.ref.epoch;
  for (const StepReads::OfStep& of : reads.steps) {
    if (of.step == step.record.ref.step) continue;
    if (const LiveStep* other = readable(e, of.step)) {
      scope.results.push_back(result_for(e, *other, of.data));
    }
  }
  return scope;
}

const Value& workload_of(LiveExecution& e) {
  if (!e.workload) {
    auto parsed = playbook::parse_json(*e.record.workload);
    TIDEMILL_ASSERT(parsed.ok());  // it was written by begin()
    e.workload = std::move(*parsed);
  }
  return *e.workload;
}

}  // namespace

StepOutput output_of(const LiveExecution& e, const LiveStep& step) {
  const StepRecord& record = step.record;
  StepOutput out;
  if (!(record.error == TaskError{})) {
    out.status = StepOutput::Status::error;
    out.error = playbook::error_value(record.error);
  }
  if (e.plan().steps[record.ref.step].loop) {
    out.loop = true;
    const Value results = record.total == 0 ? Value(playbook::List()) : Value();
    out.data = playbook::loop_data(results, record.total, record.done, record.failed);
    return out;
  }
  if (record.routing) {
    const auto values = playbook::decode_routing(*record.routing);
    TIDEMILL_ASSERT(values.ok());  // work_ended() has looked
    out.data = values->data;
    out.http_status = values->http_status;
  } else {
    out.data = Value();
  }
  if (record.result.place == ResultRef::Place::none && out.data.is_undefined()) {
    out.data = Value::null();
  }
  return out;
}

std::optional<StepOutput> own_output(const LiveExecution& e, const LiveStep& step,
                                     const StepReads& reads) {
  for (const StepReads::OfStep& of : reads.steps) {
    if (of.step == step.record.ref.step && !holds(e, step, of.data)) return std::nullopt;
  }
  return output_of(e, step);
}

std::optional<playbook::RoutingScope> routing_scope(LiveExecution& e, const StepReads& reads,
                                                    uint32_t own_step) {
  playbook::RoutingScope scope;
  scope.ctx = e.ctx;
  scope.execution = e.record.id;
  if (reads.workload) scope.workload = workload_of(e);
  for (const StepReads::OfStep& of : reads.steps) {
    if (of.step == own_step) continue;
    const LiveStep* step = readable(e, of.step);
    if (!step) continue;
    if (!holds(e, *step, of.data)) return std::nullopt;
    scope.steps.emplace_back(e.plan().steps[of.step].name, step_view(output_of(e, *step)));
  }
  return scope;
}

std::string tool_scope(const LiveExecution& e, const LiveStep& step) {
  const PlanIndex::Step& index = e.index->steps[step.record.ref.step];
  StepScope scope = scope_of(e, step, index.tools);
  scope.ctx = Value(playbook::Map());
  for (const Path& path : index.tool_ctx) {
    Value value = playbook::value_at(e.ctx, path);
    if (!value.is_undefined()) playbook::put_at(scope.ctx, path, std::move(value));
  }
  return playbook::encode_scope(scope);
}

std::string decision_scope(const LiveExecution& e, const LiveStep& step, const StepReads& reads,
                           std::optional<playbook::Ending> ending) {
  StepScope scope = scope_of(e, step, reads);
  scope.ctx = e.ctx;
  scope.ending = ending;
  if (ending) {
    const uint32_t own = step.record.ref.step;
    std::vector<Path> read;
    for (const StepReads::OfStep& of : reads.steps) {
      if (of.step == own) read = of.data;
    }
    scope.results.push_back(result_for(e, step, read));
  }
  return playbook::encode_scope(scope);
}

}  // namespace tidemill::machine::execution
