// tidemill_sim: simulated worlds from seeds. A broken promise prints its seed and options; the same
// seed replays it exactly.
//
//   tidemill_sim --seeds 500            the seeds 1 to 500
//   tidemill_sim --seed 17              one, told in full; again with changed options: --set lose=0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "sim/run.h"

namespace {

using tidemill::sim::Options;
using tidemill::sim::RunResult;

// Options by name, for shrinking a failure by hand or by `shrink`.
std::map<std::string, uint32_t*> by_name(Options& o) {
  return {{"workers", &o.workers},
          {"producers", &o.producers},
          {"commands", &o.commands},
          {"lose", &o.lose},
          {"duplicate", &o.duplicate},
          {"fail", &o.fail},
          {"hang", &o.hang},
          {"server_crashes", &o.crashes_server},
          {"worker_crashes", &o.crashes_worker},
          {"clock_jumps", &o.clock_jumps}};
}

// Fewer commands and faults while a promise still breaks.
Options shrink(Options o) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const auto& [name, value] : by_name(o)) {
      const uint32_t least = name == "workers" || name == "producers" || name == "commands" ? 1 : 0;
      for (const uint32_t tried : {least, *value / 2, *value > 0 ? *value - 1 : 0}) {
        if (tried >= *value || tried < least) continue;
        const uint32_t before = *value;
        *value = tried;
        if (tidemill::sim::run(o).broken) {
          smaller = true;
          break;
        }
        *value = before;
      }
    }
  }
  return o;
}

int one_seed(Options o, const std::vector<std::string>& sets) {
  for (const std::string& set : sets) {
    const size_t equals = set.find('=');
    const auto names = by_name(o);
    const auto found = names.find(set.substr(0, equals));
    if (equals == std::string::npos || found == names.end()) {
      fmt::print(stderr, "--set {}: no such option\n", set);
      return 2;
    }
    *found->second = static_cast<uint32_t>(std::strtoul(set.c_str() + equals + 1, nullptr, 10));
  }
  const RunResult first = tidemill::sim::run(o);
  const RunResult second = tidemill::sim::run(o);
  fmt::print("{}\n{} steps, {} outcomes, {:.1f} s of virtual time, replay {:016x}\n", o.text(),
             first.steps, first.outcomes, first.virtual_time.seconds(), first.replay);
  if (first.replay != second.replay) {
    fmt::print("P9: the same seed gave {:016x} the second time\n", second.replay);
    return 1;
  }
  if (!first.broken) return 0;
  fmt::print("broken: {}\n", *first.broken);
  return 1;
}

int many_seeds(uint64_t first, uint64_t count) {
  uint64_t passed = 0, outcomes = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Options o = Options::draw(seed);
    const RunResult result = tidemill::sim::run(o);
    outcomes += result.outcomes;
    // A replay of some of them: that the same seed gives the same world is a promise too.
    const bool same = seed % 10 != 0 || tidemill::sim::run(o).replay == result.replay;
    if (!result.broken && same) {
      ++passed;
      continue;
    }
    fmt::print("seed {} broke a promise: {}\n  {}\n", seed,
               same ? *result.broken : "P9: it does not replay", o.text());
    if (result.broken) {
      const Options small = shrink(o);
      fmt::print("  shrunk: {}\n  {}\n", small.text(), *tidemill::sim::run(small).broken);
    }
  }
  fmt::print("{} outcomes in {} worlds\n{} passed, {} failed\n", outcomes, count, passed,
             count - passed);
  return passed == count ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulated worlds of Tidemill"};
  uint64_t seed = 0, first = 1, count = 500;
  std::vector<std::string> sets;
  app.add_option("--seed", seed, "One seed, told in full");
  app.add_option("--set", sets, "With --seed: NAME=NUMBER instead of what the seed draws");
  app.add_option("--first", first, "First of many seeds");
  app.add_option("--seeds", count, "How many")->envname("TIDEMILL_SIM_SEEDS");
  CLI11_PARSE(app, argc, argv);
  return seed != 0 ? one_seed(Options::draw(seed), sets) : many_seeds(first, count);
}
