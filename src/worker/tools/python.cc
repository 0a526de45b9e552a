#include "worker/tools/python.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "playbook/json.h"
#include "worker/tools/internal/interpreter.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

// What tracebacks name as the file: the step, which task keys hold ("execution/step/epoch/index"),
// and the tool when it has a name of its own.
std::string code_name(const ToolCall& call) {
  const size_t from = call.task_key.find('/') + 1;  // 0 when there is none
  const std::string step = call.task_key.substr(from, call.task_key.find('/', from) - from);
  if (from == 0 || step.empty()) return "tool '" + call.tool.name + "'";
  if (step == call.tool.name) return "step '" + step + "'";
  return "step '" + step + "', tool '" + call.tool.name + "'";
}

struct Running {
  std::unique_ptr<Interpreter> interpreter;
  ToolRunner::OnDone on_done;
  os::EventLoop::TimerId timer = 0;
  bool fresh = false;
};

class Runner final : public PythonRunner {
 public:
  Runner(os::EventLoop& loop, PythonOptions options) : loop_(loop), options_(std::move(options)) {}

  ~Runner() override {
    for (auto& [id, call] : calls_) {
      if (call.timer != 0) loop_.cancel(call.timer);
    }
  }

  void warm_up() override {
    if (!idle_.empty() || !calls_.empty()) return;
    // Whether it cannot be started is told by the first call.
    if (auto interpreter = launch(); interpreter.ok()) idle_.push_back(std::move(*interpreter));
  }

  void start(const ToolCall& call, OnDone on_done) override {
    const Value code = call.config.get("code");
    if (!code.is_string()) return refuse(on_done, "config", "a python tool needs `code`, a text");
    auto interpreter = take(call.tool.fresh_interpreter);
    if (!interpreter.ok()) {
      return refuse(on_done, "python",
                    interpreter.error().what + "; install python3 or name one with --python");
    }
    Running& running = calls_[call.id];
    running.interpreter = std::move(*interpreter);
    running.on_done = std::move(on_done);
    running.fresh = call.tool.fresh_interpreter;
    if (call.timeout) {
      running.timer = loop_.after(*call.timeout, [this, id = call.id, after = *call.timeout] {
        Running& late = calls_.at(id);
        late.timer = 0;
        late.interpreter->stop(
            {"timeout",
             fmt::format("still running after {:g} s; its interpreter was ended", after.seconds()),
             true},
            options_.grace);
      });
    }
    PythonRequest request{code_name(call), code.as_string(),
                          call.input.is_map() ? playbook::to_json(call.input) : "{}"};
    running.interpreter->run(std::move(request),
                             [this, id = call.id](ToolResult r) { finish(id, std::move(r)); });
  }

  void cancel(CallId id) override {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    found->second.interpreter->stop({"cancelled", "cancelled while it ran", false}, options_.grace);
  }

 private:
  static void refuse(const OnDone& on_done, std::string kind, std::string message) {
    ToolResult result;
    result.error = TaskError{std::move(kind), std::move(message), false};
    on_done(std::move(result));
  }

  Result<std::unique_ptr<Interpreter>> launch() {
    return Interpreter::start(loop_, options_.program, options_.folder);
  }

  Result<std::unique_ptr<Interpreter>> take(bool fresh) {
    if (fresh) return launch();
    while (!idle_.empty()) {
      std::unique_ptr<Interpreter> interpreter = std::move(idle_.back());
      idle_.pop_back();
      // One that ended while it was idle (somebody killed it) is passed over.
      if (interpreter->usable()) return interpreter;
    }
    return launch();
  }

  void finish(CallId id, ToolResult result) {
    const auto found = calls_.find(id);
    Running call = std::move(found->second);
    calls_.erase(found);
    if (call.timer != 0) loop_.cancel(call.timer);
    const Interpreter& used = *call.interpreter;
    const bool worn = !used.usable() || call.fresh || result_broke(result) ||
                      used.calls() >= options_.recycle_calls ||
                      used.memory_bytes() >= options_.recycle_bytes;
    // This runs inside the interpreter's own callback, so it is let go of in the next round.
    if (worn) {
      loop_.defer(
          [gone = std::make_shared<std::unique_ptr<Interpreter>>(std::move(call.interpreter))] {});
    } else {
      idle_.push_back(std::move(call.interpreter));
    }
    call.on_done(std::move(result));
  }

  static bool result_broke(const ToolResult& result) {
    return result.error && (result.error->kind == "timeout" || result.error->kind == "cancelled");
  }

  os::EventLoop& loop_;
  PythonOptions options_;
  std::vector<std::unique_ptr<Interpreter>> idle_;  // the one used last at the end
  std::unordered_map<CallId, Running> calls_;
};

}  // namespace

std::unique_ptr<PythonRunner> make_python_runner(os::EventLoop& loop, PythonOptions options) {
  return std::make_unique<Runner>(loop, std::move(options));
}

}  // namespace tidemill::worker
