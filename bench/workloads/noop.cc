// bench noop: how many no-op loop iterations a second go through worker, machine and SQLite
// (synchronous=FULL), each with its own recorded outcome and trace.
#include <fmt/format.h>

#include "bench/workloads/one_run.h"

namespace tidemill::bench {

namespace {

constexpr const char* kText = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: noop, path: bench/noop}
workload: {count: 1}
workflow:
  - step: start
    loop:
      in: '{{ range(workload.count) }}'
      iterator: i
      spec: {mode: parallel, max_in_flight: 1000}
    tool: {kind: noop}
)";

}  // namespace

Status noop(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 5'000 : 200'000;
  std::vector<double> rates, cpus, bytes;
  for (uint32_t round = 0; round < request.rounds; ++round) {
    TIDEMILL_TRY(const OneRun run,
                 one_run(context, request,
                         {.text = kText, .workload = fmt::format("{{\"count\": {}}}", count)}));
    if (run.tasks < count) {
      return Error{ErrorCode::invalid, fmt::format("{} of {} iterations ended", run.tasks, count)};
    }
    const auto n = static_cast<double>(count);
    rates.push_back(n / run.wall.seconds());
    cpus.push_back(run.cpu.seconds() * 1e6 / n);
    bytes.push_back(static_cast<double>(run.store_bytes) / n);
  }
  figures.add("iterations", static_cast<double>(count), "", "each with outcome and trace");
  figures.add("rate", median(rates), "/s", "start of the execution to its recorded end, median");
  figures.add("cpu", median(cpus), "us/iter", "whole process: worker, machine, SQLite");
  figures.add("store", median(bytes), "B/iter", "size of the file, closed");
  return Ok{};
}

}  // namespace tidemill::bench
