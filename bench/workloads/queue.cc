// bench queue: durable tasks through a server and workers, all processes of their own on this
// machine: bulk spawns, drains with one worker and with three, spawns one at a time, and how long
// one task takes when nothing else is to do. With --rate: load.h.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "bench/workloads/load.h"
#include "bench/workloads/service.h"
#include "net/http_client.h"
#include "os/clock.h"

namespace tidemill::bench {

namespace {

constexpr uint64_t kBatch = 10'000;

struct Sizes {
  uint64_t drained, singles, many, latencies;
};

std::vector<client::NewTask> no_ops(uint64_t count) {
  client::NewTask task;
  task.work.kind = "noop";
  task.work.input = std::make_shared<const std::string>("{\"catalogue\": \"" +
                                                        std::string(84, 'x') + "\"}");  // 100 bytes
  return std::vector<client::NewTask>(count, task);
}

double per_second(uint64_t count, Duration taken) {
  return static_cast<double>(count) / taken.seconds();
}

struct Drain {
  double spawn_rate = 0, rate = 0, spawn_cpu = 0, server_cpu = 0, worker_cpu = 0, resident = 0;
};

// One fresh server: everything is spawned, then the workers start.
Result<Drain> drain(const Context& context, const std::string& store, uint64_t count, int workers) {
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  const auto n = static_cast<double>(count);
  Drain out;
  std::vector<client::NewTask> batch = no_ops(std::min(kBatch, count));
  client::WaitRequest last{.ids = {}, .at_most = minutes(4)};
  const SteadyTime spawning = os::steady_now();
  for (uint64_t spawned = 0; spawned < count; spawned += batch.size()) {
    batch.resize(std::min<uint64_t>(batch.size(), count - spawned));
    TIDEMILL_TRY(const auto tasks, service->api().spawn(batch));
    last.ids.clear();
    for (size_t i = tasks.size() - std::min<size_t>(tasks.size(), 100); i < tasks.size(); ++i) {
      last.ids.push_back(tasks[i].id);
    }
  }
  out.spawn_rate = per_second(count, os::steady_now() - spawning);
  out.spawn_cpu = service->server().cpu().seconds() * 1e6 / n;
  out.resident = static_cast<double>(service->server().resident_bytes()) / 1e6;
  const Duration cpu = service->server().cpu();
  const SteadyTime began = os::steady_now();
  TIDEMILL_CHECK(service->start_workers(workers));
  TIDEMILL_TRY(const auto outcomes, service->api().wait(last));
  // Several workers do not end in the order in which they began.
  TIDEMILL_TRY(uint64_t done, done_in(store));
  while (done < count && os::steady_now() - began < minutes(4)) {
    TIDEMILL_TRY(done, done_in(store));
  }
  out.rate = per_second(count, os::steady_now() - began);
  out.server_cpu = (service->server().cpu() - cpu).seconds() * 1e6 / n;
  out.worker_cpu = service->workers_cpu().seconds() * 1e6 / n;
  TIDEMILL_CHECK(service->stop());
  if (done < count) {
    return Error{ErrorCode::invalid, fmt::format("{} of {} tasks are done", done, count)};
  }
  return out;
}

Status drains(const Context& context, const Request& request, const Sizes& sizes,
              Figures& figures) {
  std::vector<double> ratios, ones, threes, spawns, spawn_cpu, server_cpu, worker_cpu, resident;
  for (uint32_t round = 0; round < request.rounds; ++round) {
    const std::string store = fmt::format("{}/drain{}", request.folder, round);
    TIDEMILL_TRY(const Drain one, drain(context, store + "-1.db", sizes.drained, 1));
    TIDEMILL_TRY(const Drain three, drain(context, store + "-3.db", sizes.drained, 3));
    ones.push_back(one.rate);
    threes.push_back(three.rate);
    ratios.push_back(three.rate / one.rate);
    spawns.push_back(one.spawn_rate);
    spawn_cpu.push_back(one.spawn_cpu);
    server_cpu.push_back(one.server_cpu);
    worker_cpu.push_back(one.worker_cpu);
    resident.push_back(one.resident);
  }
  figures.add("tasks", static_cast<double>(sizes.drained), "",
              "no-op, 100 bytes of input, each with its own row, outcome and trace");
  figures.add("bulk spawn", median(spawns), "/s", "10 000 a request, durable; bound: 150 000");
  figures.add("its server cpu", median(spawn_cpu), "us/task");
  figures.add("resident when all wait", median(resident), "MB", "of the server");
  figures.add("drain, one worker", median(ones), "/s", "from its start; bound: 100 000");
  figures.add("drain, three workers", median(threes), "/s");
  figures.add("three / one", median(ratios), "", "pair by pair, median; bound: 0.95");
  figures.add("server cpu in the drain", median(server_cpu), "us/task", "bound: 5");
  figures.add("worker cpu in the drain", median(worker_cpu), "us/task");
  return Ok{};
}

// A row into SQLite with the store's pragmas, as nobody can spawn faster.
Result<Duration> single_commit(const std::string& file, uint64_t count) {
  sqlite3* db = nullptr;
  const auto run = [&](const char* sql) {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  bool good = sqlite3_open(file.c_str(), &db) == SQLITE_OK && run("PRAGMA journal_mode = WAL") &&
              run("PRAGMA synchronous = FULL") && run("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
  const std::string insert = "INSERT INTO t (b) VALUES ('" + std::string(200, 'x') + "')";
  const SteadyTime began = os::steady_now();
  for (uint64_t i = 0; good && i < count; ++i) good = run(insert.c_str());
  const Duration taken = os::steady_now() - began;
  const std::string wrong = good ? "" : sqlite3_errmsg(db);
  sqlite3_close(db);
  if (!good) return Error{ErrorCode::io, file + ": " + wrong};
  return taken / static_cast<int64_t>(count);
}

// `connections` requests under way at any time.
Result<Duration> many_spawns(const std::string& url, uint64_t count, uint64_t connections) {
  TIDEMILL_TRY(const net::ServerAddress address, net::parse_server_address(url));
  net::HttpRequest request{.method = "POST", .target = "/v1/tasks", .headers = {}, .body = {}};
  request.body = wire::to_json(no_ops(1));
  std::atomic<uint64_t> left = count, ended = 0, wrong = 0;
  std::promise<void> all;
  net::HttpClient client({.server = address, .token = {}});
  std::function<void()> next = [&] {
    if (left.load() == 0) return;
    --left;
    client.send(request, seconds(60), [&](Result<net::HttpResponse> response) {
      if (!response.ok() || response->status != 200) ++wrong;
      next();
      if (++ended == count) all.set_value();
    });
  };
  const SteadyTime began = os::steady_now();
  for (uint64_t i = 0; i < std::min(count, connections); ++i) next();
  all.get_future().wait();
  const Duration taken = os::steady_now() - began;
  if (wrong > 0) return Error{ErrorCode::invalid, fmt::format("{} spawns failed", wrong.load())};
  return taken;
}

Status singles(const Context& context, const Request& request, const Sizes& sizes,
               Figures& figures) {
  TIDEMILL_TRY(auto service, Service::start(context.self, request.folder + "/singles.db"));
  const auto n = static_cast<double>(sizes.singles);
  SteadyTime began = os::steady_now();
  for (uint64_t i = 0; i < sizes.singles; ++i) TIDEMILL_CHECK(service->api().get("/healthz"));
  const double round_trip = (os::steady_now() - began).seconds() / n;
  TIDEMILL_TRY(const Duration commit, single_commit(request.folder + "/commit.db", sizes.singles));
  const std::vector<client::NewTask> one = no_ops(1);
  began = os::steady_now();
  for (uint64_t i = 0; i < sizes.singles; ++i) TIDEMILL_CHECK(service->api().spawn(one));
  const double spawn = (os::steady_now() - began).seconds() / n;
  TIDEMILL_TRY(const Duration many, many_spawns(service->url(), sizes.many, 64));
  figures.add("round trip", round_trip * 1e6, "us", "to the server, which stores nothing");
  figures.add("single-row commit", commit.seconds() * 1e6, "us", "plain SQLite, FULL");
  figures.add("spawn one at a time", 1 / spawn, "/s", "one connection");
  figures.add("of the ideal", (round_trip + commit.seconds()) / spawn, "",
              "1 / (commit + round trip); bound: 0.9");
  figures.add("spawn, 64 connections", per_second(sizes.many, many), "/s", "bound: 20 000");
  return service->stop();
}

// Spawned, run by a worker, known to who spawned it.
Status latency(const Context& context, const Request& request, const Sizes& sizes,
               Figures& figures) {
  TIDEMILL_TRY(auto service, Service::start(context.self, request.folder + "/latency.db"));
  figures.add("resident when idle", static_cast<double>(service->server().resident_bytes()) / 1e6,
              "MB", "of the server; bound: 40");
  TIDEMILL_CHECK(service->start_workers(1));
  const std::vector<client::NewTask> one = no_ops(1);
  std::vector<double> took;
  for (uint64_t i = 0; i < sizes.latencies; ++i) {
    const SteadyTime began = os::steady_now();
    TIDEMILL_TRY(const auto spawned, service->api().spawn(one));
    TIDEMILL_TRY(const auto outcomes,
                 service->api().wait({.ids = {spawned[0].id}, .at_most = seconds(60)}));
    if (outcomes.size() != 1 || outcomes[0].outcome != Outcome::done) {
      return Error{ErrorCode::invalid, "a task did not end done"};
    }
    took.push_back((os::steady_now() - began).milliseconds());
  }
  took.erase(took.begin());  // the worker was just starting
  figures.add("idle latency, p50", percentile(took, 0.5), "ms",
              "spawn to outcome known; bound: 1.0");
  figures.add("idle latency, p95", percentile(took, 0.95), "ms", "bound: 2.5");
  figures.add("idle latency, p99", percentile(took, 0.99), "ms", "bound: 10");
  return service->stop();
}

}  // namespace

Status queue(const Context& context, const Request& request, Figures& figures) {
  if (request.load.rate > 0) return open_loop(context, request, figures);
  const Sizes sizes =
      request.quick ? Sizes{2'000, 50, 200, 20} : Sizes{1'000'000, 2'000, 20'000, 1'000};
  TIDEMILL_CHECK(latency(context, request, sizes, figures));
  TIDEMILL_CHECK(singles(context, request, sizes, figures));
  return drains(context, request, sizes, figures);
}

}  // namespace tidemill::bench
