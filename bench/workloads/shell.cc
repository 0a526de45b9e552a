// bench shell: 2 000 x /bin/true, two at a time, as durable loop iterations, against make -j2 on as
// many targets and against the machine's own rate of process starts. Alternating in one run.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

#include "bench/workloads/one_run.h"
#include "os/clock.h"
#include "os/file.h"

namespace tidemill::bench {

namespace {

constexpr const char* kText = R"(apiVersion: tidemill/v1
kind: Playbook
metadata: {name: shell, path: bench/shell}
workload: {count: 1}
workflow:
  - step: start
    loop:
      in: '{{ range(workload.count) }}'
      iterator: i
      spec: {mode: parallel, max_in_flight: 64}
    tool: {kind: shell, command: [/bin/true]}
)";

// Two processes at a time, started by nothing but posix_spawn: what the machine can do at most.
Duration bare_starts(uint64_t count) {
  const char* const argv[] = {"/bin/true", nullptr};
  const SteadyTime began = os::steady_now();
  uint64_t started = 0, running = 0;
  while (started < count || running > 0) {
    while (started < count && running < 2) {
      pid_t pid = 0;
      if (posix_spawn(&pid, argv[0], nullptr, nullptr, const_cast<char**>(argv), nullptr) == 0) {
        ++running;
      }
      ++started;
    }
    if (waitpid(-1, nullptr, 0) > 0) --running;
  }
  return os::steady_now() - began;
}

Result<Duration> make_run(const std::string& folder, uint64_t count) {
  std::string text = ".PHONY: all\nall:";
  for (uint64_t i = 0; i < count; ++i) text += fmt::format(" t{}", i);
  text += "\nt%:\n\t@/bin/true\n";
  const std::string file = folder + "/Makefile";
  TIDEMILL_CHECK(os::write_file_atomic(file, text));
  const std::string command = "make -s -j2 -f " + file;
  const SteadyTime began = os::steady_now();
  if (std::system(command.c_str()) != 0) {
    return Error{ErrorCode::unavailable, "make -j2 failed; is make installed?"};
  }
  return os::steady_now() - began;
}

}  // namespace

Status shell(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 100 : 2'000;
  std::vector<double> ours, make, bare, ratio;
  for (uint32_t round = 0; round < request.rounds; ++round) {
    TIDEMILL_TRY(const OneRun run,
                 one_run(context, request,
                         {.text = kText, .workload = fmt::format("{{\"count\": {}}}", count)}));
    if (run.tasks < count) {
      return Error{ErrorCode::invalid, fmt::format("{} of {} processes ended", run.tasks, count)};
    }
    TIDEMILL_TRY(const Duration by_make, make_run(request.folder, count));
    const auto n = static_cast<double>(count);
    ours.push_back(n / run.wall.seconds());
    make.push_back(n / by_make.seconds());
    bare.push_back(n / bare_starts(count).seconds());
    ratio.push_back(ours.back() / make.back());
  }
  figures.add("tidemill", median(ours), "/s", "2 slots, durable");
  figures.add("make -j2", median(make), "/s");
  figures.add("posix_spawn", median(bare), "/s", "two at a time, nothing else");
  figures.add("tidemill / make", median(ratio), "", "pair by pair, median; bound: 0.8");
  return Ok{};
}

}  // namespace tidemill::bench
