#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>

#include "bench/workloads/pft/pft_bench.h"

namespace tidemill::bench::pft {

namespace {

int serve(const StubOptions& options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  StubApi api(options);
  if (!api.ok()) return 1;
  std::printf("%s\n", api.url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  const StubCounts counts = api.counts();
  std::fprintf(stderr, "requests %llu, answered %llu, CPU %.2f s\n",
               static_cast<unsigned long long>(counts.requests),
               static_cast<unsigned long long>(counts.answered), counts.cpu.seconds());
  return 0;
}

}  // namespace

int run_pft_command(int argc, char** argv, const std::string& tidemill) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Paged fetch of 10 facilities: the stub API, the bare loop and tidemill in turn");
  PftOptions options;
  options.tidemill = tidemill;
  bool quick = false;
  bool only_bare = false;
  double latency_ms = 0;
  bool only_serve = false;
  const std::map<std::string, Variant> variants = {{"sequential", Variant::sequential},
                                                   {"types", Variant::types},
                                                   {"facilities", Variant::facilities}};
  const std::map<std::string, SinkKind> sinks = {{"sqlite", SinkKind::sqlite},
                                                 {"postgres", SinkKind::postgres}};
  app.add_option("--variant", options.variants, "sequential, types, facilities")
      ->transform(CLI::CheckedTransformer(variants));
  app.add_option("--sink", options.sinks, "sqlite, postgres")
      ->transform(CLI::CheckedTransformer(sinks));
  app.add_option("--in-flight", options.in_flight, "requests under way at once");
  app.add_option("--facilities", options.facilities, "1 to 10");
  app.add_option("--rounds", options.rounds, "runs of each, in turn");
  app.add_option("--latency", latency_ms, "of the API, in ms");
  app.add_option("--error-rate", options.api.error_rate, "share of answers that are 500");
  app.add_option("--limit", options.api.requests_per_second, "requests a second before 429");
  app.add_option("--port", options.api.port, "of the API");
  app.add_option("--api-log", options.api.log_file, "file for what the API was asked");
  app.add_option("--tidemill", options.tidemill, "the binary to compare with");
  app.add_option("--playbooks", options.playbooks, "folder of pft.yaml");
  app.add_option("--postgres", options.postgres, "connection string for the postgres sink");
  app.add_option("--folder", options.folder, "for databases");
  app.add_option("--json", options.json_file, "file for the numbers, - for standard output");
  app.add_option("--engine-log", options.engine_log, "file for the engine's output");
  app.add_flag("--quick", quick, "One facility");
  app.add_flag("--bare", only_bare, "Only the bare loop");
  app.add_flag("--serve", only_serve, "only serve the API until interrupted");
  CLI11_PARSE(app, argc, argv);
  options.api.latency = seconds_f(latency_ms / 1e3);
  if (quick) options.facilities = 1;
  if (only_bare) options.tidemill.clear();
  return only_serve ? serve(options.api) : run_pft_bench(options, stdout);
}

}  // namespace tidemill::bench::pft
