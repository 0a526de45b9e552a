// `tidemill logs ID [STEP]`: what the code of an execution wrote to stdout and stderr, attempt by
// attempt.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/results.h"
#include "cli/internal/stores.h"
#include "cli/internal/text.h"

namespace tidemill::cli {

namespace {

struct Options {
  std::string store, id, step;
};

// One attempt's log, as text or as a line of JSON.
struct Printer {
  bool json = false;
  uint64_t printed = 0;

  void print(const std::string& step, uint32_t epoch, const WorkRef& work, uint32_t attempt,
             const std::string& log) {
    if (log.empty()) return;
    ++printed;
    const std::string item = work.array ? fmt::format("[{}]", work.first) : "";
    if (json) {
      nlohmann::ordered_json j{{"step", step}, {"epoch", epoch}, {"attempt", attempt}, {"log", log}};
      if (work.array) j["index"] = work.first;
      fmt::print("{}\n", j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
      return;
    }
    fmt::print("── {}{}{} attempt {}\n{}{}", step, item,
               epoch > 1 ? fmt::format(" (entry {})", epoch) : "", attempt, log,
               log.ends_with('\n') ? "" : "\n");
  }
};

Status print_ended_attempts(client::Records& records, const std::string& step, uint32_t epoch,
                            const WorkRef& work, Printer& printer) {
  TIDEMILL_TRY(const std::vector<AttemptRecord> attempts, records.attempts(work));
  for (const AttemptRecord& a : attempts) printer.print(step, epoch, a.work, a.number, a.log);
  return Ok{};
}

Status print_array(client::Records& records, const std::string& name, const StepRecord& step,
                   Printer& printer) {
  constexpr uint32_t kPage = 1'000;
  TIDEMILL_CHECK(print_ended_attempts(records, name, step.ref.epoch,
                                      WorkRef::of(step.array, 0, UINT64_MAX), printer));
  uint64_t first = 0;
  for (;;) {
    TIDEMILL_TRY(const std::vector<IndexRow> page, records.outcomes(step.array, first, kPage));
    for (const IndexRow& row : page) {
      printer.print(name, step.ref.epoch, WorkRef::of(step.array, row.outcome.index),
                    row.outcome.attempt, row.outcome.log);
    }
    if (page.size() < kPage) return Ok{};
    first = page.back().outcome.index + 1;
  }
}

Status print_step(client::Records& records, const std::string& name, const StepRecord& step,
                  Printer& printer) {
  if (step.array) TIDEMILL_CHECK(print_array(records, name, step, printer));
  if (!step.task) return Ok{};
  TIDEMILL_CHECK(
      print_ended_attempts(records, name, step.ref.epoch, WorkRef::of(step.task), printer));
  TIDEMILL_TRY(const std::optional<TaskRow> row, records.task(step.task));
  if (row) {
    printer.print(name, step.ref.epoch, WorkRef::of(step.task), row->task.starts + 1, row->log);
  }
  return Ok{};
}

int logs(const Context& context, const Options& o) {
  auto found = find_execution(context, o.store, o.id);
  if (!found.ok()) return report(found.error());
  auto plan = plan_of(*found->records, found->execution);
  if (!plan.ok()) return report(plan.error());
  if (!o.step.empty() && !(*plan)->find_step(o.step)) {
    return report(Error{ErrorCode::not_found, "the playbook has no step " + o.step});
  }
  auto steps = found->records->steps(found->execution.id);
  if (!steps.ok()) return report(steps.error());
  Printer printer{.json = context.json};
  for (const StepRecord& step : *steps) {
    const std::string name =
        step.ref.step < (*plan)->steps.size() ? (*plan)->steps[step.ref.step].name : "?";
    if (!o.step.empty() && name != o.step) continue;
    if (Status s = print_step(*found->records, name, step, printer); !s.ok()) {
      return report(s.error());
    }
  }
  if (printer.printed == 0) fmt::print(stderr, "nothing was written\n");
  return kExitOk;
}

}  // namespace

void add_logs(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("logs", "Print what an execution's code wrote");
  command->add_option("id", o->id, "Execution: its id, its last digits, or latest")->required();
  command->add_option("step", o->step, "Only this step");
  command->add_option("--store", o->store, "Store file; default: the run's own in .tidemill");
  command->add_flag("--json", context.json, "Print a line of JSON per attempt");
  command->callback([&context, o] { context.exit_code = logs(context, *o); });
}

}  // namespace tidemill::cli
