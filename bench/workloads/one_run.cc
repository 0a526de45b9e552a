#include "bench/workloads/one_run.h"

#include "os/clock.h"
#include "os/file.h"

namespace tidemill::bench {

Result<OneRun> one_run(const Context& context, const Request& request, const RunShape& shape) {
  client::LocalRunOptions options;
  options.store = request.folder + "/" + std::to_string(os::entropy64()) + ".db";
  options.slots = shape.slots;
  options.places = shape.places;
  options.base_folder = request.folder;
  TIDEMILL_TRY(auto run, context.services.open_run(options));
  const uint64_t memory = os::resident_bytes();
  const SteadyTime began = os::steady_now();
  const Duration cpu = os::process_cpu();
  TIDEMILL_TRY(const ExecutionId id, run->start({.text = shape.text,
                                                 .file = "bench.yaml",
                                                 .name = "bench",
                                                 .workload = shape.workload,
                                                 .child_texts = {}}));
  const auto wake = run->wait(id, hours(2));
  OneRun out;
  out.wall = os::steady_now() - began;
  out.cpu = os::process_cpu() - cpu;
  const uint64_t memory_after = os::resident_bytes();
  out.memory_growth = memory_after > memory ? memory_after - memory : 0;
  const client::Progress progress = run->progress(id);
  out.tasks = progress.tasks_finished;
  if (const auto failure = run->failure()) return *failure;
  if (wake != client::LocalRun::Wake::finished ||
      progress.state != ExecutionRecord::State::done) {
    return Error{ErrorCode::invalid, "the execution did not end done: " + progress.error.message};
  }
  run.reset();  // Closing it moves what its log still holds into the file.
  if (const auto size = os::file_size(options.store); size.ok()) out.store_bytes = *size;
  return out;
}

}  // namespace tidemill::bench
