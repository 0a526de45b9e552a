// The tools that wait for I/O, on the worker's event thread: what a request and an upsert cost
// there. The stub API and SQLite's writer have threads of their own; their time is not in
// `event_us`.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "bench/workloads/pft/spec.h"
#include "bench/workloads/pft/stub_api.h"
#include "os/clock.h"
#include "os/event_loop.h"
#include "worker/tools/http.h"
#include "worker/tools/sqlite.h"

namespace tidemill::bench {
namespace {

using playbook::Map;
using playbook::Value;
using worker::ToolCall;
using worker::ToolResult;
using worker::ToolRunner;

constexpr int kCalls = 20'000;

// Keeps `in_flight` calls under way until kCalls are done; the event thread's CPU time.
class Load {
 public:
  using Start = std::function<void(int number, ToolRunner::OnDone)>;

  Duration run(os::EventLoop& loop, int in_flight, const Start& start) {
    start_ = &start;
    loop_ = &loop;
    started_ = done_ = failed_ = 0;
    const Duration before = os::thread_cpu();
    loop.post([this, in_flight] {
      for (int i = 0; i < in_flight; ++i) next();
    });
    loop.run();
    return os::thread_cpu() - before;
  }
  int failed() const { return failed_; }

 private:
  void next() {
    if (started_ == kCalls) return;
    (*start_)(started_++, [this](const ToolResult& r) {
      failed_ += r.error ? 1 : 0;
      if (++done_ == kCalls) return loop_->stop();
      next();
    });
  }

  const Start* start_ = nullptr;
  os::EventLoop* loop_ = nullptr;
  int started_ = 0;
  int done_ = 0;
  int failed_ = 0;
};

void report(benchmark::State& state, Duration cpu, int failed) {
  const double calls = static_cast<double>(state.iterations()) * kCalls;
  state.counters["event_us"] = cpu.seconds() * 1e6 / calls;
  state.counters["per_s"] = benchmark::Counter(calls, benchmark::Counter::kIsRate);
  if (failed > 0) state.SkipWithError("calls failed");
}

void http_get(benchmark::State& state) {
  pft::StubApi api({});
  os::EventLoop loop;
  const auto runner = worker::make_http_runner(loop);
  const playbook::Tool tool;
  const playbook::Scope scope;
  Load load;
  Duration cpu{};
  for (auto _ : state) {
    cpu =
        cpu + load.run(loop, static_cast<int>(state.range(0)), [&](int n, ToolRunner::OnDone done) {
          Map params;
          params.set("patientId", Value(n % pft::kPatients + 1));
          params.set("page", Value(1));
          params.set("pageSize", Value(10));
          Map config;
          config.set("url", Value(api.url() + "/api/v1/patient/vital_signs"));
          config.set("params", Value(std::move(params)));
          const ToolCall call{.id = static_cast<uint64_t>(n) + 1,
                              .tool = tool,
                              .config = Value(std::move(config)),
                              .input = Map(),
                              .scope = scope,
                              .auth = {},
                              .task_key = {},
                              .timeout = {},
                              .noetl = false};
          runner->start(call, std::move(done));
        });
  }
  report(state, cpu, load.failed());
}
BENCHMARK(http_get)->Arg(64)->Arg(256)->Arg(1024)->UseRealTime()->Unit(benchmark::kMillisecond);

void sqlite_upsert(benchmark::State& state) {
  std::string name = (std::filesystem::temp_directory_path() / "tidemill_tools_XXXXXX").string();
  const std::string folder = mkdtemp(name.data());
  os::EventLoop loop;
  auto runner = worker::make_sqlite_runner(loop);
  playbook::Tool tool;
  playbook::InputTree::Fields fields;
  const char* sql = R"(INSERT INTO t VALUES ({{ n }}, 'assessments', '{{ body }}')
                       ON CONFLICT (id) DO UPDATE SET body = excluded.body)";
  fields.emplace_back("command",
                      playbook::InputTree{playbook::Template::compile(sql, {1, 1}).value()});
  tool.config = playbook::InputTree{std::move(fields)};
  playbook::Tool create;
  const char* table = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, type TEXT, body TEXT)";
  playbook::InputTree::Fields table_fields;
  table_fields.emplace_back(
      "command", playbook::InputTree{playbook::Template::compile(table, {1, 1}).value()});
  create.config = playbook::InputTree{std::move(table_fields)};
  const Value body(std::string(100, 'x'));
  Load load;
  Duration cpu{};
  for (auto _ : state) {
    cpu =
        cpu + load.run(loop, static_cast<int>(state.range(0)), [&](int n, ToolRunner::OnDone done) {
          playbook::Scope scope;
          scope.set("n", Value(n));
          scope.set("body", body);
          const ToolCall call{.id = static_cast<uint64_t>(n) + 1,
                              .tool = n == 0 ? create : tool,
                              .config = Map(),
                              .input = Map(),
                              .scope = scope,
                              .auth = Value(folder + "/data.db"),
                              .task_key = {},
                              .timeout = {},
                              .noetl = false};
          runner->start(call, std::move(done));
        });
  }
  report(state, cpu, load.failed());
  runner.reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK(sqlite_upsert)
    ->Arg(64)
    ->Arg(256)
    ->Arg(1024)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemill::bench

BENCHMARK_MAIN();
