// `tidemill task list|show|retry|cancel`: single tasks and single indexes of arrays.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/results.h"
#include "cli/internal/stores.h"
#include "cli/internal/text.h"

namespace tidemill::cli {

namespace {

// The try that ended the round is told by the outcome; the record counts those before it.
uint32_t attempts_of(const TaskRow& row) {
  const bool by_itself = row.outcome == Outcome::done || row.outcome == Outcome::failed;
  return row.task.starts + (by_itself ? 1 : 0);
}

using Json = nlohmann::ordered_json;

struct Options {
  std::string store, execution = "latest", step, outcome;
  uint64_t id = 0;
  std::optional<uint64_t> index;
  uint32_t limit = 100;
  bool now = false;
};

// A task or an index of an array, as `task list` shows both.
struct Listed {
  WorkRef work;
  std::string step;
  Outcome outcome = Outcome::open;
  uint32_t attempts = 0;
  TaskError error;
  Duration run;
};

Json as_json(const Listed& l) {
  Json j{{"id", std::to_string(l.work.array ? l.work.array.raw : l.work.task.raw)}};
  if (l.work.array) j["index"] = l.work.first;
  j["step"] = l.step;
  j["outcome"] = outcome_name(l.outcome);
  j["attempts"] = l.attempts;
  j["run_ms"] = l.run.milliseconds();
  if (!l.error.message.empty()) j["error"] = {{"kind", l.error.kind}, {"message", l.error.message}};
  return j;
}

Status list_array(client::Records& records, const std::string& step, ArrayId id,
                  std::optional<Outcome> wanted, uint32_t limit, std::vector<Listed>& out) {
  uint64_t first = 0;
  while (out.size() < limit) {
    TIDEMILL_TRY(const std::vector<IndexRow> page, records.outcomes(id, first, 1'000));
    for (const IndexRow& row : page) {
      const IndexOutcome& o = row.outcome;
      if (wanted && o.outcome != *wanted) continue;
      out.push_back({WorkRef::of(id, o.index), step, o.outcome, o.attempt, o.error,
                     o.trace.finished - o.trace.started});
    }
    if (page.size() < 1'000) return Ok{};
    first = page.back().outcome.index + 1;
  }
  return Ok{};
}

Result<std::optional<Outcome>> wanted_outcome(const std::string& name) {
  if (name.empty()) return std::optional<Outcome>{};
  for (const Outcome o : {Outcome::open, Outcome::done, Outcome::failed, Outcome::cancelled}) {
    if (name == outcome_name(o)) return std::optional<Outcome>{o};
  }
  if (name == "failed") return std::optional<Outcome>{Outcome::failed};
  return Error{ErrorCode::invalid, "--outcome " + name + ": expected open, done, buried or cancelled"};
}

Result<std::vector<Listed>> collect(Found& found, const playbook::Plan& plan, const Options& o) {
  TIDEMILL_TRY(const std::optional<Outcome> wanted, wanted_outcome(o.outcome));
  TIDEMILL_TRY(const std::vector<StepRecord> steps, found.records->steps(found.execution.id));
  std::vector<Listed> rows;
  for (const StepRecord& step : steps) {
    if (rows.size() >= o.limit) break;
    const std::string name =
        step.ref.step < plan.steps.size() ? plan.steps[step.ref.step].name : "?";
    if (!o.step.empty() && name != o.step) continue;
    if (step.array) {
      TIDEMILL_CHECK(list_array(*found.records, name, step.array, wanted, o.limit, rows));
    }
    if (!step.task) continue;
    TIDEMILL_TRY(const std::optional<TaskRow> row, found.records->task(step.task));
    if (!row || (wanted && row->outcome != *wanted)) continue;
    const TaskError& error = row->outcome == Outcome::open ? row->task.last_error : row->error;
    rows.push_back({WorkRef::of(step.task), name, row->outcome, attempts_of(*row), error,
                    row->trace.finished - row->trace.started});
  }
  if (rows.size() > o.limit) rows.resize(o.limit);
  return rows;
}

int list(const Context& context, const Options& o) {
  auto found = find_execution(context, o.store, o.execution);
  if (!found.ok()) return report(found.error());
  auto plan = plan_of(*found->records, found->execution);
  if (!plan.ok()) return report(plan.error());
  auto rows = collect(*found, **plan, o);
  if (!rows.ok()) return report(rows.error());
  if (context.json) {
    Json all = Json::array();
    for (const Listed& l : *rows) all.push_back(as_json(l));
    fmt::print("{}\n", all.dump(2));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> cells{
      {"TASK", "INDEX", "STEP", "OUTCOME", "ATTEMPTS", "RUN", "ERROR"}};
  for (const Listed& l : *rows) {
    cells.push_back({std::to_string(l.work.array ? l.work.array.raw : l.work.task.raw),
                     l.work.array ? std::to_string(l.work.first) : "", l.step,
                     std::string(outcome_name(l.outcome)), std::to_string(l.attempts),
                     duration_text(l.run), one_line(l.error.message, 70)});
  }
  fmt::print("{}", table(cells));
  return kExitOk;
}

Json detail(const Listed& l, const std::string& result, const std::string& log,
            const std::vector<AttemptRecord>& attempts) {
  Json j = as_json(l);
  j["result"] = Json::parse(result, nullptr, false);
  if (!log.empty()) j["log"] = log;
  j["ended_attempts"] = Json::array();
  for (const AttemptRecord& a : attempts) {
    j["ended_attempts"].push_back(
        {{"number", a.number}, {"kind", a.error.kind}, {"message", a.error.message}});
  }
  return j;
}

// The step's name as the playbook has it; of work that belongs to no execution the kind.
std::string step_of(client::Records& records, const WorkSpec& work) {
  if (!work.step) return work.kind;
  const auto execution = records.execution(work.step.execution);
  if (!execution.ok() || !*execution) return work.kind;
  const auto plan = plan_of(records, **execution);
  const bool known = plan.ok() && work.step.step < (*plan)->steps.size();
  return known ? (*plan)->steps[work.step.step].name : work.kind;
}

Result<Json> describe_index(FoundWork& found, const std::vector<AttemptRecord>& attempts) {
  TIDEMILL_TRY(const std::optional<ArrayRow> array, found.records->array(found.work.array));
  if (!array) return Error{ErrorCode::not_found, "the array is gone"};
  const std::string step = step_of(*found.records, array->array.work);
  TIDEMILL_TRY(const std::vector<IndexRow> rows,
               found.records->outcomes(found.work.array, found.work.first, 1));
  if (rows.empty() || rows[0].outcome.index != found.work.first) {
    return detail({.work = found.work, .step = step, .error = {}, .run = {}}, "null", "", attempts);
  }
  const IndexOutcome& o = rows[0].outcome;
  TIDEMILL_TRY(const std::string result, found.records->result_text(o.result));
  return detail({found.work, step, o.outcome, o.attempt, o.error,
                 o.trace.finished - o.trace.started},
                result, o.log, attempts);
}

// Works for both: a task's row, or the one index of an array.
Result<Json> describe(FoundWork& found) {
  TIDEMILL_TRY(const auto attempts, found.records->attempts(found.work));
  if (!found.work.task) return describe_index(found, attempts);
  TIDEMILL_TRY(const std::optional<TaskRow> row, found.records->task(found.work.task));
  if (!row) return Error{ErrorCode::not_found, "the task is gone"};
  TIDEMILL_TRY(const std::string result, found.records->result_text(row->result));
  const TaskError& error = row->outcome == Outcome::open ? row->task.last_error : row->error;
  return detail({found.work, step_of(*found.records, row->task.work), row->outcome,
                 attempts_of(*row), error, row->trace.finished - row->trace.started},
                result, row->log, attempts);
}

int show(const Context& context, const Options& o) {
  auto found = find_work(context, o.store, o.id, o.index);
  if (!found.ok()) return report(found.error());
  auto described = describe(*found);
  if (!described.ok()) return report(described.error());
  if (context.json) {
    fmt::print("{}\n", described->dump(2));
    return kExitOk;
  }
  for (const auto& [key, value] : described->items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    fmt::print("{:<15}{}\n", key, text);
  }
  return kExitOk;
}

int retry(const Context& context, const Options& o) {
  auto found = find_work(context, o.store, o.id, o.index);
  if (!found.ok()) return report(found.error());
  found->records.reset();
  auto control = control_of(context, found->store);
  if (!control.ok()) return report(control.error());
  auto answer = (*control)->retry_work(found->work);
  if (!answer.ok()) return report(answer.error());
  if (context.json) {
    fmt::print("{}\n", Json{{"round", answer->round},
                            {"barrier_had_fired", answer->barrier_had_fired}}.dump());
    return kExitOk;
  }
  fmt::print("round {} is open{}\n", answer->round,
             answer->barrier_had_fired
                 ? "; what waited for it has run already and does not run again"
                 : "");
  return kExitOk;
}

int cancel(const Context& context, const Options& o) {
  auto found = find_work(context, o.store, o.id, o.index);
  if (!found.ok()) return report(found.error());
  found->records.reset();
  auto control = control_of(context, found->store);
  if (!control.ok()) return report(control.error());
  auto answer = (*control)->cancel_work(
      found->work, o.now ? client::CancelUrgency::now : client::CancelUrgency::ask);
  if (!answer.ok()) return report(answer.error());
  fmt::print("{}\n", answer->at_once ? "cancelled" : "its worker was asked to stop it");
  return kExitOk;
}

CLI::App* add_one(CLI::App& task, Context& context, const std::shared_ptr<Options>& o,
                  const std::string& name, const std::string& help,
                  int (*body)(const Context&, const Options&)) {
  CLI::App* command = task.add_subcommand(name, help);
  command->add_option("id", o->id, "Task, or array")->required();
  command->add_option("index", o->index, "Index of the array");
  command->add_option("--store", o->store, "Store file; default: searched in .tidemill");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, o, body] { context.exit_code = body(context, *o); });
  return command;
}

}  // namespace

void add_task(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* task = app.add_subcommand("task", "List, show, retry or cancel single tasks");
  task->require_subcommand(1);
  CLI::App* listing = task->add_subcommand("list", "The tasks of an execution");
  listing->add_option("execution", o->execution, "Execution: its id, its last digits, or latest")
      ->capture_default_str();
  listing->add_option("--step", o->step, "Only this step");
  listing->add_option("--outcome", o->outcome, "Only open, done, buried or cancelled ones");
  listing->add_option("-n,--limit", o->limit, "How many at most")->capture_default_str();
  listing->add_option("--store", o->store, "Store file; default: the run's own in .tidemill");
  listing->add_flag("--json", context.json, "Print JSON");
  listing->callback([&context, o] { context.exit_code = list(context, *o); });
  add_one(*task, context, o, "show", "One task: attempts, error, log, result", show);
  add_one(*task, context, o, "retry", "Open the next round of a finished task", retry);
  CLI::App* stop = add_one(*task, context, o, "cancel", "Cancel a task", cancel);
  stop->add_flag("--now", o->now, "End its lease at once instead of asking its worker");
}

}  // namespace tidemill::cli
