#pragma once
// A tool whose calls a test answers itself, at once or later. Owned by the ToolSet of the test; the
// thread of its loop only.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/tool.h"

namespace tidemill::worker {

class FakeTool final : public ToolRunner {
 public:
  struct Seen {
    CallId id = 0;
    std::string name;
    playbook::Value config;
    playbook::Value input;
    playbook::Value auth;
    std::string task_key;
  };
  // Answers a call at once, or leaves it open.
  using Answer = std::function<std::optional<ToolResult>(const Seen&)>;
  explicit FakeTool(Answer answer = {}) : answer_(std::move(answer)) {}

  void start(const ToolCall& call, OnDone on_done) override {
    seen.push_back({call.id, call.tool.name, call.config, call.input, call.auth, call.task_key});
    if (answer_) {
      if (auto result = answer_(seen.back())) return on_done(std::move(*result));
    }
    open[call.id] = std::move(on_done);
    most_open = std::max(most_open, open.size());
    if (on_open) on_open();
  }
  void cancel(CallId id) override {
    cancelled.push_back(id);
    ToolResult result;
    result.error = TaskError{"cancelled", "cancelled", false};
    finish(id, std::move(result));
  }
  void finish(CallId id, ToolResult result) {
    const auto on_done = std::move(open.at(id));
    open.erase(id);
    on_done(std::move(result));
  }
  void finish_first(playbook::Value data) {
    ToolResult result;
    result.data = std::move(data);
    finish(open.begin()->first, std::move(result));
  }

  std::vector<Seen> seen;
  std::map<CallId, OnDone> open;
  std::vector<CallId> cancelled;
  size_t most_open = 0;
  std::function<void()> on_open;

 private:
  Answer answer_;
};

inline ToolResult ok_result(playbook::Value data) {
  ToolResult result;
  result.data = std::move(data);
  return result;
}
inline ToolResult failed_result(std::string kind, std::string message = "it failed") {
  ToolResult result;
  result.error = TaskError{std::move(kind), std::move(message), true};
  return result;
}

}  // namespace tidemill::worker
