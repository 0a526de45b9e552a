// bench granularity: how short a task may be. METG(50 %), the minimum effective task granularity,
// is the time of a task at which half of what the cores do is its work. The other half of the
// ratio is the bare loop: the same arithmetic on as many threads and nothing else, measured after
// each run, so that what else the machine does weighs on both. Tasks are spawned singly (each has
// its row, its outcome and its trace) while their queue is paused; timed is running them, with one
// worker of the C++ SDK and two slots, server, worker and client on the same two cores.
//
//   independent: nobody waits · stencil: rows, each task after three of the row before · tree: each
//   task after its parent, two children each
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "bench/workloads/handlers.h"
#include "os/clock.h"
#include "os/thread.h"

namespace tidemill::bench {

namespace {

constexpr uint32_t kSlots = 2;
constexpr uint64_t kWidth = 100;  // of the stencil

struct Shape {
  const char* name;
  const char* bound;
  // Spawns about so many, each of this kind and input.
  Status (*spawn)(Batch& batch, const client::NewTask& task, uint64_t count);
};

Status spawn_independent(Batch& batch, const client::NewTask& task, uint64_t count) {
  TIDEMILL_CHECK(batch.spawn(std::vector<client::NewTask>(count, task)));
  return Ok{};
}

Status spawn_stencil(Batch& batch, const client::NewTask& task, uint64_t count) {
  std::vector<TaskId> above;
  for (uint64_t row = 0; row * kWidth < count; ++row) {
    std::vector<client::NewTask> tasks(kWidth, task);
    for (size_t i = 0; row > 0 && i < kWidth; ++i) {
      for (size_t j = i > 0 ? i - 1 : 0; j <= std::min<size_t>(i + 1, kWidth - 1); ++j) {
        tasks[i].after.push_back(above[j]);
      }
    }
    TIDEMILL_TRY(above, batch.spawn(std::move(tasks)));
  }
  return Ok{};
}

Status spawn_tree(Batch& batch, const client::NewTask& task, uint64_t count) {
  TIDEMILL_TRY(std::vector<TaskId> above, batch.spawn({task}));
  while (batch.size() + 2 * above.size() <= count) {
    std::vector<client::NewTask> tasks(2 * above.size(), task);
    for (size_t i = 0; i < tasks.size(); ++i) tasks[i].after.push_back(above[i / 2]);
    TIDEMILL_TRY(above, batch.spawn(std::move(tasks)));
  }
  return Ok{};
}

constexpr Shape kShapes[] = {{"independent", "bound: 30", spawn_independent},
                             {"stencil", "100 wide; bound: 120", spawn_stencil},
                             {"tree", "binary", spawn_tree}};

struct Point {
  double us = 0;     // of cpu, a task in the bare loop
  double share = 0;  // the bare loop's wall time over ours
  double wall = 0;   // us of all cores, a task
  double cpu = 0;    // us of server and worker beside the work, a task
};

// Where the share passes one half, between two measured points on a scale of logarithms.
double half(const std::vector<Point>& points) {
  for (size_t i = 1; i < points.size(); ++i) {
    const Point& a = points[i - 1];
    const Point& b = points[i];
    if (b.share < 0.5) continue;
    if (a.us <= 0) return b.us * (1 - b.share) / b.share;
    const double at = std::clamp((0.5 - a.share) / (b.share - a.share), 0.0, 1.0);
    return std::exp(std::log(a.us) + at * std::log(b.us / a.us));
  }
  const Point& last = points.back();  // longer than the longest that was measured
  return last.us * (1 - last.share) / std::max(last.share, 0.01);
}

struct Bare {
  Duration wall, cpu;
};

// How long the work itself takes, on as many threads as there are slots.
Bare bare_loop(uint64_t tasks, uint64_t rounds) {
  std::atomic<uint64_t> used = 0;
  const SteadyTime began = os::steady_now();
  const Duration cpu = os::process_cpu();
  {
    std::vector<os::Thread> threads;
    for (uint32_t i = 0; i < kSlots; ++i) {
      threads.emplace_back("bare", [&used, tasks, rounds] {
        for (uint64_t n = 0; n < tasks / kSlots; ++n) used ^= spin(rounds + (n & 1));
      });
    }
  }
  return {os::steady_now() - began, os::process_cpu() - cpu};
}

Result<Point> measure(Service& service, const std::string& store, const Shape& shape, double us,
                      double rounds, uint64_t count) {
  const std::string queue = fmt::format("{}-{}", shape.name, us);
  TIDEMILL_TRY(Batch batch, Batch::open(service, store, queue));
  const auto input = static_cast<uint64_t>(us * rounds);
  TIDEMILL_CHECK(shape.spawn(batch, task_of("spin", std::to_string(input)), count));
  const auto cpu = [&] { return service.server().cpu() + service.workers_cpu(); };
  const Duration before = cpu();
  TIDEMILL_TRY(const Duration wall, batch.run());
  const auto n = static_cast<double>(batch.size());
  const double cores = std::min<double>(os::core_count(), kSlots);
  const auto each = [n](Duration d) { return d.seconds() * 1e6 / n; };
  const double used = each(cpu() - before);
  Point point{.wall = each(wall) * cores, .cpu = used};
  if (us > 0) {
    const Bare bare = bare_loop(batch.size(), input);
    point.us = each(bare.cpu);
    point.share = std::min(bare.wall.seconds() / wall.seconds(), 1.0);
    point.cpu = std::max(used - point.us, 0.0);
  }
  return point;
}

}  // namespace

Status granularity(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 2'000 : 30'000;
  const double rounds = rounds_of_a_microsecond();
  const std::string store = request.folder + "/granularity.db";
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  TIDEMILL_CHECK(service->start_handlers(1, kSlots));
  for (const Shape& shape : kShapes) {
    std::vector<Point> points;
    for (const double us : {0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0}) {
      TIDEMILL_TRY(const Point point, measure(*service, store, shape, us, rounds, count));
      points.push_back(point);
      figures.add(fmt::format("{}, {:g} us: share of work", shape.name, us), point.share, "",
                  fmt::format("{:.1f} us of both cores a task: {:.1f} its work, {:.1f} other cpu",
                              point.wall, point.us, point.cpu));
      if (point.share > 0.6) break;
    }
    figures.add(fmt::format("{}: METG(50 %)", shape.name), half(points), "us", shape.bound);
    std::vector<double> cpu;
    for (const Point& point : points) cpu.push_back(point.cpu);
    figures.add(fmt::format("{}: the same by cpu alone", shape.name), median(cpu), "us",
                "of server and worker beside each task: if no core ever waited");
  }
  figures.add("tasks of each run", static_cast<double>(count), "",
              "one worker, two slots, durable");
  return service->stop();
}

}  // namespace tidemill::bench
