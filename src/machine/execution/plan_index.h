#pragma once
// PlanIndex: a Plan as the machine wants it: the sets of steps that hold back a join or begin a new
// epoch together, and which values each decision reads. Made once for a plan, shared by its
// executions, immutable; engine thread only.
#include <memory>
#include <vector>

#include "machine/execution/step_set.h"
#include "playbook/plan.h"
#include "playbook/routing.h"

namespace tidemill::machine {

// What one decision, or the tools of one step, read of finished steps: paths below their data.
struct StepReads {
  struct OfStep {
    uint32_t step = 0;
    std::vector<playbook::Path> data;  // none: only status, error or http
  };
  std::vector<OfStep> steps;  // each once, in the order of the document
  bool workload = false;
};

struct PlanIndex {
  explicit PlanIndex(playbook::PlanPtr plan);

  struct Step {
    StepSet blocked_by;
    StepSet dominates;
    StepReads admit;
    StepReads loop;
    StepReads transition;
    StepReads tools;
    std::vector<playbook::Path> tool_ctx;  // paths below ctx that the tools read
  };

  playbook::PlanPtr plan;
  std::vector<Step> steps;
};

using PlanIndexPtr = std::shared_ptr<const PlanIndex>;

}  // namespace tidemill::machine
