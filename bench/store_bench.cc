// The store alone: what a spawn with its outcome, an index of an array, a commit and a recovery
// cost in a real file with synchronous=FULL. Figures are in docs/storage.md.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "store/sqlite/sqlite_store.h"

namespace tidemill::store {
namespace {

class File {
 public:
  File() {
    const char* top = std::getenv("TMPDIR");  // choose the disk with it
    std::string pattern = std::string(top == nullptr ? "/tmp" : top) + "/tidemill-bench-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    store = open_sqlite(path()).value();
  }
  ~File() {
    store.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/run.db"; }
  void commit(const std::vector<Change>& changes) {
    ++turn_.raw;
    const Status done = store->commit(changes, {turn_, now()});
    if (!done.ok()) std::abort();
  }
  WallTime now() const {
    return {1'700'000'000'000'000'000 + static_cast<int64_t>(turn_.raw) * 1'000'000};
  }

  std::unique_ptr<Store> store;

 private:
  std::string folder_;
  Turn turn_;
};

TaskRecord task(uint64_t id, WallTime at) {
  static const auto input = std::make_shared<const std::string>("{\"facility\":7,\"page\":12}");
  TaskRecord t;
  t.id = TaskId{id};
  t.work.queue = "default";
  t.work.kind = "noop";
  t.work.input = input;
  t.spawned_at = t.run_at = t.ready_at = at;
  return t;
}

Trace trace(WallTime at, int64_t i) {
  return {.spawned = at,
          .ready = at,
          .dispatched = at + microseconds(300 + i % 50),
          .reported = at + microseconds(900 + i % 70),
          .inputs_ready = microseconds(5),
          .started = microseconds(7),
          .finished = microseconds(200 + i % 90),
          .sent = microseconds(210 + i % 90),
          .cpu = microseconds(150),
          .bytes_in = 24,
          .bytes_out = 10,
          .calls = 1};
}

// Each commit spawns N tasks and finishes the N spawned ten commits before.
void spawn_and_outcome(benchmark::State& state) {
  const auto n = static_cast<uint64_t>(state.range(0));
  File file;
  uint64_t next = 1, first_open = 1;
  std::vector<Change> changes;
  std::vector<WallTime> spawned;
  for (auto _ : state) {
    changes.clear();
    const bool full = next - first_open >= 10 * n;
    for (uint64_t i = 0; full && i < n; ++i, ++first_open) {
      const WallTime at = spawned[(first_open - 1) / n];
      HistoryRecord h{.task = task(first_open, at), .outcome = Outcome::done};
      h.task.starts = 1;
      h.result.inline_json = "{\"rows\":12}";
      h.trace = trace(at, static_cast<int64_t>(first_open));
      changes.push_back(FinishTask{std::move(h)});
    }
    spawned.push_back(file.now());
    for (uint64_t i = 0; i < n; ++i) changes.push_back(PutTask{task(next++, spawned.back())});
    file.commit(changes);
  }
  const double pairs = static_cast<double>(state.iterations()) * static_cast<double>(n);
  state.counters["pairs"] = benchmark::Counter(pairs, benchmark::Counter::kIsRate);
  state.counters["log B/pair"] = static_cast<double>(file.store->stats().bytes) / pairs;
  state.counters["file B/pair"] =
      static_cast<double>(std::filesystem::file_size(file.path())) / pairs;
}
BENCHMARK(spawn_and_outcome)
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1'000)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

// The outcomes of N indexes of one array per commit.
void array_outcomes(benchmark::State& state) {
  const auto n = static_cast<uint64_t>(state.range(0));
  File file;
  ArrayRecord a;
  a.id = ArrayId{1};
  a.work.kind = "noop";
  a.count = 1'000'000'000;
  file.commit({PutArray{a}});
  const WallTime spawned = file.now();
  uint64_t next = 0;
  PutOutcomes put{ArrayId{1}, {}};
  for (auto _ : state) {
    state.PauseTiming();
    put.outcomes.clear();
    for (uint64_t i = 0; i < n; ++i, ++next) {
      IndexOutcome o{.index = next};
      o.trace = trace(spawned, static_cast<int64_t>(next));
      if (state.range(1) != 0) o.result.inline_json = "{\"rows\":12}";
      put.outcomes.push_back(std::move(o));
    }
    std::vector<Change> changes;
    changes.push_back(std::move(put));
    state.ResumeTiming();
    file.commit(changes);
    put = std::get<PutOutcomes>(std::move(changes[0]));
  }
  const double indexes = static_cast<double>(state.iterations()) * static_cast<double>(n);
  state.counters["indexes"] = benchmark::Counter(indexes, benchmark::Counter::kIsRate);
  state.counters["log B/index"] = static_cast<double>(file.store->stats().bytes) / indexes;
}
BENCHMARK(array_outcomes)
    ->Args({1'000, 0})
    ->Args({1'000, 1})
    ->Args({10'000, 0})
    ->Args({10'000, 1})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

void empty_commit(benchmark::State& state) {
  File file;
  for (auto _ : state) file.commit({});
}
BENCHMARK(empty_commit)->Unit(benchmark::kMicrosecond)->UseRealTime();

class CountingLoader : public Loader {
 public:
  void counters(uint64_t, uint32_t, Turn) override {}
  void queue(QueueConfig) override {}
  void token(TokenRecord) override {}
  void execution(ExecutionRecord) override {}
  void barrier(BarrierRecord) override {}
  void array(ArrayRecord) override {}
  void items(ItemChunk) override {}
  void outcome(ArrayId, uint64_t, Outcome) override { ++seen; }
  void override_(IndexOverride) override {}
  void handed_out(TaskId) override {}
  void task(TaskRecord) override { ++seen; }
  void step(StepRecord) override {}
  void hand_out(HandOut) override {}
  uint64_t seen = 0;
};

void recover_tasks(benchmark::State& state) {
  File file;
  const auto n = static_cast<uint64_t>(state.range(0));
  for (uint64_t next = 1; next <= n;) {
    std::vector<Change> changes;
    for (int i = 0; i < 1'000; ++i) changes.push_back(PutTask{task(next++, file.now())});
    file.commit(changes);
  }
  CountingLoader loader;
  for (auto _ : state) {
    if (!file.store->load(loader).ok()) std::abort();
  }
  state.counters["tasks"] =
      benchmark::Counter(static_cast<double>(loader.seen), benchmark::Counter::kIsRate);
}
BENCHMARK(recover_tasks)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace tidemill::store

BENCHMARK_MAIN();
