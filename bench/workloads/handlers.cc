#include "bench/workloads/handlers.h"

#include <fmt/format.h>
#include <tidemill/client.h>
#include <tidemill/worker.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/usage.h"
#include "os/clock.h"

namespace tidemill::bench {

namespace {

sdk::Output fan_out(sdk::Client& client, const sdk::Json& input) {
  sdk::Task child;
  child.kind = "nothing";
  const auto count = static_cast<size_t>(input.integer().value_or(0));
  const auto spawned = client.spawn(std::vector<sdk::Task>(count, child));
  if (!spawned) return sdk::Failure{"spawn", spawned.error().what};
  sdk::Task join = child;
  join.after.reserve(count);
  for (const sdk::Spawned& one : *spawned) join.after.push_back(one.id);
  const auto id = client.spawn(join);
  if (!id) return sdk::Failure{"spawn", id.error().what};
  return id->value;
}

void add_kinds(sdk::Worker& worker, sdk::Client& client) {
  using sdk::Context;
  using sdk::Json;
  using sdk::Output;
  worker.handle("spin", [](Context&, const Json& rounds) -> Output {
    return spin(static_cast<uint64_t>(rounds.integer().value_or(0))) & 1;
  });
  worker.handle("wait", [](Context& c, const Json& us) -> Output {
    (void)c.cancelled_within(std::chrono::microseconds(us.integer().value_or(0)));
    return {};
  });
  worker.handle("stamp", [](Context&, const Json&) -> Output { return os::steady_now().ns; });
  worker.handle("nothing", [](Context&, const Json&) -> Output { return {}; });
  worker.handle("fan", [&](Context&, const Json& n) -> Output { return fan_out(client, n); });
}

}  // namespace

uint64_t spin(uint64_t rounds) {
  uint64_t x = 0x9e3779b97f4a7c15ULL + rounds;
  for (uint64_t i = 0; i < rounds; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

double rounds_of_a_microsecond() {
  constexpr uint64_t kRounds = 2'000'000;
  double best = 1;
  uint64_t used = 0;
  for (int i = 0; i < 9; ++i) {
    const Duration began = os::thread_cpu();
    used ^= spin(kRounds + (used & 1));
    const double us = (os::thread_cpu() - began).seconds() * 1e6;
    best = std::max(best, static_cast<double>(kRounds) / us);
  }
  return best;
}

int run_handlers(const std::vector<std::string>& arguments) {
  CLI::App app{"The worker of the benchmarks", "tidemill bench handlers"};
  sdk::WorkerOptions options;
  app.add_option("--server", options.server.url, "The server's address")->required();
  app.add_option("--slots", options.slots, "Handlers at once");
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    return cli::end_of_parsing(app, e);
  }
  sdk::ClientOptions producer;
  producer.server = options.server;
  sdk::Client client(producer);
  sdk::Worker worker(options);
  add_kinds(worker, client);
  const sdk::Status ended = worker.run();
  if (!ended) fmt::print(stderr, "tidemill: error: {}\n", ended.error().what);
  return ended ? 0 : 1;
}

}  // namespace tidemill::bench
