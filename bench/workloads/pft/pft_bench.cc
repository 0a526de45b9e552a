#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "bench/workloads/pft/pft_bench.h"
#include "os/clock.h"

extern char** environ;

namespace tidemill::bench::pft {

namespace {

// One run of one of the two.
struct Run {
  std::string who;  // "bare loop", "tidemill"
  Variant variant = Variant::facilities;
  SinkKind sink = SinkKind::sqlite;
  Duration wall{};
  Duration cpu{};
  Duration stub_cpu{};
  uint64_t requests = 0;
  Totals totals;
  int64_t unfinished = 0;
  std::string error;
  bool exact(const Totals& expected) const {
    return error.empty() && totals == expected && unfinished == 0;
  }
};

std::string playbook_of(const PftOptions& options, SinkKind sink) {
  return options.playbooks + (sink == SinkKind::sqlite ? "" : "/postgres") + "/pft.yaml";
}

// Told before anything runs: without its playbook the engine's side of a table would be empty.
Status playbooks_are_there(const PftOptions& options) {
  if (options.tidemill.empty()) return Ok{};
  for (const SinkKind sink : options.sinks) {
    const std::string file = playbook_of(options, sink);
    if (std::filesystem::is_regular_file(file)) continue;
    return Error{ErrorCode::not_found,
                 fmt::format("its playbook is not there: {}; run it in the folder of the sources, "
                             "or name the folder of pft.yaml with --playbooks",
                             std::filesystem::absolute(file).lexically_normal().string())};
  }
  return Ok{};
}

class Bench {
 public:
  Bench(const PftOptions& options, StubApi& api, std::FILE* out)
      : options_(options), api_(api), out_(out), expected_(expected_totals(options.facilities)) {}

  int run();

 private:
  std::string connection(SinkKind sink) const;
  void clear(SinkKind sink) const;
  Run bare(Variant variant, SinkKind sink);
  Run engine(Variant variant, SinkKind sink);
  std::vector<std::string> engine_command(Variant variant, SinkKind sink) const;
  void count(Run& run) const;
  void add(Run run);
  void print_ratios() const;
  std::optional<double> median_wall(const std::string& who, Variant variant, SinkKind sink) const;
  void write_json() const;

  const PftOptions& options_;
  StubApi& api_;
  std::FILE* out_;
  const Totals expected_;
  std::vector<Run> runs_;
};

int Bench::run() {
  fmt::print(out_, "pft: {} facilities, {} requests in flight at most, API latency {} ms\n",
             options_.facilities, options_.in_flight, options_.api.latency.milliseconds());
  fmt::print(out_, "{:<10} {:<10} {:<9} {:>8} {:>8} {:>8} {:>9} {:>9}  {}\n", "variant", "sink",
             "who", "wall s", "cpu s", "stub s", "requests", "saved", "totals");
  for (int round = 0; round < options_.rounds; ++round) {
    for (const Variant variant : options_.variants) {
      for (const SinkKind sink : options_.sinks) {
        add(bare(variant, sink));
        if (!options_.tidemill.empty()) add(engine(variant, sink));
      }
    }
  }
  print_ratios();
  write_json();
  const bool good =
      std::all_of(runs_.begin(), runs_.end(), [&](const Run& r) { return r.exact(expected_); });
  return good ? 0 : 1;
}

std::string Bench::connection(SinkKind sink) const {
  return sink == SinkKind::sqlite ? options_.folder + "/sink.db" : options_.postgres;
}

void Bench::clear(SinkKind sink) const {
  if (sink == SinkKind::sqlite) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(connection(sink) + suffix);
    }
  }
  std::filesystem::remove_all(options_.folder + "/store");
  std::filesystem::create_directory(options_.folder + "/store");
}

Run Bench::bare(Variant variant, SinkKind sink) {
  Run out{.who = "bare loop", .variant = variant, .sink = sink};
  clear(sink);
  (void)api_.counts();
  // From nothing to a closed database, as it is for the engine.
  const SteadyTime begun = os::steady_now();
  auto opened = open_sink(sink, connection(sink), Tables::empty);
  if (!opened.ok()) {
    out.error = opened.error().what;
    return out;
  }
  const auto result = run_bare_loop({.api = api_.url(),
                                     .variant = variant,
                                     .in_flight = options_.in_flight,
                                     .facilities = options_.facilities},
                                    **opened);
  opened->reset();
  out.wall = os::steady_now() - begun;
  const StubCounts served = api_.counts();
  out.stub_cpu = served.cpu;
  if (!result.ok()) {
    out.error = result.error().what;
    return out;
  }
  out.cpu = result->event_cpu + result->writer_cpu;
  out.requests = result->requests;
  out.totals = result->totals;
  out.unfinished = result->unfinished;
  return out;
}

std::vector<std::string> Bench::engine_command(Variant variant, SinkKind sink) const {
  return {options_.tidemill,
          "run",
          playbook_of(options_, sink),
          "--store",
          options_.folder + "/store/run.db",
          "--connect",
          "sink=" + connection(sink),
          "--places",
          std::to_string(options_.in_flight),
          "--set",
          "api=" + api_.url(),
          "--set",
          "variant=" + std::string(variant_name(variant)),
          "--set",
          "facilities=" + std::to_string(options_.facilities),
          "--quiet"};
}

