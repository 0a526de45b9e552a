#include "worker/worker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "os/file.h"
#include "os/sync.h"
#include "worker/internal/fake_exchange.h"

namespace tidemill::worker {
namespace {

// A Worker with its real thread and tools, and an exchange that lives on that thread.
class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() : worker({.slots = 2, .python = "/usr/bin/python3"}), exchange(worker.loop()) {
    exchange.on_report = [this] {
      os::Lock lock(mutex_);
      reports_ = exchange.reports;
      changed_.notify_all();
    };
  }
  ~WorkerTest() override { worker.stop(); }

  void hand_out(Assignment a) {
    worker.loop().post([this, a = std::move(a)] { exchange.hand_out(a); });
  }
  std::vector<Report> until_reports(size_t n) {
    os::Lock lock(mutex_);
    while (reports_.size() < n) {
      if (!changed_.wait_for(mutex_, seconds(60))) {
        ADD_FAILURE() << "only " << reports_.size() << " reports came";
        return std::vector<Report>(n);
      }
    }
    return reports_;
  }

  Worker worker;
  FakeExchange exchange;

 private:
  os::Mutex mutex_;
  os::Condition changed_;
  std::vector<Report> reports_ GUARDED_BY(mutex_);
};

TEST_F(WorkerTest, RunsThePythonAndTheShellOfAPipeline) {
  const auto id = exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workflow:\n  - step: start\n    tool:\n"
      "      - {name: make, kind: python, code: \"print('made')\\nresult = {'n': 6 * 7}\"}\n"
      "      - {name: say, kind: shell, cmd: 'echo {{ make.n }}'}\n");
  const Assignment a = exchange.task(id, "start");
  worker.start(exchange);
  hand_out(a);
  const Report r = until_reports(1)[0];
  EXPECT_EQ(r.kind, Report::Kind::done) << r.error.message;
  EXPECT_EQ(r.result.inline_json,
            R"({"stdout":"42\n","stderr":"","exit_code":0,"make":{"n":42},)"
            R"("say":{"stdout":"42\n","stderr":"","exit_code":0}})");
  EXPECT_EQ(r.log, "made\n42\n");
  EXPECT_EQ(r.trace.calls, 2u);
  EXPECT_GT(r.trace.cpu.ns, 0);
  EXPECT_LE(r.trace.inputs_ready, r.trace.started);
  EXPECT_LE(r.trace.started, r.trace.finished);
  EXPECT_LE(r.trace.finished, r.trace.sent);
}

TEST_F(WorkerTest, ManyItemsRunAndADrainEndsIt) {
  const auto id = exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\nworkload: {xs: []}\n"
      "workflow:\n  - step: start\n    loop: {in: '{{ xs }}', iterator: x,\n"
      "      spec: {mode: parallel, max_in_flight: 10}}\n"
      "    tool: {kind: shell, command: [printf, '%s', '{{ x }}']}\n");
  std::vector<std::string> items;
  for (int i = 0; i < 50; ++i) items.push_back(std::to_string(i));
  const Assignment a = exchange.array(id, "start", items);
  worker.start(exchange);
  hand_out(a);
  std::vector<uint64_t> seen;
  for (const Report& r : until_reports(50)) {
    EXPECT_EQ(r.kind, Report::Kind::done) << r.error.message;
    EXPECT_TRUE(r.result.inline_json.starts_with("{\"stdout\":\"" + std::to_string(r.work.first)));
    seen.push_back(r.work.first);
  }
  std::sort(seen.begin(), seen.end());
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(seen[i], i);

  os::Mutex mutex;
  os::Condition done;
  bool drained = false;
  worker.drain([&] {
    os::Lock lock(mutex);
    drained = true;
    done.notify_all();
  });
  os::Lock lock(mutex);
  while (!drained && done.wait_for(mutex, seconds(60))) {
  }
  EXPECT_TRUE(drained);
}

TEST_F(WorkerTest, StoppingKillsWhatRuns) {
  const auto id = exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workflow:\n  - step: start\n    tool:\n"
      "      - {name: a, kind: shell, cmd: 'true'}\n"
      "      - {name: b, kind: shell, cmd: 'sleep 1000'}\n");
  const Assignment one = exchange.task(id, "start");
  worker.start(exchange);
  hand_out(one);
  worker.stop();
  EXPECT_TRUE(exchange.reports.empty());
}

TEST(Hello, TheFirstExampleCompiles) {
  const auto text = os::read_file("examples/hello.yaml");
  ASSERT_TRUE(text.ok());
  const auto compiled = playbook::compile(*text, "examples/hello.yaml");
  EXPECT_TRUE(compiled.plan != nullptr);
  for (const auto& d : compiled.diagnostics) {
    ADD_FAILURE() << playbook::format(d, "examples/hello.yaml", *text);
  }
}

}  // namespace
}  // namespace tidemill::worker
