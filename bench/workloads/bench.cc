#include "bench/workloads/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/workloads/handlers.h"
#include "bench/workloads/pft/pft_bench.h"
#include "cli/usage.h"
#include "os/file.h"

namespace tidemill::bench {

namespace {

using Workload = Status (*)(const Context&, const Request&, Figures&);

struct Entry {
  const char* name;
  const char* help;
  Workload workload;
};

constexpr Entry kWorkloads[] = {
    {"noop", "no-op loop iterations through machine and SQLite", noop},
    {"loop", "cost of an iteration and memory, 1 000 against 100 000 iterations", loop},
    {"array", "spawning an array of ten million indexes", array},
    {"shell", "2 000 x /bin/true, two at a time, against make -j2", shell},
    {"queue", "durable tasks through a server and workers: spawn, drain, latency", queue},
    {"granularity", "how short tasks may be: METG of independent ones, a stencil, a tree",
     granularity},
    {"fan", "one task, a thousand children, one join", fan},
    {"workers", "a thousand idle workers; 2 ms tasks with three workers and with one", workers},
    {"mixed", "ten priorities and tasks that take too long, in one queue", mixed},
    {"telescope", "eight stages for each of many observations, as a graph of tasks", telescope},
};

int run_workload(const Entry& entry, const Context& context, Request request) {
  char folder[] = "/tmp/tidemill-bench-XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    fmt::print(stderr, "tidemill: error: no scratch folder in /tmp\n");
    return 3;
  }
  request.folder = folder;
  Figures figures(entry.name);
  Status done = entry.workload(context, request, figures);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  figures.print();
  if (done.ok() && !request.json_file.empty()) done = figures.write_json(request.json_file);
  if (done.ok()) return 0;
  fmt::print(stderr, "tidemill: error: bench {}: {}\n", entry.name, done.error().what);
  return 1;
}

}  // namespace

void Figures::add(const std::string& what, double value, const std::string& unit,
                  const std::string& note) {
  rows_.push_back({what, value, unit, note});
}

void Figures::print() const {
  size_t width = 0;
  for (const Row& row : rows_) width = std::max(width, row.what.size());
  for (const Row& row : rows_) {
    fmt::print("{:<{}}  {:>12.4g} {:<8} {}\n", row.what, width, row.value, row.unit, row.note);
  }
}

Status Figures::write_json(const std::string& file) const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Row& row : rows_) {
    rows.push_back(
        {{"what", row.what}, {"value", row.value}, {"unit", row.unit}, {"note", row.note}});
  }
  const nlohmann::ordered_json j{{"workload", workload_}, {"figures", rows}};
  return os::write_file_atomic(file, j.dump(2) + "\n");
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void add_load(CLI::App& command, Load& load) {
  const std::map<std::string, Load::Arrivals> arrivals = {{"poisson", Load::Arrivals::poisson},
                                                          {"fixed", Load::Arrivals::fixed}};
  command.add_option("--rate", load.rate,
                     "Tasks a second that arrive whether or not the server "
                     "answers; nothing else is then measured");
  command.add_option_function<double>(
      "--seconds", [&load](double s) { load.time = seconds_f(s); }, "For so long (10)");
  command.add_option("--arrivals", load.arrivals, "poisson or fixed")
      ->transform(CLI::CheckedTransformer(arrivals));
}

// The main job parses its own arguments: it has a stub API and a bare loop with options of their
// own.
int run_pft(const std::vector<std::string>& arguments, const Context& context) {
  std::vector<std::string> owned(arguments);
  owned[0] = "tidemill bench pft";
  std::vector<char*> argv;
  for (std::string& argument : owned) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return pft::run_pft_command(static_cast<int>(owned.size()), argv.data(), context.self);
}

int run_bench(const std::vector<std::string>& arguments, const Context& context) {
  if (!arguments.empty() && arguments[0] == "pft") return run_pft(arguments, context);
  if (!arguments.empty() && arguments[0] == "handlers") return run_handlers(arguments);
  CLI::App app{"Built-in benchmarks", "tidemill bench"};
  app.require_subcommand(1);
  Request request;
  int code = 0;
  app.add_subcommand("pft", "the main job: paged fetch against a stub API, beside a bare loop");
  for (const Entry& entry : kWorkloads) {
    CLI::App* command = app.add_subcommand(entry.name, entry.help);
    command->add_flag("--quick", request.quick, "A small size");
    command->add_option("--rounds", request.rounds, "How often, alternating");
    command->add_option("--json", request.json_file, "Write the figures to this file");
    if (entry.workload == queue) add_load(*command, request.load);
    command->callback([&, e = &entry] { code = run_workload(*e, context, request); });
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    return cli::end_of_parsing(app, e);
  }
  return code;
}

}  // namespace tidemill::bench
