// `tidemill show ID`: an execution's steps, counts, timings, errors and outputs.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/results.h"
#include "cli/internal/stores.h"
#include "cli/internal/text.h"
#include "cli/internal/timings.h"
#include "os/clock.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string store, id;
  bool timing = false;
  std::string output;  // a step whose result is printed
};

struct Shown {
  Found found;
  playbook::PlanPtr plan;
  std::vector<StepRecord> steps;
};

std::string step_name(const Shown& s, const StepRecord& step) {
  return step.ref.step < s.plan->steps.size() ? s.plan->steps[step.ref.step].name
                                              : std::to_string(step.ref.step);
}

Duration time_of(const StepRecord& step) {
  const WallTime end = step.finished_at.ns != 0 ? step.finished_at : os::wall_now();
  return step.entered_at.ns == 0 ? Duration{} : end - step.entered_at;
}

// A loop's counts while it runs are in its array.
StepRecord counted(client::Records& records, StepRecord step) {
  if (!step.array || step.state != StepRecord::State::running) return step;
  const auto row = records.array(step.array);
  if (row.ok() && row.value()) {
    step.total = (*row)->array.count;
    step.done = (*row)->done;
    step.failed = (*row)->failed;
  }
  return step;
}

std::string state_text(const Shown& s) {
  return state_for_people(s.found.execution,
                          is_owned(s.found.store) ? Ownership::owned : Ownership::idle);
}

Json step_json(const Shown& s, const StepRecord& step) {
  Json j{{"step", step_name(s, step)},
         {"epoch", step.ref.epoch},
         {"state", state_name(step.state)},
         {"entered_at", iso_time(step.entered_at)},
         {"finished_at", iso_time(step.finished_at)}};
  if (step.array) {
    j["array"] = std::to_string(step.array.raw);
    j["total"] = step.total;
    j["done"] = step.done;
    j["failed"] = step.failed;
  }
  if (step.task) j["task"] = std::to_string(step.task.raw);
  if (!step.error.message.empty()) {
    j["error"] = Json{{"kind", step.error.kind}, {"message", step.error.message}};
    j["caught"] = step.caught;
  }
  return j;
}

int print_json(Shown& s, const Options& o) {
  const ExecutionRecord& e = s.found.execution;
  Json j{{"id", std::to_string(e.id.raw)},
         {"playbook", e.name},
         {"file", e.file},
         {"state", state_text(s)},
         {"store", s.found.store},
         {"plan", hex(e.plan)},
         {"started_at", iso_time(e.started_at)},
         {"finished_at", iso_time(e.finished_at)},
         {"workload", e.workload ? Json::parse(*e.workload, nullptr, false) : Json()},
         {"ctx", e.ctx ? Json::parse(*e.ctx, nullptr, false) : Json()},
         {"steps", Json::array()}};
  if (!e.error.message.empty()) {
    j["error"] = Json{{"kind", e.error.kind}, {"message", e.error.message}};
  }
  for (const StepRecord& step : s.steps) {
    j["steps"].push_back(step_json(s, counted(*s.found.records, step)));
  }
  const auto result = final_result(*s.found.records, e, *s.plan);
  if (result.ok()) j["result"] = Json::parse(*result, nullptr, false);
  if (o.timing) {
    auto timings = step_timings(*s.found.records, s.steps);
    if (!timings.ok()) return report(timings.error());
    j["timing"] = timings_json(*timings, *s.plan);
  }
  fmt::print("{}\n", j.dump(2));
  return kExitOk;
}

void print_head(const Shown& s) {
  const ExecutionRecord& e = s.found.execution;
  const WallTime end = e.finished_at.ns != 0 ? e.finished_at : os::wall_now();
  fmt::print("execution  {}  {}\n", e.id.raw, state_text(s));
  fmt::print("playbook   {}{}\n", e.name, e.file.empty() ? "" : "  (" + e.file + ")");
  fmt::print("store      {}\n", s.found.store);
  fmt::print("started    {}{}\n", time_text(e.started_at),
             e.finished_at.ns != 0 ? "  took " + duration_text(end - e.started_at) : "");
  if (e.workload && e.workload->size() > 2) fmt::print("workload   {}\n", one_line(*e.workload, 100));
  if (e.ctx && e.ctx->size() > 2) fmt::print("ctx        {}\n", one_line(*e.ctx, 100));
  if (!e.error.message.empty()) fmt::print("error      {}\n", e.error.message);
}

int print_people(Shown& s, const Options& o) {
  print_head(s);
  std::vector<std::vector<std::string>> rows{
      {"STEP", "ENTRY", "STATE", "TOTAL", "DONE", "FAILED", "TIME", "ERROR"}};
  for (const StepRecord& raw : s.steps) {
    const StepRecord step = counted(*s.found.records, raw);
    const bool loop = static_cast<bool>(step.array);
    rows.push_back({step_name(s, step), std::to_string(step.ref.epoch),
                    std::string(state_name(step.state)) + (step.caught ? " (caught)" : ""),
                    loop ? count_text(step.total) : "", loop ? count_text(step.done) : "",
                    loop && step.failed > 0 ? count_text(step.failed) : "",
                    duration_text(time_of(step)), one_line(step.error.message, 70)});
  }
  fmt::print("\n{}", table(rows));
  if (o.timing) {
    auto timings = step_timings(*s.found.records, s.steps);
    if (!timings.ok()) return report(timings.error());
    fmt::print("\n{}", timings_table(*timings, *s.plan));
  }
  const auto result = final_result(*s.found.records, s.found.execution, *s.plan);
  if (result.ok() && *result != "null") fmt::print("\nresult     {}\n", one_line(*result, 400));
  return kExitOk;
}

int print_output(Shown& s, const std::string& name) {
  const StepRecord* last = nullptr;
  for (const StepRecord& step : s.steps) {
    if (step_name(s, step) == name) last = &step;
  }
  if (last == nullptr) {
    return report(Error{ErrorCode::not_found, "step " + name + " was not entered, or there is none"});
  }
  auto text = s.found.records->result_text(last->result);
  if (!text.ok()) return report(text.error());
  fmt::print("{}\n", *text);
  return kExitOk;
}

int show(const Context& context, const Options& o) {
  auto found = find_execution(context, o.store, o.id);
  if (!found.ok()) return report(found.error());
  Shown s{.found = std::move(*found), .plan = nullptr, .steps = {}};
  auto plan = plan_of(*s.found.records, s.found.execution);
  if (!plan.ok()) return report(plan.error());
  s.plan = std::move(*plan);
  auto steps = s.found.records->steps(s.found.execution.id);
  if (!steps.ok()) return report(steps.error());
  s.steps = std::move(*steps);
  if (!o.output.empty()) return print_output(s, o.output);
  return context.json ? print_json(s, o) : print_people(s, o);
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Show an execution: steps, counts, errors, results");
  command->add_option("id", o->id, "Execution: its id, its last digits, or latest")->required();
  command->add_option("--store", o->store, "Store file; default: the run's own in .tidemill");
  command->add_flag("--timing", o->timing, "Where each step's time went (median, p95)");
  command->add_option("--output", o->output, "Print the whole result of this step as JSON");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, o] { context.exit_code = show(context, *o); });
}

}  // namespace tidemill::cli
