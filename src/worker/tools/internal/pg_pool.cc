#include "worker/tools/internal/pg_pool.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr size_t kPipelineDepth = 16;  // calls behind one another on a connection
constexpr uint32_t kRepeatsMax = 3;

// The server could not tell a parameter's type or found no function for it; as a literal it may.
constexpr std::array<std::string_view, 5> kWantsLiterals = {"42P18", "42P08", "42725", "42883",
                                                            "42804"};
// A prepared statement that no longer fits its tables, or is not there.
constexpr std::array<std::string_view, 2> kPreparedNoMore = {"0A000", "26000"};
constexpr std::string_view kCancelled = "57014";

template <size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

PgPool::PgPool(os::EventLoop& loop, std::string dsn, size_t connections, OnFinished on_finished)
    : loop_(loop),
      dsn_(std::move(dsn)),
      connections_max_(connections),
      on_finished_(std::move(on_finished)) {
  // Without a descriptor left, opening cannot be ended early; it ends by its timeout.
  if (auto pipe = os::pipe_to_read(); pipe.ok()) stop_ = std::move(pipe).value();
}

PgPool::~PgPool() {
  stop_.theirs.reset();
  connector_.close();
  canceller_.close();
}

void PgPool::submit(PgJobPtr job) {
  waiting_.push_back(std::move(job));
  dispatch_soon();
}

void PgPool::stop(const PgJobPtr& job, StopReason reason) {
  if (job->stop != StopReason::none) return;
  job->stop = reason;
  if (job->sent) {
    for (const auto& c : connections_) c->stop(*job);
    return;
  }
  const auto at = std::find(waiting_.begin(), waiting_.end(), job);
  if (at != waiting_.end()) waiting_.erase(at);
  job->result.error = stopped_error(reason);
  on_finished_(job);
}

void PgPool::dispatch_soon() {
  if (std::exchange(dispatching_, true)) return;
  loop_.defer([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->dispatch();
  });
}

void PgPool::dispatch() {
  dispatching_ = false;
  std::erase_if(connections_, [](const auto& c) { return c->is_lost(); });
  while (!waiting_.empty()) {
    PgConnection* connection = connection_for(*waiting_.front());
    if (!connection) break;
    PgJobPtr job = std::move(waiting_.front());
    waiting_.pop_front();
    connection->send(std::move(job));
  }
  // Also those that wait behind others on a connection would like one of their own.
  size_t wanted = waiting_.size();
  for (const auto& c : connections_) wanted += c->in_flight();
  while (connections_.size() + opening_ < std::min(connections_max_, wanted)) open_one();
}

// The idlest connection that takes this call now; null when it must wait. Calls are not overtaken.
PgConnection* PgPool::connection_for(const PgJob& job) {
  PgConnection* best = nullptr;
  for (const auto& c : connections_) {
    if (c->is_exclusive() || (best && best->in_flight() <= c->in_flight())) continue;
    best = c.get();
  }
  if (!best) return nullptr;
  if (best->in_flight() == 0) return best;
  const bool may_follow = !job.exclusive && best->in_flight() < kPipelineDepth;
  return may_follow ? best : nullptr;
}

void PgPool::open_one() {
  ++opening_;
  connector_.run([weak = weak_from_this(), &loop = loop_, dsn = dsn_, stop = stop_.ours.get()] {
    auto handle = std::make_shared<Result<PgConnection::Handle>>(PgConnection::open(dsn, stop));
    loop.post([weak, handle] {
      if (const auto self = weak.lock()) self->opened(std::move(*handle));
    });
  });
}

void PgPool::opened(Result<PgConnection::Handle> handle) {
  --opening_;
  if (handle.ok()) {
    PgConnection::Owner owner;
    owner.on_finished = [this](PgJobPtr job) { finished(std::move(job)); };
    owner.on_lost = [this] { dispatch_soon(); };
    owner.cancel = [this](PGcancel* request) {
      canceller_.run([request] {
        char error[256];
        PQcancel(request, error, sizeof error);
        PQfreeCancel(request);
      });
    };
    connections_.push_back(
        std::make_unique<PgConnection>(loop_, std::move(handle).value(), std::move(owner)));
    return dispatch_soon();
  }
  // While other connections work, the calls that wait may use those.
  if (!connections_.empty() || opening_ > 0) return;
  for (PgJobPtr& job : std::exchange(waiting_, {})) {
    job->result.error = TaskError{"connect", handle.error().what, true};
    on_finished_(std::move(job));
  }
}

void PgPool::finished(PgJobPtr job) {
  dispatch_soon();
  if (job->result.error && try_again(job)) return;
  if (job->result.error && job->stop != StopReason::none)
    job->result.error = stopped_error(job->stop);
  on_finished_(std::move(job));
}

// A call that was one transaction and failed has left nothing behind, so it can be sent again where
// that helps.
bool PgPool::try_again(const PgJobPtr& job) {
  if (job->exclusive || job->separate || job->stop != StopReason::none) return false;
  if (++job->repeats > kRepeatsMax) return false;
  if (is_one_of(job->sqlstate, kWantsLiterals) && !job->written) {
    auto written = job->sql.bind_written();
    if (!written.ok()) return false;
    job->written = true;
    job->statements = std::move(written).value();
  } else if (is_one_of(job->sqlstate, kPreparedNoMore) && !job->unprepared) {
    job->unprepared = true;
  } else if (job->sqlstate != kCancelled) {
    return false;
  }
  const std::string log = std::move(job->result.log);
  job->result = {};
  job->result.log = log;
  job->sqlstate.clear();
  job->sent = false;
  job->cancel_sent = false;
  waiting_.push_front(job);
  return true;
}

}  // namespace tidemill::worker
