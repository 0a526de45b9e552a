#include "cli/internal/run_end.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>

#include "cli/internal/hints.h"
#include "cli/internal/results.h"
#include "cli/internal/text.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

// Texts of others may hold bytes that are no UTF-8.
std::string dumped(const Json& j) { return j.dump(2, ' ', false, Json::error_handler_t::replace); }

std::string result_text(client::Records& records, const RunEnd& end) {
  const auto record = records.execution(end.id);
  if (!record.ok() || !record.value()) return "null";
  const auto text = final_result(records, **record, end.plan);
  return text.ok() ? *text : "null";
}

Json as_json(const RunEnd& end) {
  return {{"id", std::to_string(end.id.raw)},
          {"store", end.store},
          {"state", state_name(end.progress.state)},
          {"seconds", end.taken.seconds()},
          {"tasks", end.progress.tasks_finished},
          {"failed", end.progress.tasks_failed},
          {"children", end.progress.children},
          {"error", nullptr},
          {"result", nullptr}};
}

// The step that failed the run, and the first failed index of a loop.
Json where_json(client::Records& records, const RunEnd& end) {
  Json out = Json::object();
  const std::optional<FailedStep> failed = failed_step(records, end.id);
  if (!failed) return out;
  if (failed->step.ref.step < end.plan.steps.size()) {
    out["step"] = end.plan.steps[failed->step.ref.step].name;
  }
  if (failed->index) {
    out["array"] = std::to_string(failed->step.array.raw);
    out["index"] = *failed->index;
  } else if (failed->step.task) {
    out["task"] = std::to_string(failed->step.task.raw);
  }
  return out;
}

void print_json(client::Records& records, const RunEnd& end, bool done) {
  Json j = as_json(end);
  if (done) {
    j["result"] = Json::parse(result_text(records, end), nullptr, false);
  } else {
    j["error"] = {{"kind", end.progress.error.kind}, {"message", end.progress.error.message}};
    j["error"].update(where_json(records, end));
  }
  fmt::print("{}\n", dumped(j));
}

void print_failure(client::Records& records, const RunEnd& end) {
  fmt::print(stderr, "  {}\n", without_newline(end.progress.error.message));
  const std::string id = std::to_string(end.id.raw);
  fmt::print(stderr, "see how it went:    {}\n", command_hint("show " + id, end.store_given));
  if (const auto failed = failed_step(records, end.id); failed && failed->index) {
    fmt::print(stderr, "see what failed:    {}\n",
               command_hint(fmt::format("task show {} {}", failed->step.array.raw, *failed->index),
                            end.store_given));
  }
  if (end.progress.state == ExecutionRecord::State::failed) {
    fmt::print(stderr, "try it once more:   {}\n", end.resume);
  }
}

}  // namespace

void print_end(const Context& context, client::Records& records, const RunEnd& end) {
  const bool done = end.progress.state == ExecutionRecord::State::done;
  if (context.json) {
    print_json(records, end, done);
  } else if (done) {
    if (const std::string result = result_text(records, end); result != "null") {
      fmt::print("{}\n", result);
    }
  }
  std::fflush(stdout);  // before the rest; what went wrong is seen at the end
  const client::Progress& p = end.progress;
  fmt::print(stderr, "execution {} {} in {}: {}{}{}\n", end.id.raw, state_name(p.state),
             duration_text(end.taken), counted(p.tasks_finished, "task"),
             p.children > 0 ? ", " + counted(p.children, "child execution") : "",
             p.tasks_failed > 0 ? fmt::format(", {} failed", count_text(p.tasks_failed)) : "");
  if (!done) print_failure(records, end);
}

void print_unfinished(const Context& context, const RunEnd& end) {
  if (!context.json) return;
  Json j = as_json(end);
  j["state"] = "interrupted";
  fmt::print("{}\n", dumped(j));
}

}  // namespace tidemill::cli
