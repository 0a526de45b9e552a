#pragma once
// ToolAttempt: one call of one tool, for a task that belongs to no playbook: its kind names the
// tool, its input is the tool's configuration as it stands (no templates). Owned by the Crew; the
// worker's event thread only.
#include <optional>
#include <span>
#include <string_view>

#include "worker/internal/attempt.h"

namespace tidemill::worker {

class ToolAttempt final : public Attempt {
 public:
  using Attempt::Attempt;
  ~ToolAttempt() override;

  // Kinds of tasks that are tools: noop, shell, http, python.
  static std::span<const std::string_view> kinds();
  static std::optional<playbook::ToolKind> tool_of(std::string_view kind);

 protected:
  void prepare() override { enter(); }
  void run() override;
  void stop_running(TaskError why) override;

 private:
  void wait_for_slot();
  void start();
  void take(ToolResult result);
  void let_go();

  playbook::Tool tool_;
  playbook::Value config_;
  playbook::Scope scope_;
  ToolRunner* runner_ = nullptr;
  CallId running_ = 0;
  Slots::Ticket ticket_ = 0;
  bool has_slot_ = false;
  std::optional<TaskError> why_stopped_;
};

}  // namespace tidemill::worker
