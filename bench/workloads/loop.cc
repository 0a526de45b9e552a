// bench loop: whether an iteration of a long loop costs what one of a short loop costs, and how
// much memory an iteration keeps beyond its result. Alternating in one run.
#include <fmt/format.h>

#include "bench/workloads/one_run.h"

namespace tidemill::bench {

namespace {

constexpr const char* kText = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: loop, path: bench/loop}
workload: {count: 1, rounds: 1}
workflow:
  - step: start
    set: {ctx.round: 0}
    next: work
  - step: work
    loop:
      in: '{{ range(workload.count) }}'
      iterator: i
      spec: {mode: parallel, max_in_flight: 100}
    tool: {kind: noop}
    set: {ctx.round: '{{ ctx.round + 1 }}'}
    next: {arcs: [{step: work, when: '{{ ctx.round < workload.rounds }}'}, {step: end}]}
  - step: end
)";

// The short loop is entered as often as needed for as many iterations, so that only the length
// differs.
Result<OneRun> run_of(const Context& context, const Request& request, uint64_t count,
                      uint64_t rounds) {
  return one_run(context, request,
                 {.text = kText,
                  .workload = fmt::format("{{\"count\": {}, \"rounds\": {}}}", count, rounds)});
}

}  // namespace

Status loop(const Context& context, const Request& request, Figures& figures) {
  const uint64_t short_count = 1'000;
  const uint64_t long_count = request.quick ? 10'000 : 100'000;
  const uint64_t entries = long_count / short_count;
  std::vector<double> ratios, long_us, short_us, memory;
  for (uint32_t round = 0; round < request.rounds; ++round) {
    TIDEMILL_TRY(const OneRun s, run_of(context, request, short_count, entries));
    TIDEMILL_TRY(const OneRun l, run_of(context, request, long_count, 1));
    const auto n = static_cast<double>(long_count);
    short_us.push_back(s.wall.seconds() * 1e6 / n);
    long_us.push_back(l.wall.seconds() * 1e6 / n);
    ratios.push_back(long_us.back() / short_us.back());
    memory.push_back(static_cast<double>(l.memory_growth) / n);
  }
  figures.add("short loop", median(short_us), "us/iter",
              fmt::format("{} entries of {} iterations", entries, short_count));
  figures.add("long loop", median(long_us), "us/iter", fmt::format("{} iterations", long_count));
  figures.add("long / short", median(ratios), "", "bound: 1.3");
  figures.add("memory of the long loop", median(memory), "B/iter",
              "growth of the resident size, results included; bound: 200 beyond results");
  return Ok{};
}

}  // namespace tidemill::bench
