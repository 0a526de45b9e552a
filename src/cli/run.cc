// `tidemill run PLAYBOOK`: an engine and a worker in this process, on a store of its own, until the
// execution ends. Ctrl-C drains and says how to go on; twice stops at once.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/hints.h"
#include "cli/internal/live_view.h"
#include "cli/internal/playbook_files.h"
#include "cli/internal/run_end.h"
#include "cli/internal/run_input.h"
#include "cli/internal/stores.h"
#include "model/limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/signals.h"
#include "os/warden.h"
#include "playbook/json.h"

namespace tidemill::cli {

namespace {

using client::LocalRun;
using client::LocalRunOptions;

constexpr const char* kPython = "python3";

struct Options {
  std::string file;
  RunInput input;
  std::vector<std::string> connect;
  std::string store;
  std::string python = kPython;
  uint32_t slots = 0;
  uint32_t places = 0;
  bool resume = false;
  std::string resume_id;
  bool quiet = false;
};

// A run under way: what started or took up an execution leaves here for the loop and the end.
struct Run {
  std::unique_ptr<LocalRun> local;
  std::string store;
  ExecutionId id;
  playbook::PlanPtr plan;
};

Result<LocalRunOptions> run_options(const Options& o) {
  LocalRunOptions out;
  out.slots = o.slots;
  out.places = o.places;
  out.python = o.python;
  out.base_folder = os::folder_of(o.file);
  TIDEMILL_TRY(out.connections, connections(o.connect));
  return out;
}

Result<Run> start(const Context& context, const Options& o, const LoadedPlaybook& loaded) {
  TIDEMILL_TRY(LocalRunOptions options, run_options(o));
  TIDEMILL_TRY(const playbook::Value workload, merged_workload(o.input, loaded.plan->workload));
  for (const std::string& note : notes_on_sets(o.input, loaded.plan->workload)) {
    fmt::print(stderr, "note: --set: {}\n", note);
  }
  options.open = LocalRunOptions::Open::create_or_existing;
  options.store = o.store;
  options.first_id = new_run_id();
  if (options.store.empty()) {
    if (Status made = os::make_folders(context.folder); !made.ok()) {
      return Error{made.error().code, made.error().what + "; --store FILE puts the run elsewhere"};
    }
    options.open = LocalRunOptions::Open::create;
    options.store = store_path(context.folder, options.first_id);
  }
  Run run{.store = options.store, .plan = loaded.plan};
  TIDEMILL_TRY(run.local, context.services.open_run(options));
  TIDEMILL_TRY(run.id, run.local->start({.text = loaded.text,
                                         .file = o.file,
                                         .name = loaded.plan->metadata.name,
                                         .workload = playbook::to_json(workload),
                                         .child_texts = loaded.child_texts}));
  return run;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

// The options that matter to how it goes on, too.
std::string run_hint(const Options& o, std::string words) {
  for (const std::string& connection : o.connect) {
    words += " --connect " + shell_word(connection_word(connection));
  }
  if (o.python != kPython) words += " --python " + shell_word(o.python);
  if (o.slots != 0) words += fmt::format(" --slots {}", o.slots);
  if (o.places != 0) words += fmt::format(" --places {}", o.places);
  return command_hint("run " + words, o.store);
}

std::string resume_hint(const Options& o, ExecutionId id) {
  return run_hint(o, fmt::format("{} --resume {}", shell_word(o.file), id.raw));
}

// A new run also needs its input.
std::string anew_hint(const Options& o) {
  std::string words = shell_word(o.file);
  if (o.input.quick) words += " --quick";
  if (!o.input.input_file.empty()) words += " --input " + shell_word(o.input.input_file);
  for (const std::string& set : o.input.sets) words += " --set " + shell_word(without_secret(set));
  return run_hint(o, std::move(words));
}

Error nothing_unfinished(const Options& o, const std::optional<ExecutionRecord>& newest) {
  const std::string nothing = "nothing of " + o.file + " is unfinished here; ";
  const std::string anew = fmt::format("to start anew, `{}`", anew_hint(o));
  if (newest && newest->state == ExecutionRecord::State::failed) {
    return {ErrorCode::not_found,
            fmt::format("{}the newest, {}, failed: to try that again from its failed steps, "
                        "`{}`; {}",
                        nothing, newest->id.raw, resume_hint(o, newest->id), anew)};
  }
  return {ErrorCode::not_found, fmt::format("{}{}, or name an id that `{}` shows", nothing, anew,
                                            command_hint("list", o.store))};
}

// The execution that --resume means: the one named, or the newest unfinished one of this playbook;
// with `latest` the newest of this playbook, however it ended.
Result<Found> find_resumable(const Context& context, const Options& o) {
  const bool latest = o.resume_id == "latest";
  if (!o.resume_id.empty() && !latest) return find_execution(context, o.store, o.resume_id);
  const std::vector<std::string> files =
      o.store.empty() ? store_files(context.folder) : std::vector<std::string>{o.store};
  std::optional<ExecutionRecord> newest;
  for (const std::string& file : files) {
    auto records = context.services.open_records(file);
    if (!records.ok()) {
      if (!o.store.empty()) return std::move(records).error();
      say_left_out(records.error());
      continue;
    }
    TIDEMILL_TRY(std::vector<ExecutionRecord> all, (*records)->executions({}, 100'000));
    for (auto e = all.rbegin(); e != all.rend(); ++e) {
      const bool child = e->parent.task || e->parent.array;
      if (child || !same_file(e->file, o.file)) continue;
      if (latest || unfinished(*e)) return Found{file, std::move(*records), std::move(*e)};
      if (!newest || newest->id < e->id) newest = *e;
    }
  }
  return nothing_unfinished(o, newest);
}

Result<Run> resume(const Context& context, const Options& o) {
  TIDEMILL_TRY(Found found, find_resumable(context, o));
  TIDEMILL_TRY(LocalRunOptions options, run_options(o));
  const ExecutionRecord& e = found.execution;
  TIDEMILL_TRY(const std::string text, found.records->plan_text(e.plan));
  const auto now = os::read_regular_file(o.file, limits::kPlaybookMax);
  if (now.ok() && *now != text) {
    fmt::print(stderr, "note: {} has changed since; execution {} goes on with the text it was "
                       "started with\n", o.file, e.id.raw);
  }
  if (o.input.quick || !o.input.input_file.empty() || !o.input.sets.empty()) {
    fmt::print(stderr, "note: execution {} goes on with the input it was started with; for another "
                       "one, start anew: {}\n", e.id.raw, anew_hint(o));
  }
  options.store = found.store;
  options.open = LocalRunOptions::Open::existing;
  found.records.reset();
  Run run{.store = found.store, .id = e.id, .plan = playbook::compile(text, o.file).plan};
  if (!run.plan) {
    return Error{ErrorCode::corrupt, "the playbook of execution " + std::to_string(e.id.raw) +
                                         " does not compile with this version"};
  }
  TIDEMILL_TRY(run.local, context.services.open_run(options));
  if (e.state == ExecutionRecord::State::failed) {
    TIDEMILL_CHECK(run.local->control().retry_execution(e.id));
  }
  TIDEMILL_CHECK(run.local->go_on());
  return run;
}

// Until the execution ends, the engine fails, or somebody interrupts.
LocalRun::Wake watch(Run& run, LiveView& view, os::Interrupts& interrupts, uint32_t& interrupted) {
  for (;;) {
    // At first, too: the start may have waited long for a store that is locked.
    interrupted = interrupts.count();
    if (interrupted > 0) return LocalRun::Wake::timeout;
    const LocalRun::Wake wake = run.local->wait(run.id, view.interval());
    if (wake != LocalRun::Wake::timeout) return wake;
    view.update(run.local->progress(run.id));
  }
}

// Lets what runs finish; a second interrupt ends that.
void drain(Run& run, LiveView& view, os::Interrupts& interrupts) {
  view.say("stopping: what runs is let finish (Ctrl-C again to stop at once)");
  run.local->drain();
  while (!run.local->drained(milliseconds(100))) {
    if (interrupts.count() > 1) {
      run.local->stop_now();
      return;
    }
    view.update(run.local->progress(run.id));
  }
}

RunEnd end_of(const Options& o, const Run& run, client::Progress progress, Duration taken) {
  return {.id = run.id,
          .store = run.store,
          .store_given = o.store,
          .resume = resume_hint(o, run.id),
          .plan = *run.plan,
          .progress = std::move(progress),
          .taken = taken};
}

int follow(const Context& context, const Options& o, Run& run, os::Interrupts& interrupts) {
  const SteadyTime began = os::steady_now();
  LiveView view(o.quiet ? LiveView::Style::silent : LiveView::style_of_stderr(), run.plan,
                command_hint(fmt::format("task list {} --outcome buried", run.id.raw), o.store));
  uint32_t interrupted = 0;
  const LocalRun::Wake wake = watch(run, view, interrupts, interrupted);
  if (interrupted > 0) drain(run, view, interrupts);
  client::Progress progress = run.local->progress(run.id);
  view.finish(progress);
  const RunEnd end = end_of(o, run, std::move(progress), os::steady_now() - began);
  if (const auto failure = run.local->failure(); failure && wake == LocalRun::Wake::failed) {
    print_unfinished(context, end);
    const int code = report(*failure);
    fmt::print(stderr, "nothing recorded is lost; when that is mended, go on with: {}\n",
               end.resume);
    return code;
  }
  const auto state = end.progress.state;
  if (state == ExecutionRecord::State::running || state == ExecutionRecord::State::stopping) {
    print_unfinished(context, end);
    fmt::print(stderr, "interrupted; go on with: {}\n", end.resume);
    return kExitInterrupted;
  }
  print_end(context, run.local->records(), end);
  return state == ExecutionRecord::State::done ? kExitOk : kExitFailed;
}

int run_command(const Context& context, const Options& o) {
  os::Interrupts interrupts;
  os::Warden warden;
  os::ignore_signals_of_writes();
  Result<Run> run = Error{};
  if (o.resume || !o.resume_id.empty()) {
    run = resume(context, o);
  } else {
    auto loaded = load_playbook(o.file);
    if (!loaded.ok()) return report(loaded.error());
    for (const std::string& message : loaded->messages) fmt::print(stderr, "{}\n", message);
    if (!loaded->plan) return kExitUsage;
    run = start(context, o, *loaded);
  }
  if (!run.ok()) return report(run.error());
  const int code = follow(context, o, *run, interrupts);
  run->local->stop_now();
  return code;
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run a playbook here, durably");
  command->add_option("playbook", o->file, "Playbook (YAML)");
  command->add_option("--set", o->input.sets, "A workload value, NAME=VALUE; may be repeated");
  command->add_option("--input", o->input.input_file, "Workload values as a JSON object in a file");
  command->add_option(
      "--connect", o->connect,
      "A connection for `auth`, NAME=DSN, NAME=env:VARIABLE or NAME=@FILE; may be repeated");
  command->add_option("--store", o->store, "Store file; default: .tidemill/ID.db of its own");
  command->add_option("--slots", o->slots, "Code run at once; default: cores");
  command->add_option("--places", o->places, "Attempts held at once; default: 1024");
  command->add_option("--python", o->python, "Interpreter of python tools")->capture_default_str();
  command
      ->add_option("--resume", o->resume_id,
                   "Go on with an unfinished execution: the newest of this playbook, or an id")
      ->expected(0, 1)
      ->each([o](const std::string&) { o->resume = true; });
  command->add_flag("--quick", o->input.quick, "The playbook's small variant (workload.quick)");
  command->add_flag("-q,--quiet", o->quiet, "No progress on stderr");
  command->add_flag("--json", context.json, "Print the end as JSON");
  command->callback([&context, o, command] {
    o->resume = o->resume || command->count("--resume") > 0;
    // `run --resume FILE`: what follows --resume is an id only if it can be one.
    const bool id = o->resume_id == "latest" ||
                    o->resume_id.find_first_not_of("0123456789") == std::string::npos;
    if (o->file.empty() && !id) o->file.swap(o->resume_id);
    if (o->file.empty()) {
      context.exit_code = report(Error{ErrorCode::invalid, "run needs a playbook, also to resume: "
                                                           "tidemill run PLAYBOOK --resume ID"});
      return;
    }
    context.exit_code = run_command(context, *o);
  });
}

}  // namespace tidemill::cli
