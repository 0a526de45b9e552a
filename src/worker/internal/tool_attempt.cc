#include "worker/internal/tool_attempt.h"

#include <array>
#include <utility>

#include "playbook/json.h"

namespace tidemill::worker {

namespace {

using playbook::ToolKind;
using playbook::Value;

constexpr std::array<std::string_view, 4> kKinds = {"noop", "shell", "http", "python"};
constexpr std::array<ToolKind, 4> kTools = {ToolKind::noop, ToolKind::shell, ToolKind::http,
                                            ToolKind::python};

}  // namespace

std::span<const std::string_view> ToolAttempt::kinds() { return kKinds; }

std::optional<ToolKind> ToolAttempt::tool_of(std::string_view kind) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == kind) return kTools[i];
  }
  return std::nullopt;
}

ToolAttempt::~ToolAttempt() { let_go(); }

void ToolAttempt::run() {
  tool_.kind = *tool_of(assignment().kind);
  tool_.name = assignment().kind;
  if (tool_.kind == ToolKind::noop) {
    note_begun();
    return finish_done("null");
  }
  runner_ = services_.driver.tools.find(tool_.kind);
  if (runner_ == nullptr) {
    return finish_failed({"config", "this worker has no tool '" + tool_.name + "'", false});
  }
  auto input = playbook::parse_json(assignment().input ? *assignment().input : "{}");
  if (!input.ok() || !input->is_map()) {
    return finish_failed({"config",
                          "the input of a task of kind '" + tool_.name +
                              "' is the tool's configuration: expected an object",
                          false});
  }
  config_ = std::move(*input);
  if (runs_code(tool_.kind)) return wait_for_slot();
  start();
}

void ToolAttempt::wait_for_slot() {
  Slots& slots = services_.driver.slots;
  if (slots.free() > 0 && slots.waiting() == 0) {
    slots.acquire([] {});
    has_slot_ = true;
    return start();
  }
  ticket_ = slots.acquire([this] {
    ticket_ = 0;
    has_slot_ = true;
    start();
  });
}

void ToolAttempt::start() {
  note_begun();
  ++usage_.calls;
  running_ = ++services_.driver.last_call;
  const Value args = config_.get("args");
  const ToolCall call{.id = running_,
                      .tool = tool_,
                      .config = config_,
                      .input = args.is_map() ? args : Value(playbook::Map()),
                      .scope = scope_,
                      .auth = {},
                      .task_key = "task/" + std::to_string(assignment().work.task.raw),
                      .timeout = {}};
  runner_->start(call, [this, id = running_, alive = alive()](ToolResult result) {
    if (alive.expired() || running_ != id) return;
    // It may come from within start(), and the end of the attempt destroys it.
    services_.driver.loop.defer([this, alive, result = std::move(result)]() mutable {
      if (!alive.expired()) take(std::move(result));
    });
  });
}

void ToolAttempt::take(ToolResult result) {
  running_ = 0;
  let_go();
  usage_.cpu = result.cpu;
  usage_.bytes_in = result.bytes_in;
  usage_.bytes_out = result.bytes_out;
  if (!result.log.empty()) {
    usage_.log.emplace(limits::kLogMax);
    usage_.log->skip(result.log_dropped);
    usage_.log->add(result.log);
  }
  if (why_stopped_) return finish_failed(std::move(*why_stopped_));
  if (result.error) return finish_failed(std::move(*result.error));
  finish_done(playbook::to_json(result.data));
}

void ToolAttempt::stop_running(TaskError why) {
  if (running_ == 0) {
    let_go();
    return finish_failed(std::move(why));
  }
  why_stopped_ = std::move(why);
  runner_->cancel(running_);  // its end comes through take()
}

void ToolAttempt::let_go() {
  if (ticket_ != 0) services_.driver.slots.withdraw(std::exchange(ticket_, 0));
  if (running_ != 0) runner_->cancel(std::exchange(running_, 0));
  if (std::exchange(has_slot_, false)) services_.driver.slots.release();
}

}  // namespace tidemill::worker
