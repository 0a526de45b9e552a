#include "worker/worker.h"

#include <utility>

#include "os/clock.h"
#include "os/thread.h"
#include "worker/internal/crew.h"
#include "worker/internal/standard_tools.h"

namespace tidemill::worker {

struct Worker::Impl {
  explicit Impl(WorkerOptions o) : options(std::move(o)) {}

  WorkerOptions options;
  os::EventLoop loop;
  std::unique_ptr<Crew> crew;  // touched by the event thread alone while that runs
  os::Thread thread;
};

Worker::Worker(WorkerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Worker::~Worker() { stop(); }

os::EventLoop& Worker::loop() { return impl_->loop; }

void Worker::start(wire::Exchange& exchange) {
  Impl& me = *impl_;
  StandardTools tools = make_standard_tools(me.loop, me.options);
  CrewOptions options;
  options.slots = me.options.slots == 0 ? os::core_count() : me.options.slots;
  options.places = me.options.places;
  options.spare = me.options.places / 2;
  options.base_folder = me.options.base_folder;
  options.on_plan = std::move(tools.on_plan);
  me.crew = std::make_unique<Crew>(me.loop, exchange, std::move(options), std::move(tools.tools));
  me.loop.post([&me] { me.crew->start(); });
  me.thread = os::Thread("tm-" + me.options.name, [&me] { me.loop.run(); });
}

void Worker::drain(std::function<void()> on_drained) {
  impl_->loop.post([this, on_drained = std::move(on_drained)]() mutable {
    impl_->crew->drain(std::move(on_drained));
  });
}

void Worker::stop() {
  if (!impl_->crew) return;
  impl_->loop.stop();
  impl_->thread.join();
  impl_->crew.reset();
}

}  // namespace tidemill::worker
