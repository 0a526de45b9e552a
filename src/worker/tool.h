#pragma once
// ToolRunner: how one kind of tool carries out one call. The pipeline runner renders a call's
// inputs, starts it here and goes on when it is done; nothing on the event thread ever blocks: a
// runner waits by descriptor, timer or own thread, and posts back. One runner per kind, owned by
// the Worker; every method and every callback is on the worker's event thread.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/outcome.h"
#include "playbook/plan.h"
#include "playbook/template.h"
#include "playbook/value.h"

namespace tidemill::worker {

using CallId = uint64_t;

// One call of one tool. References are valid during start() only; a runner copies what it keeps.
struct ToolCall {
  CallId id = 0;
  const playbook::Tool& tool;
  // tool.config rendered, except what the kind renders itself: `code` (never a template) and the
  // statements of the SQL tools, which bind values instead of inserting text.
  playbook::Value config;
  playbook::Value input;  // the step's input merged with the tool's, rendered
  const playbook::Scope& scope;
  // The connection that `auth` names: a string or a map; undefined without auth.
  playbook::Value auth;
  std::string task_key;
  std::optional<Duration> timeout;
  bool noetl = false;  // the document is noetl.io/v2: some errors are warnings
};

struct ToolResult {
  playbook::Value data;  // becomes output.data; present with an error too where it helps
  std::optional<TaskError> error;
  std::optional<int> http_status;    // output.http.status
  std::string log;                   // stdout and stderr of code, bounded, the tail kept
  uint64_t log_dropped = 0;          // bytes that went missing before it
  std::string log_note;              // lines for the beginning of the attempt's log
  Duration cpu{};
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
};

class ToolRunner {
 public:
  virtual ~ToolRunner() = default;

  using OnDone = std::function<void(ToolResult)>;
  // `on_done` is called exactly once: after start() has returned, or from within it when the result
  // is there at once. A call past its timeout ends with an error of kind "timeout".
  virtual void start(const ToolCall& call, OnDone on_done) = 0;
  // Stops a running call as soon as possible; its on_done still comes (kind "cancelled").
  virtual void cancel(CallId id) = 0;
};

}  // namespace tidemill::worker
