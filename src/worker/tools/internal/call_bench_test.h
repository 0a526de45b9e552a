#pragma once
// Runs tool calls to their end on an event loop of its own. For the tests of http, sqlite and
// postgres, which need connections and scopes; one thread.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "os/event_loop.h"
#include "playbook/json.h"
#include "worker/tool.h"

namespace tidemill::worker {

inline playbook::Value from_json(std::string_view text) {
  auto value = playbook::parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? std::move(value).value() : playbook::Value();
}

// A configuration of one statement key, as the compiler would make it of YAML text.
inline playbook::InputTree statement_tree(std::string_view key, std::string_view text) {
  auto source = playbook::Template::compile(text, {1, 1});
  EXPECT_TRUE(source.ok()) << text << ": " << (source.ok() ? "" : source.error().text);
  playbook::InputTree::Fields fields;
  fields.emplace_back(std::string(key), playbook::InputTree{source.value()});
  return playbook::InputTree{std::move(fields)};
}

struct BenchCall {
  playbook::Value config = playbook::Map();
  playbook::Value auth = {};
  std::string statement = {};  // becomes tool.config {query: …}
  std::string scope = "{}";    // names and values, as JSON
  std::optional<Duration> timeout = {};
  bool noetl = false;
};

class CallBench {
 public:
  struct Pending {
    CallId id = 0;
    std::optional<ToolResult> result;
  };

  os::EventLoop& loop() { return loop_; }
  void use(std::unique_ptr<ToolRunner> runner) { runner_ = std::move(runner); }
  ToolRunner& runner() { return *runner_; }

  // The result is in what is returned, once finish() has run.
  Pending& start(const BenchCall& c) {
    Pending& pending = pending_.emplace_back();
    pending.id = pending_.size();
    playbook::Tool tool;
    if (!c.statement.empty()) tool.config = statement_tree("query", c.statement);
    playbook::Scope scope;
    const playbook::Value names = from_json(c.scope);
    for (const auto& [name, value] : names.as_map()) scope.set(name, value);
    const ToolCall call{.id = pending.id,
                        .tool = tool,
                        .config = c.config,
                        .input = playbook::Map(),
                        .scope = scope,
                        .auth = c.auth,
                        .task_key = "x-1-1",
                        .timeout = c.timeout,
                        .noetl = c.noetl};
    ++open_;
    runner_->start(call, [this, &pending](ToolResult r) {
      EXPECT_FALSE(pending.result.has_value()) << "on_done was called twice";
      pending.result = std::move(r);
      if (--open_ == 0 && running_) loop_.stop();
    });
    return pending;
  }
  void finish() {
    if (open_ == 0) return;
    running_ = true;
    const auto guard = loop_.after(seconds(60), [this] { loop_.stop(); });
    loop_.run();
    loop_.cancel(guard);
    running_ = false;
    EXPECT_EQ(open_, 0) << "calls without an answer";
  }
  ToolResult run(const BenchCall& c) {
    Pending& pending = start(c);
    finish();
    return pending.result.value_or(ToolResult{});
  }

 private:
  os::EventLoop loop_;
  std::unique_ptr<ToolRunner> runner_;
  std::deque<Pending> pending_;
  int open_ = 0;
  bool running_ = false;
};

}  // namespace tidemill::worker
