#include "machine/execution/flow.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "playbook/json.h"

namespace tidemill::machine {

namespace execution {

namespace {

using playbook::Value;

// Maps merge key by key, everything else is replaced.
void merge_over(Value& into, const Value& given) {
  if (!into.is_map() || !given.is_map()) {
    into = given;
    return;
  }
  playbook::Map& map = into.mutable_map();
  for (const auto& [key, value] : given.as_map()) {
    if (Value* inner = map.find(key)) {
      merge_over(*inner, value);
    } else {
      map.set(key, value);
    }
  }
}

Refused invalid(std::string text) { return {Refused::Why::invalid, std::move(text)}; }

}  // namespace

std::optional<Refused> merge_workload(NewExecution& wanted) {
  Value merged = wanted.plan->workload.is_map() ? wanted.plan->workload : Value(playbook::Map());
  if (wanted.workload && !wanted.workload->empty()) {
    if (wanted.workload->size() > limits::kInputMax) {
      return Refused{Refused::Why::too_large,
                     "the workload has " + std::to_string(wanted.workload->size()) +
                         " bytes, the limit is " + std::to_string(limits::kInputMax) +
                         "; pass the path of a file and read it in a step"};
    }
    const auto given = playbook::parse_json(*wanted.workload);
    if (!given.ok()) return invalid("the workload is no JSON: " + given.error().what);
    if (!given->is_map() && !given->is_null()) {
      return invalid("the workload must be a map of names to values, not a " +
                     std::string(playbook::kind_name(given->kind())));
    }
    if (given->is_map()) merge_over(merged, *given);
  }
  wanted.workload = std::make_shared<const std::string>(playbook::to_json(merged));
  return std::nullopt;
}

LiveExecution& begin(State& s, const NewExecution& wanted) {
  TIDEMILL_ASSERT(wanted.plan != nullptr);
  ExecutionRecord record;
  record.id = ExecutionId{take_id(s)};
  record.name = wanted.name.empty() ? wanted.plan->metadata.name : wanted.name;
  record.file = wanted.file;
  record.plan = wanted.plan->hash;
  record.compiler_version = wanted.plan->compiler_version;
  record.workload = wanted.workload;
  record.ctx = std::make_shared<const std::string>("{}");
  record.started_at = s.turn.now.wall;
  LiveExecution& e = adopt(s, std::move(record), index_of(s, wanted.plan));
  e.ctx = Value(playbook::Map());
  touch(s, e);
  enter(s, e, wanted.plan->start.raw, Entry::forward);
  unsettle(s, e);
  return e;
}

}  // namespace execution

void decide(State& s, Tag tag, const StartExecution& command) {
  const playbook::PlanPtr plan = s.turn.rows->plan(command.plan);
  if (!plan) {
    return refuse(s, tag, Refused::Why::not_found,
                  "the playbook " + (command.file.empty() ? hex(command.plan) : command.file) +
                      " is not in the store; put its text there before starting it");
  }
  execution::NewExecution wanted{
      .name = command.name, .file = command.file, .plan = plan, .workload = command.workload};
  if (auto refused = execution::merge_workload(wanted)) {
    return refuse(s, tag, refused->why, std::move(refused->text));
  }
  answer(s, tag, ExecutionStarted{execution::begin(s, wanted).record.id});
}

}  // namespace tidemill::machine
