#pragma once
// PipelineDriver: carries out what a Pipeline asks for: calls tools (in a slot when they run code),
// waits out delays, and counts what it cost. Owned by one attempt; the worker's event thread only.
// It may be destroyed at any time, also from within its own callback: what runs is cancelled.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/time.h"
#include "os/event_loop.h"
#include "worker/internal/contexts.h"
#include "worker/internal/pipeline.h"
#include "worker/internal/slots.h"
#include "worker/internal/tail_text.h"
#include "worker/internal/tool_set.h"

namespace tidemill::worker {

struct DriverServices {
  os::EventLoop& loop;
  ToolSet& tools;
  Slots& slots;
  CallId& last_call;
};

// What the calls of an attempt cost together; pipelines of one attempt share it.
struct Usage {
  Duration cpu{};
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint32_t calls = 0;
  std::optional<TailText> log;
  std::string log_note;  // what stands before the log
  bool begun = false;  // a tool has been called
};

class PipelineDriver {
 public:
  // The pipeline waits for a child execution.
  struct Suspend {
    playbook::Value config;
    playbook::Value input;
    std::string key;
    Duration timeout{};
    std::string state;  // of the pipeline
  };
  using Outcome = std::variant<Pipeline::Finished, Suspend>;
  using OnOutcome = std::function<void(Outcome)>;

  PipelineDriver(DriverServices services, StepContextPtr context, PipelineInput input, Usage& usage,
                 std::function<void()> on_begun, OnOutcome on_outcome);
  ~PipelineDriver();

  void begin();
  // Goes on where `state` was taken, with what the suspended call gave.
  Status resume(std::string_view state, ToolResult result);  // errors: corrupt
  // The suspended call could not be made: the pipeline goes on with this error.
  void fail_suspended(TaskError error);
  // Ends what runs; the outcome is `why`, when that has ended.
  void stop(TaskError why);

  const Pipeline& pipeline() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidemill::worker
