// bench granularity: how short a task may be. METG(50 %), the minimum effective task granularity,
// is the time of a task at which half of what the cores do is its work: tasks x time / (wall x
// cores). Tasks are spawned singly (each has its row, its outcome and its trace) while their queue
// is paused; timed is running them, with one worker of the C++ SDK and two slots, server, worker
// and client on the same two cores.
//
//   independent        stencil (each after three of the row before)        tree (each after its
//   parent) o o o o o o        o o o o o o                                                   o
//                       \|/\|/\|/                                                  o   o
//                      o o o o o o                                               o o   o o
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "bench/workloads/handlers.h"
#include "os/clock.h"

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
  double us;        // of work in a task
  double overhead;  // of both cores, a task: what is left of the wall time
  double cpu;       // of server and worker, a task: the same, if nothing idles and nobody disturbs
  double share() const { return us / (us + overhead); }
};

// Where the share passes one half, between two measured points on a scale of logarithms.
double half(const std::vector<Point>& points) {
  for (size_t i = 1; i < points.size(); ++i) {
    const Point& a = points[i - 1];
    const Point& b = points[i];
    if (b.share() < 0.5) continue;
    if (a.us == 0) return b.us * 0.5 / b.share();
    const double at = (0.5 - a.share()) / (b.share() - a.share());
    return std::exp(std::log(a.us) + std::clamp(at, 0.0, 1.0) * std::log(b.us / a.us));
  }
  return points.back().overhead;  // longer than the longest measured
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
  const double each = wall.seconds() * 1e6 * cores / n;
  const double used = (cpu() - before).seconds() * 1e6 / n;
  return Point{us, std::max(each - us, 0.0), std::max(used - us, 0.0)};
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
      figures.add(fmt::format("{}, {:g} us: share of work", shape.name, us), point.share(), "",
                  fmt::format("{:.1f} us of both cores beside each task, {:.1f} us of them cpu",
                              point.overhead, point.cpu));
      if (point.share() > 0.6) break;
    }
    figures.add(fmt::format("{}: METG(50 %)", shape.name), half(points), "us", shape.bound);
  }
  figures.add("tasks of each run", static_cast<double>(count), "",
              "one worker, two slots, durable");
  return service->stop();
}

}  // namespace tidemill::bench
