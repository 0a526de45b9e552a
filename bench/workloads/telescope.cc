// bench telescope: the pipeline of a radio telescope, eight stages for each observation, as a graph
// of tasks: what is ready runs, whichever observation it belongs to. Stages are short waits, so
// that the figures are those of the queue and not of the arithmetic.
//
//   catalogue ─▶ convert ×4 ─▶ solve ×4 ─▶ apply ×4 ─▶ image ─▶ validate ─▶ cross-match ─▶
//   photometry
//                (a sub-band each goes its own way)    (after all four)
#include <fmt/format.h>

#include <algorithm>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "os/clock.h"

namespace tidemill::bench {

namespace {

constexpr size_t kBands = 4;
constexpr int64_t kStageMicroseconds = 2'000;
constexpr uint64_t kTasks = 1 + 3 * kBands + 4;  // of an observation
constexpr int64_t kLongest = 8;                  // stages one after another
constexpr uint32_t kSlots = 16;

class Observations {
 public:
  Observations(Batch& batch, uint64_t count)
      : batch_(batch), newest_(count), task_(task_of("wait", std::to_string(kStageMicroseconds))) {}

  // A stage of every observation: `width` tasks, after what the stage before has spawned for it.
  Status stage(size_t width) {
    std::vector<client::NewTask> tasks;
    for (const std::vector<TaskId>& before : newest_) {
      for (size_t i = 0; i < width; ++i) {
        client::NewTask& task = tasks.emplace_back(task_);
        const bool each = before.size() == width;
        if (each) task.after = {before[i]};
        if (!each) task.after = before;
      }
    }
    TIDEMILL_TRY(const std::vector<TaskId> ids, batch_.spawn(std::move(tasks)));
    for (size_t o = 0; o < newest_.size(); ++o) {
      const auto begin = ids.begin() + static_cast<ptrdiff_t>(o * width);
      newest_[o].assign(begin, begin + static_cast<ptrdiff_t>(width));
    }
    return Ok{};
  }

 private:
  Batch& batch_;
  std::vector<std::vector<TaskId>> newest_;  // of each observation
  client::NewTask task_;
};

}  // namespace

Status telescope(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 20 : 1'000;
  const std::string store = request.folder + "/telescope.db";
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  TIDEMILL_CHECK(service->start_handlers(1, kSlots));
  TIDEMILL_TRY(Batch batch, Batch::open(*service, store, "telescope"));
  Observations all(batch, count);
  for (const size_t width :
       {size_t{1}, kBands, kBands, kBands, size_t{1}, size_t{1}, size_t{1}, size_t{1}}) {
    TIDEMILL_CHECK(all.stage(width));
  }
  TIDEMILL_TRY(const Duration wall, batch.run());
  const auto n = static_cast<double>(count);
  const double stage = static_cast<double>(kStageMicroseconds) * 1e-6;
  const double ideal = std::max(n * static_cast<double>(kTasks) * stage / kSlots,
                                stage * static_cast<double>(kLongest));
  if (batch.size() != count * kTasks) return Error{ErrorCode::invalid, "tasks are missing"};
  figures.add("observations", n, "", "17 tasks of 2 ms each, in eight stages; 16 slots");
  figures.add("observations", n / wall.seconds(), "/s");
  figures.add("tasks", n * static_cast<double>(kTasks) / wall.seconds(), "/s",
              "asked for elsewhere: 20, 50 at the peak");
  figures.add("of the ideal", ideal / wall.seconds(), "", "all slots at work all the time");
  return service->stop();
}

}  // namespace tidemill::bench
