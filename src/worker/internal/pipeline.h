#pragma once
// Pipeline: one run of a step's tools as a state machine without clock, thread or I/O. Its driver
// asks what comes next, does it, and tells the outcome:
//
//   begin() ──▶ Call ──call_done()──▶ Call … ──▶ Finished
//                 ▲ │ policy: retry
//                 │ ▼
//                 Wait ──wait_over()
//
// Names, nearest first: iterator variables, step input, earlier tools' results, steps, workload
// keys. Owned by one attempt; the worker's event thread. Not moved once begun: scopes point into
// it.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/outcome.h"
#include "playbook/plan.h"
#include "playbook/step_scope.h"
#include "worker/internal/policy.h"
#include "worker/tool.h"

namespace tidemill::worker {

// One item of a loop.
struct Iteration {
  std::string iterator;
  playbook::Value item;
  uint64_t index = 0;
  uint64_t total = 0;
};

struct PipelineInput {
  const playbook::Plan& plan;
  std::span<const playbook::Tool> tools;  // at least one
  bool is_pipeline = false;               // the result holds every tool's result under its name
  const playbook::InputTree& input;       // the step's
  const playbook::Scope& names;           // of the step: results of others, workload, keychain
  playbook::Value ctx;                    // a map
  std::optional<Iteration> iteration;
  std::string task_key;
  std::string call_key;  // task_key, or what tells apart several runs under one task_key
};

class Pipeline {
 public:
  explicit Pipeline(PipelineInput input);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Valid until the next call of the pipeline.
  struct Call {
    const playbook::Tool* tool;  // of a workbook reference: the tool it names
    playbook::Value config;
    playbook::Value input;
    const playbook::Scope* scope;
    std::string auth;  // the name of a connection; "" for none
    std::string key;   // of a call of a playbook, stable over re-runs of the task: names the child
  };
  struct Wait {
    Duration delay;
  };
  struct Finished {
    std::optional<TaskError> error;
    playbook::Value data;
    std::optional<int> http_status;
  };
  using Next = std::variant<Call, Wait, Finished>;

  Next begin();
  Next call_done(ToolResult result);
  Next wait_over() { return call(); }

  // The state in the middle of a call, as JSON, and a pipeline brought back to it: call_done() is
  // next.
  std::string save() const;
  Status restore(std::string_view saved);  // errors: corrupt

  const std::vector<playbook::CtxWrite>& ctx_writes() const { return ctx_writes_; }
  uint32_t calls() const { return static_cast<uint32_t>(calls_); }

 private:
  // What a tool gave when it ran last.
  struct ToolOutput {
    size_t tool;
    playbook::StepOutput output;
  };

  std::optional<TaskError> render_input();
  void name_near(const playbook::Scope& outer);
  Next enter(size_t tool);  // its first try
  Next call();
  Next refuse(const playbook::EvalError& error);
  Finished failed(TaskError error);
  TaskError placed(TaskError error) const;
  const playbook::Tool* resolve_workbook(const playbook::Tool& reference, TaskError& error) const;
  std::optional<TaskError> render_call(Call& out);
  std::optional<TaskError> add_input(const playbook::InputTree& input);
  void remember(const ToolResult& result);
  void show_output();
  const playbook::StepOutput& output_of(size_t tool) const;
  void write(PolicyWrite write);
  Next follow(Decision decision);
  Finished succeeded() const;

  PipelineInput in_;
  playbook::Value input_{playbook::Map()};  // of the step, rendered
  playbook::Value iter_{playbook::Map()};
  // The scopes from far to near; `tool_names_` are the inputs of the current call.
  playbook::Scope results_;
  std::optional<playbook::Scope> input_names_;
  std::optional<playbook::Scope> near_;
  playbook::Value tool_input_;
  std::optional<playbook::Scope> tool_names_;

  size_t at_ = 0;
  const playbook::Tool* called_ = nullptr;  // what the tool at at_ stands for; null: itself
  uint32_t attempt_ = 1;  // of the tool at at_
  uint64_t calls_ = 0;
  std::vector<uint32_t> visits_;     // by tool: how often it was entered
  std::vector<ToolOutput> outputs_;  // of the tools that ran
  std::optional<TaskError> failure_;
  std::vector<playbook::CtxWrite> ctx_writes_;
};

}  // namespace tidemill::worker
