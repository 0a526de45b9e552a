// The one binary: puts the command line on top of the services of this process. Wiring only.
#include <string>
#include <vector>

#include "bench/workloads/bench.h"
#include "cli/cli.h"
#include "main/local_run.h"

int main(int argc, char** argv) {
  namespace bench = tidemill::bench;
  namespace cli = tidemill::cli;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const tidemill::client::LocalServices services = tidemill::main::local_services();
  const std::vector<cli::ExtraCommand> extra{
      {"bench", "Built-in benchmarks", [&](const std::vector<std::string>& rest) {
         return bench::run_bench(rest, {.services = services, .self = argv[0]});
       }}};
  return cli::run_cli(arguments, services, extra);
}
