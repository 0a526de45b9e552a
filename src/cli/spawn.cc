// `tidemill spawn`: tasks into a queue of a server, one or many, and their outcomes when wanted.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/server_option.h"
#include "cli/internal/text.h"
#include "model/limits.h"
#include "os/clock.h"
#include "os/file.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  ServerOption server;
  std::string kind, input = "{}", queue = "default", key, concurrency_key, inputs_file;
  int32_t priority = 0;
  double delay = 0, timeout = 0, wait_seconds = 3600;
  std::vector<uint64_t> after;
  uint32_t max_attempts = limits::kMaxAttempts;
  bool wait = false;
};

Result<SharedBytes> json_input(const std::string& text, const std::string& place) {
  if (Json::parse(text, nullptr, false).is_discarded()) {
    return Error{ErrorCode::invalid,
                 place + ": is no JSON; quote it for the shell: '{\"cmd\": \"date\"}'"};
  }
  return SharedBytes(std::make_shared<const std::string>(text));
}

// One task, or one for each line of --inputs.
Result<std::vector<client::NewTask>> tasks_of(const Options& o) {
  client::NewTask task;
  task.work.kind = o.kind;
  task.work.queue = o.queue;
  task.work.priority = o.priority;
  task.work.retry.max_attempts = o.max_attempts;
  task.work.attempt_timeout = seconds_f(o.timeout);
  task.delay = seconds_f(o.delay);
  task.concurrency_key = o.concurrency_key;
  task.idempotency_key = o.key;
  for (const uint64_t id : o.after) task.after.push_back(TaskId{id});
  std::vector<client::NewTask> all;
  if (o.inputs_file.empty()) {
    TIDEMILL_TRY(task.work.input, json_input(o.input, "INPUT"));
    all.push_back(std::move(task));
    return all;
  }
  TIDEMILL_TRY(const std::string lines, os::read_regular_file(o.inputs_file, 1ULL << 32));
  for (size_t at = 0, number = 1; at < lines.size(); ++number) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    client::NewTask& one = all.emplace_back(task);
    TIDEMILL_TRY(one.work.input, json_input(line, fmt::format("{}:{}", o.inputs_file, number)));
    if (!o.key.empty()) one.idempotency_key = fmt::format("{}/{}", o.key, number);
  }
  return all;
}

Result<std::vector<client::SpawnedTask>> spawn_all(client::ServerApi& api,
                                                   const std::vector<client::NewTask>& tasks) {
  constexpr size_t kBatch = 10'000;
  std::vector<client::SpawnedTask> all;
  for (size_t at = 0; at < tasks.size(); at += kBatch) {
    const size_t end = std::min(tasks.size(), at + kBatch);
    TIDEMILL_TRY(std::vector<client::SpawnedTask> some,
                 api.spawn({tasks.begin() + static_cast<ptrdiff_t>(at),
                            tasks.begin() + static_cast<ptrdiff_t>(end)}));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void print_spawned(const Context& context, const std::vector<client::SpawnedTask>& tasks) {
  for (const client::SpawnedTask& task : tasks) {
    if (context.json) {
      fmt::print("{}\n",
                 Json({{"id", std::to_string(task.id.raw)}, {"existing", task.existing}}).dump());
    } else {
      fmt::print("{}{}\n", task.id.raw, task.existing ? " (was there)" : "");
    }
  }
}

void print_outcome(const Context& context, const client::TaskOutcome& o) {
  const std::string_view outcome = outcome_name(o.outcome);
  if (context.json) {
    Json j{{"id", std::to_string(o.id.raw)}, {"outcome", outcome}};
    if (!o.result.inline_json.empty()) j["result"] = Json::parse(o.result.inline_json);
    if (!o.error.kind.empty()) j["error"] = {{"kind", o.error.kind}, {"message", o.error.message}};
    fmt::print("{}\n", j.dump());
    return;
  }
  const std::string& told = o.outcome == Outcome::done ? o.result.inline_json : o.error.message;
  fmt::print("{} {} {}\n", o.id.raw, outcome, told);
}

// Until all have ended or the time is over; asks anew, as one question waits a few minutes at most.
int wait_for(const Context& context, client::ServerApi& api, const Options& o,
             const std::vector<client::SpawnedTask>& tasks) {
  const SteadyTime until = os::steady_now() + seconds_f(o.wait_seconds);
  client::WaitRequest request;
  for (const client::SpawnedTask& task : tasks) request.ids.push_back(task.id);
  int code = kExitOk;
  while (!request.ids.empty()) {
    request.at_most = std::min(until - os::steady_now(), minutes(1));
    if (request.at_most.ns <= 0) {
      fmt::print(stderr, "tidemill: {} tasks have not ended in {} s; they go on\n",
                 request.ids.size(), o.wait_seconds);
      return kExitFailed;
    }
    auto outcomes = api.wait(request);
    if (!outcomes.ok()) return report(outcomes.error());
    request.ids.clear();
    for (const client::TaskOutcome& outcome : *outcomes) {
      if (outcome.outcome == Outcome::open && !outcome.unknown) {
        request.ids.push_back(outcome.id);
        continue;
      }
      print_outcome(context, outcome);
      if (outcome.outcome != Outcome::done) code = kExitFailed;
    }
  }
  return code;
}

int spawn(const Context& context, const Options& o) {
  auto api = o.server.open();
  if (!api.ok()) return report(api.error());
  auto tasks = tasks_of(o);
  if (!tasks.ok()) return report(tasks.error());
  auto spawned = spawn_all(**api, *tasks);
  if (!spawned.ok()) return report(spawned.error());
  if (o.wait) return wait_for(context, **api, o, *spawned);
  print_spawned(context, *spawned);
  return kExitOk;
}

}  // namespace

void add_spawn(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("spawn", "Spawn tasks on a server");
  command->add_option("kind", o->kind, "What runs it: noop, shell, http, python or a handler's own")
      ->required();
  command->add_option("input", o->input, "Its input, JSON")->capture_default_str();
  command->add_option("--inputs", o->inputs_file, "A file with one input a line: a task for each");
  command->add_option("--queue", o->queue, "Queue")->capture_default_str();
  command->add_option("--priority", o->priority, "Smaller first")->capture_default_str();
  command->add_option("--delay", o->delay, "Seconds until it may run");
  command->add_option("--timeout", o->timeout, "Seconds an attempt may take");
  command->add_option("--max-attempts", o->max_attempts, "Failures, the last included")
      ->capture_default_str();
  command->add_option("--key", o->key, "Idempotency key: the same again is the same task");
  command->add_option("--concurrency-key", o->concurrency_key, "Counted against the queue's limit");
  command->add_option("--after", o->after, "Tasks that must be done before; may be repeated");
  command->add_flag("--wait", o->wait, "Wait for the outcomes and print them");
  command->add_option("--wait-seconds", o->wait_seconds, "How long at most")->capture_default_str();
  command->add_flag("--json", context.json, "Print JSON, a line for each");
  o->server.add_to(*command);
  command->callback([&context, o] { context.exit_code = spawn(context, *o); });
}

}  // namespace tidemill::cli