Run Bench::engine(Variant variant, SinkKind sink) {
  Run out{.who = "tidemill", .variant = variant, .sink = sink};
  clear(sink);
  if (sink == SinkKind::postgres) {
    (void)open_sink(sink, connection(sink), Tables::empty).ok();
  }
  (void)api_.counts();
  std::vector<std::string> command = engine_command(variant, sink);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = options_.engine_log.empty() ? "/dev/null" : options_.engine_log;
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const SteadyTime begun = os::steady_now();
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    out.error = "cannot start " + command[0];
    return out;
  }
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  out.wall = os::steady_now() - begun;
  const auto of = [](const timeval& t) { return seconds(t.tv_sec) + microseconds(t.tv_usec); };
  out.cpu = of(usage.ru_utime) + of(usage.ru_stime);
  const StubCounts served = api_.counts();
  out.stub_cpu = served.cpu;
  out.requests = served.requests;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    out.error = fmt::format("ended with status {}", status);
  count(out);
  return out;
}

void Bench::count(Run& run) const {
  auto sink = open_sink(run.sink, connection(run.sink), Tables::as_it_is);
  if (!sink.ok()) {
    run.error = sink.error().what;
    return;
  }
  const auto totals = (*sink)->totals();
  const auto unfinished = (*sink)->unfinished();
  if (!totals.ok() || !unfinished.ok()) {
    run.error = totals.ok() ? unfinished.error().what : totals.error().what;
    return;
  }
  run.totals = *totals;
  run.unfinished = *unfinished;
}

void Bench::add(Run run) {
  const std::string verdict =
      !run.error.empty() ? run.error
      : run.exact(expected_)
          ? "exact"
          : fmt::format("WRONG, {} expected, {} not done", expected_.all(), run.unfinished);
  fmt::print(out_, "{:<10} {:<10} {:<9} {:>8.2f} {:>8.2f} {:>8.2f} {:>9} {:>9}  {}\n",
             variant_name(run.variant), sink_name(run.sink), run.who, run.wall.seconds(),
             run.cpu.seconds(), run.stub_cpu.seconds(), run.requests, run.totals.all(), verdict);
  std::fflush(out_);
  runs_.push_back(std::move(run));
}

std::optional<double> Bench::median_wall(const std::string& who, Variant variant,
                                         SinkKind sink) const {
  std::vector<double> walls;
  for (const Run& r : runs_) {
    if (r.who == who && r.variant == variant && r.sink == sink) walls.push_back(r.wall.seconds());
  }
  if (walls.empty()) return std::nullopt;
  std::sort(walls.begin(), walls.end());
  return walls[walls.size() / 2];
}

void Bench::print_ratios() const {
  fmt::print(out_,
             "\npages: assessments {}, conditions {}, medications {}, vital_signs {}; demographics "
             "{}, MDS {}: {}\n",
             expected_.pages[0], expected_.pages[1], expected_.pages[2], expected_.pages[3],
             expected_.pages[4], expected_.mds, expected_.all());
  for (const Variant variant : options_.variants) {
    for (const SinkKind sink : options_.sinks) {
      const auto bare = median_wall("bare loop", variant, sink);
      const auto engine = median_wall("tidemill", variant, sink);
      if (bare && engine) {
        fmt::print(out_, "{} into {}: tidemill takes {:.2f} x the bare loop's time\n",
                   variant_name(variant), sink_name(sink), *engine / *bare);
      }
      if (bare && options_.api.latency.ns > 0) {
        const double ideal = static_cast<double>(expected_.all()) * options_.api.latency.seconds() /
                             options_.in_flight;
        fmt::print(out_,
                   "{} into {}: requests x latency / in flight is {:.2f} s; the bare loop reaches "
                   "{:.2f} of it\n",
                   variant_name(variant), sink_name(sink), ideal, ideal / *bare);
      }
    }
  }
}

void Bench::write_json() const {
  if (options_.json_file.empty()) return;
  nlohmann::ordered_json all;
  all["facilities"] = options_.facilities;
  all["in_flight"] = options_.in_flight;
  all["latency_ms"] = options_.api.latency.milliseconds();
  all["expected"] = expected_.all();
  for (const Run& r : runs_) {
    nlohmann::ordered_json one;
    one["who"] = r.who;
    one["variant"] = std::string(variant_name(r.variant));
    one["sink"] = std::string(sink_name(r.sink));
    one["wall_s"] = r.wall.seconds();
    one["cpu_s"] = r.cpu.seconds();
    one["stub_cpu_s"] = r.stub_cpu.seconds();
    one["requests"] = r.requests;
    one["saved"] = r.totals.all();
    one["exact"] = r.exact(expected_);
    if (!r.error.empty()) one["error"] = r.error;
    all["runs"].push_back(std::move(one));
  }
  std::FILE* file =
      options_.json_file == "-" ? stdout : std::fopen(options_.json_file.c_str(), "w");
  if (!file) return;
  fmt::print(file, "{}\n", all.dump(2));
  if (file != stdout) std::fclose(file);
}

}  // namespace

int run_pft_bench(const PftOptions& given, std::FILE* out) {
  if (Status there = playbooks_are_there(given); !there.ok()) {
    fmt::print(stderr, "tidemill: error: bench pft: {}\n", there.error().what);
    return 2;
  }
  PftOptions options = given;
  const bool own_folder = options.folder.empty();
  if (own_folder) {
    std::string name = (std::filesystem::temp_directory_path() / "tidemill_pft_XXXXXX").string();
    options.folder = mkdtemp(name.data());
  }
  StubApi api(options.api);
  if (!api.ok()) {
    fmt::print(stderr, "the stub API cannot listen on port {}\n", options.api.port);
    return 1;
  }
  const int status = Bench(options, api, out).run();
  if (own_folder) std::filesystem::remove_all(options.folder);
  return status;
}

}  // namespace tidemill::bench::pft
