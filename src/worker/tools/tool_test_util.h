#pragma once
// Runs one tool call to its end on an event loop of its own. For the tests of tools; one thread.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "os/event_loop.h"
#include "playbook/json.h"
#include "worker/tool.h"

namespace tidemill::worker {

// A value from JSON text; the test fails when it is none.
inline playbook::Value json(std::string_view text) {
  auto value = playbook::parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? std::move(value).value() : playbook::Value();
}

class ToolBench {
 public:
  os::EventLoop& loop() { return loop_; }
  void use(std::unique_ptr<ToolRunner> runner) { runner_ = std::move(runner); }
  ToolRunner& runner() { return *runner_; }

  // Starts a call; the result is there when it is done.
  struct Pending {
    CallId id = 0;
    std::optional<ToolResult> result;
  };
  void start(Pending& pending, playbook::Value config, playbook::Value input = playbook::Map(),
             std::optional<Duration> timeout = std::nullopt) {
    pending.id = ++last_id_;
    const ToolCall call{.id = pending.id,
                        .tool = tool,
                        .config = std::move(config),
                        .input = std::move(input),
                        .scope = scope_,
                        .auth = {},
                        .task_key = "101/first/1/0",
                        .timeout = timeout};
    ++open_;
    runner_->start(call, [this, &pending](ToolResult r) {
      EXPECT_FALSE(pending.result.has_value()) << "on_done was called twice";
      pending.result = std::move(r);
      if (--open_ == 0) loop_.stop();
    });
  }
  // Until every started call is done.
  void finish() {
    if (open_ == 0) return;
    const auto deadline = loop_.after(seconds(120), [this] { loop_.stop(); });
    loop_.run();
    loop_.cancel(deadline);
    EXPECT_EQ(open_, 0);
  }
  ToolResult run(playbook::Value config, playbook::Value input = playbook::Map(),
                 std::optional<Duration> timeout = std::nullopt) {
    Pending pending;
    start(pending, std::move(config), std::move(input), timeout);
    finish();
    EXPECT_TRUE(pending.result.has_value());
    return pending.result.value_or(ToolResult{});
  }

  playbook::Tool tool;

 private:
  os::EventLoop loop_;
  playbook::Scope scope_;
  std::unique_ptr<ToolRunner> runner_;
  CallId last_id_ = 0;
  int open_ = 0;
};

}  // namespace tidemill::worker
