#pragma once
// Contexts: what an assignment needs to know before its tools can run, fetched through the exchange
// and cached: executions, plans (compiled once), the scope of a step, and results of other steps by
// reference. All items of an array share one StepContext. Owned by the Worker; its event thread
// only.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/exchange.h"
#include "playbook/plan.h"
#include "playbook/step_scope.h"
#include "wire/exchange.h"
#include "worker/internal/secrets.h"
#include "worker/internal/tool_set.h"

namespace tidemill::worker {

struct ExecutionContext {
  // A connection of `tools` stands for the keychain's entry of the same name.
  ExecutionContext(wire::ExecutionInfo info, playbook::PlanPtr plan, playbook::Value workload,
                   const ToolSet* tools);

  wire::ExecutionInfo info;
  playbook::PlanPtr plan;
  playbook::Value workload;  // a map
  // `keychain`, rendered; undefined when the plan has none. Never leaves this process.
  playbook::Value keychain;
  std::string keychain_error;  // why it could not be rendered
  Secrets secrets;             // of the keychain
  playbook::Scope workload_names;
  playbook::Scope names;  // workload keys, `workload`, `execution_id`, `keychain`
};

struct StepContext {
  explicit StepContext(std::shared_ptr<const ExecutionContext> execution);

  std::shared_ptr<const ExecutionContext> execution;
  playbook::StepScope scope;  // with all data in place of references
  const playbook::Step* step = nullptr;
  playbook::Scope names;  // names of the execution, results of steps, `step`, `event`
};
using StepContextPtr = std::shared_ptr<const StepContext>;

class Contexts {
 public:
  // `on_plan` is told of every plan when it is first loaded; it may be empty.
  using OnNewPlan = std::function<void(const playbook::Plan&)>;
  // `tools` may be null; else it is borrowed.
  explicit Contexts(wire::Exchange& exchange, OnNewPlan on_new_plan = {},
                    const ToolSet* tools = nullptr)
      : exchange_(exchange), on_new_plan_(std::move(on_new_plan)), tools_(tools) {}

  // `on_context` is called once, perhaps from within. Errors: what the exchange said; invalid (the
  // plan does not compile any more); corrupt.
  using OnContext = std::function<void(Result<StepContextPtr>)>;
  void step(const Assignment& assignment, OnContext on_context);

  using OnValue = std::function<void(Result<playbook::Value>)>;
  void result(ExecutionId execution, const ResultRef& ref, OnValue on_value);

 private:
  using OnExecution = std::function<void(Result<std::shared_ptr<const ExecutionContext>>)>;
  using OnPlan = std::function<void(Result<playbook::PlanPtr>)>;
  struct CachedStep {
    StepRef ref;
    SharedBytes input;
    StepContextPtr context;
  };
  struct CachedResult {
    playbook::Value value;
    uint64_t size = 0;
  };

  StepContextPtr cached_step(const Assignment& assignment) const;
  void execution(ExecutionId id, OnExecution on_execution);
  void build_execution(wire::ExecutionInfo info);
  void finish_execution(ExecutionId id, Result<std::shared_ptr<const ExecutionContext>> context);
  void plan(const Sha256& hash, const std::string& file, OnPlan on_plan);
  void build_step(std::shared_ptr<StepContext> context, StepRef ref, SharedBytes input,
                  OnContext on_context);
  void keep_result(const std::string& key, CachedResult result);

  wire::Exchange& exchange_;
  OnNewPlan on_new_plan_;
  const ToolSet* tools_;
  std::unordered_map<ExecutionId, std::shared_ptr<const ExecutionContext>> executions_;
  std::deque<ExecutionId> execution_order_;  // oldest first, for the bound
  std::unordered_map<ExecutionId, std::vector<OnExecution>> waiting_;
  std::unordered_map<std::string, playbook::PlanPtr> plans_;  // by hash
  std::deque<CachedStep> steps_;                              // newest first
  std::unordered_map<std::string, CachedResult> results_;     // by execution and reference
  std::deque<std::string> result_order_;                      // oldest first
  uint64_t result_bytes_ = 0;
};

}  // namespace tidemill::worker
