#pragma once
// The tools every worker has. Made once by the Worker, before its thread runs; then owned by the
// Crew and used on the event thread only.
#include <functional>

#include "os/event_loop.h"
#include "worker/internal/tool_set.h"
#include "worker/worker.h"

namespace tidemill::worker {

struct StandardTools {
  ToolSet tools;
  // Prepares the tools that a plan needs: an interpreter takes its time to start.
  std::function<void(const playbook::Plan&)> on_plan;
};

StandardTools make_standard_tools(os::EventLoop& loop, const WorkerOptions& options);

}  // namespace tidemill::worker
