#pragma once
// A Crew on a loop of its own with a FakeExchange and FakeTools. For tests; one thread.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "os/event_loop.h"
#include "worker/internal/crew.h"
#include "worker/internal/fake_exchange.h"
#include "worker/internal/fake_tool.h"

namespace tidemill::worker {

class CrewBench {
 public:
  explicit CrewBench(uint32_t slots = 2, uint32_t places = 8)
      : exchange(loop), options{.slots = slots, .places = places} {
    exchange.on_report = [this] {
      if (exchange.reports.size() >= wanted_) loop.stop();
    };
    tools.add(playbook::ToolKind::noop, make_noop_runner());
  }

  FakeTool& add_tool(playbook::ToolKind kind, FakeTool::Answer answer = {}) {
    auto tool = std::make_unique<FakeTool>(std::move(answer));
    FakeTool& added = *tool;
    tools.add(kind, std::move(tool));
    return added;
  }
  Crew& start() {
    crew_ = std::make_unique<Crew>(loop, exchange, options, std::move(tools));
    crew_->start();
    return *crew_;
  }
  // Runs the loop until that many reports have come in all.
  void until_reports(size_t n) {
    wanted_ = n;
    if (exchange.reports.size() < n) run();
    ASSERT_GE(exchange.reports.size(), n);
  }
  // Runs the loop until nothing happens of itself any more.
  void settle() {
    settle_rounds(20);
    run();
  }
  void run() {
    const auto deadline = loop.after(seconds(60), [this] {
      ADD_FAILURE() << "nothing happened";
      loop.stop();
    });
    loop.run();
    loop.cancel(deadline);
  }
  const Report& report(size_t i) const { return exchange.reports.at(i); }
  std::string result(size_t i) const {
    EXPECT_EQ(report(i).kind, Report::Kind::done) << report(i).error.message;
    return report(i).result.inline_json;
  }

  os::EventLoop loop;
  FakeExchange exchange;
  CrewOptions options;
  ToolSet tools;

 private:
  void settle_rounds(int left) {
    loop.post([this, left] { left == 0 ? loop.stop() : settle_rounds(left - 1); });
  }

  size_t wanted_ = SIZE_MAX;
  std::unique_ptr<Crew> crew_;
};

}  // namespace tidemill::worker
