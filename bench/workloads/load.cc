// bench queue --rate N: tasks arrive at times of their own, whether or not anything was answered,
// as producers do not wait for a slow server. Every latency counts from the moment a task was meant
// to arrive, so a stall is seen by all that arrived in it (no coordinated omission). What is due at
// the same tick of a millisecond goes in one request, as from a producer's buffer.
#include "bench/workloads/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <future>

#include "base/hash.h"
#include "bench/workloads/batch.h"
#include "net/http_client.h"
#include "os/clock.h"
#include "os/event_loop.h"
#include "os/sync.h"
#include "wire/task_json.h"

namespace tidemill::bench {

namespace {

constexpr Duration kTick = milliseconds(1);
constexpr uint64_t kWaitedFor = 8;  // outcomes are asked for of every so many requests

struct Latencies {
  std::vector<double> spawn, claim, whole;  // ms
  uint64_t unanswered = 0;                  // tasks whose spawn failed
};

// The arrivals, and what became of them. Answers come on the client's thread.
class OpenLoop {
 public:
  OpenLoop(net::HttpClient& client, const Load& load) : client_(client), load_(load) {}

  Latencies run() {
    began_ = os::steady_now();
    next_ = began_;
    tick();
    loop_.run();
    done_.get_future().wait();
    os::Lock lock(mutex_);
    return std::move(latencies_);
  }
  uint64_t arrived() const { return arrived_; }
  double late_ms() const { return late_ms_; }

 private:
  using Due = std::vector<SteadyTime>;

  void tick() {
    const SteadyTime now = os::steady_now();
    late_ms_ = std::max(late_ms_, (now - planned_tick()).milliseconds());
    ++ticks_;
    Due due;
    const SteadyTime end = began_ + load_.time;
    for (; next_ <= now && next_ < end; next_ = next_ + gap()) due.push_back(next_);
    if (!due.empty()) send(std::move(due));
    if (next_ >= end) {
      loop_.stop();
      end_one();
      return;
    }
    loop_.after(std::max(planned_tick() - os::steady_now(), Duration{}), [this] { tick(); });
  }
  SteadyTime planned_tick() const { return began_ + kTick * static_cast<int64_t>(ticks_); }

  Duration gap() {
    const double mean = 1 / load_.rate;
    ++arrived_;
    if (load_.arrivals == Load::Arrivals::fixed) return seconds_f(mean);
    const double u = (static_cast<double>(mix64(arrived_) >> 11) + 0.5) * 0x1.0p-53;
    return seconds_f(-std::log(u) * mean);
  }

  void send(Due due) {
    net::HttpRequest request{.method = "POST", .target = "/v1/tasks", .headers = {}, .body = {}};
    request.body = wire::to_json(std::vector<client::NewTask>(due.size(), task_of("stamp", "1")));
    const bool sampled = requests_++ % kWaitedFor == 0;
    begin_one();
    client_.send(std::move(request), minutes(1),
                 [this, sampled, due = std::move(due)](Result<net::HttpResponse> response) {
                   spawned(due, sampled, response);
                   end_one();
                 });
  }

  void spawned(const Due& due, bool sampled, Result<net::HttpResponse>& response) {
    const SteadyTime now = os::steady_now();
    const bool good = response.ok() && response->status == 200;
    {
      os::Lock lock(mutex_);
      if (!good) latencies_.unanswered += due.size();
      for (const SteadyTime t : due) latencies_.spawn.push_back((now - t).milliseconds());
    }
    auto tasks = good
                     ? wire::parse_spawned_tasks(response->body)
                     : Result<std::vector<client::SpawnedTask>>(std::vector<client::SpawnedTask>());
    if (!sampled || !tasks.ok() || tasks->size() != due.size()) return;
    client::WaitRequest wait{.ids = {}, .at_most = seconds(50)};
    for (const client::SpawnedTask& task : *tasks) wait.ids.push_back(task.id);
    begin_one();
    client_.send(
        {.method = "POST", .target = "/v1/tasks/wait", .headers = {}, .body = wire::to_json(wait)},
        minutes(1), [this, due](Result<net::HttpResponse> told) {
          ended(due, told);
          end_one();
        });
  }

