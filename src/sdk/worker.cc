#include "tidemill/worker.h"

#include <utility>

#include "client/http_exchange.h"
#include "os/clock.h"
#include "os/signals.h"
#include "os/sync.h"
#include "os/thread.h"
#include "sdk/internal/call.h"
#include "sdk/internal/team.h"
#include "sdk/internal/translate.h"
#include "sdk/internal/trouble.h"

namespace tidemill::sdk {

namespace {

constexpr std::chrono::milliseconds kLookAgain{100};  // for a second signal, while it drains

}  // namespace

struct Worker::Impl {
  explicit Impl(WorkerOptions o) : options(std::move(o)) {}

  void drained() {
    os::Lock lock(mutex);
    is_drained = true;
    changed.notify_all();
  }

  WorkerOptions options;
  Handlers handlers;
  os::EventLoop loop;
  std::unique_ptr<client::HttpExchange> http;
  std::unique_ptr<ToldExchange> exchange;
  std::unique_ptr<Team> team;
  os::Thread thread;

  os::Mutex mutex;
  os::Condition changed;
  bool asked_to_drain GUARDED_BY(mutex) = false;
  bool is_drained GUARDED_BY(mutex) = false;
};

Worker::Worker(WorkerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Worker::~Worker() { stop(); }

Worker& Worker::handle(std::string kind, Handler handler) {
  impl_->handlers.single[std::move(kind)] = std::move(handler);
  return *this;
}

Worker& Worker::handle_range(std::string kind, RangeHandler handler) {
  impl_->handlers.ranges[std::move(kind)] = std::move(handler);
  return *this;
}

Status Worker::start() {
  Impl& me = *impl_;
  if (me.team) return Error{ErrorCode::invalid, "the worker has been started"};
  if (me.handlers.kinds().empty()) {
    return Error{ErrorCode::invalid, "a worker needs a handler: handle(KIND, …)"};
  }
  auto server = client_options(me.options.server);
  if (!server.ok()) return outer(std::move(server).error());
  me.http = std::make_unique<client::HttpExchange>(std::move(*server), me.loop, nullptr);
  const auto tell = me.options.on_trouble;
  me.exchange = std::make_unique<ToldExchange>(*me.http, [tell](const tidemill::Error* error) {
    if (!tell) return;
    if (error == nullptr) return tell(nullptr);
    const Error told = outer(*error);
    tell(&told);
  });
  const uint32_t slots = me.options.slots == 0 ? os::core_count() : me.options.slots;
  me.team = std::make_unique<Team>(me.loop, *me.exchange, me.handlers,
                                   std::min(slots, limits::kSlotsBound));
  me.loop.post([&me] { me.team->start(); });
  me.thread = os::Thread("tm-worker", [&me] { me.loop.run(); });
  return Done{};
}

Status Worker::run() {
  os::Interrupts interrupts;
  if (Status started = start(); !started) return started;
  while (!interrupts.wait(hours(1))) {
  }
  while (!drain(kLookAgain) && interrupts.count() < 2) {
  }
  stop();
  return Done{};
}

bool Worker::drain(std::chrono::milliseconds at_most) {
  Impl& me = *impl_;
  const SteadyTime until = os::steady_now() + milliseconds(at_most.count());
  os::Lock lock(me.mutex);
  if (!std::exchange(me.asked_to_drain, true)) {
    me.loop.post([&me] { me.team->drain([&me] { me.drained(); }); });
  }
  while (!me.is_drained) {
    const Duration left = until - os::steady_now();
    if (left.ns <= 0) return false;
    me.changed.wait_for(me.mutex, left);
  }
  return true;
}

void Worker::stop() {
  Impl& me = *impl_;
  if (!me.team) return;
  me.team->cut();
  me.loop.stop();
  me.thread.join();
  me.http.reset();  // its callbacks are posted to a loop that runs no more
  me.team.reset();
  me.exchange.reset();
}

}  // namespace tidemill::sdk