  void ended(const Due& due, Result<net::HttpResponse>& response) {
    const SteadyTime now = os::steady_now();
    if (!response.ok()) return;
    auto outcomes = wire::parse_task_outcomes(response->body);
    if (!outcomes.ok() || outcomes->size() != due.size()) return;
    os::Lock lock(mutex_);
    for (size_t i = 0; i < due.size(); ++i) {
      const std::string& stamp = (*outcomes)[i].result.inline_json;
      SteadyTime claimed;
      std::from_chars(stamp.data(), stamp.data() + stamp.size(), claimed.ns);
      if (claimed.ns > 0) latencies_.claim.push_back((claimed - due[i]).milliseconds());
      latencies_.whole.push_back((now - due[i]).milliseconds());
    }
  }

  void begin_one() { ++under_way_; }
  void end_one() {
    if (--under_way_ == 0) done_.set_value();
  }

  net::HttpClient& client_;
  const Load load_;
  os::EventLoop loop_;
  SteadyTime began_;
  SteadyTime next_;  // when the next is meant to arrive
  uint64_t ticks_ = 0;
  uint64_t arrived_ = 0;
  uint64_t requests_ = 0;
  double late_ms_ = 0;
  std::atomic<uint64_t> under_way_ = 1;  // the arrivals themselves
  std::promise<void> done_;
  os::Mutex mutex_;
  Latencies latencies_ GUARDED_BY(mutex_);
};

void add_percentiles(Figures& figures, const std::string& what, const std::vector<double>& all,
                     const std::string& note) {
  figures.add(what + ", p50", percentile(all, 0.5), "ms", note);
  figures.add(what + ", p95", percentile(all, 0.95), "ms");
  figures.add(what + ", p99", percentile(all, 0.99), "ms");
}

}  // namespace

Status open_loop(const Context& context, const Request& request, Figures& figures) {
  const Load& load = request.load;
  const std::string store = request.folder + "/load.db";
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  TIDEMILL_CHECK(service->start_handlers(1, 2));
  TIDEMILL_TRY(Batch first, Batch::open(*service, store, "first"));
  TIDEMILL_CHECK(first.spawn({task_of("nothing", "1")}));
  TIDEMILL_CHECK(first.run());
  TIDEMILL_TRY(const net::ServerAddress address, net::parse_server_address(service->url()));
  net::HttpClientOptions options;
  options.server = address;
  net::HttpClient client(options);
  OpenLoop arrivals(client, load);
  const SteadyTime began = os::steady_now();
  const Latencies latencies = arrivals.run();
  const auto arrived = static_cast<double>(latencies.spawn.size());
  // What was not waited for ends, too.
  TIDEMILL_TRY(uint64_t done, done_in(store));
  while (done < 1 + latencies.spawn.size() - latencies.unanswered &&
         os::steady_now() - began < load.time + minutes(1)) {
    TIDEMILL_TRY(done, done_in(store));
  }
  figures.add("arrivals", load.rate, "/s",
              fmt::format("{}, for {:g} s, one worker of two slots",
                          load.arrivals == Load::Arrivals::fixed ? "evenly" : "Poisson",
                          load.time.seconds()));
  add_percentiles(figures, "spawn", latencies.spawn, "meant to arrive until acknowledged");
  add_percentiles(figures, "claim", latencies.claim, "until its handler began");
  add_percentiles(figures, "end to end", latencies.whole,
                  "until all of its request are known to be done; bound of p99: 50");
  figures.add("success", static_cast<double>(done - 1) / std::max(arrived, 1.0), "",
              "done of all that arrived");
  figures.add("generator late by", arrivals.late_ms(), "ms", "its ticks, at most");
  if (done - 1 != latencies.spawn.size()) {
    return Error{ErrorCode::invalid,
                 fmt::format("{} of {} tasks are done", done - 1, latencies.spawn.size())};
  }
  return service->stop();
}

}  // namespace tidemill::bench
