#pragma once
// The tables of executions and steps inside State, owned by execution/. Of every step the machine
// holds the newest epoch only, so what one event costs depends on the size of the playbook at most,
// never on what the run has done before. Engine thread only.
//
//   an entry ─▶ waiting ─▶ [expanding] ─▶ running ─▶ [routing] ─▶ done, failed, skipped or
//   cancelled
//                  ▲                                                     │ again: forward or back
//                  └───────────────── the next epoch ◀───────────────────┘
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "machine/execution/plan_index.h"
#include "model/records.h"
#include "playbook/value.h"

namespace tidemill::machine {

struct LiveStep {
  StepRecord record;
  uint64_t share = 0;  // of state_hash
  bool dirty = false;  // PutStep at the end of this turn
};

struct EndedStep {
  uint32_t step = 0;
  playbook::Ending ending = playbook::Ending::done;
  bool cancelled = false;
};

struct LiveExecution {
  ExecutionRecord record;  // its ctx is as old as the last turn while ctx_changed
  uint64_t share = 0;
  bool dirty = false;         // in ExecutionTables::dirty
  bool record_dirty = false;  // PutExecution at the end of this turn
  bool ctx_changed = false;
  bool unsettled = false;  // in ExecutionTables::unsettled

  PlanIndexPtr index;
  playbook::Value ctx;
  std::optional<playbook::Value> workload;       // parsed when it is first read
  std::vector<std::unique_ptr<LiveStep>> steps;  // by StepIndex; null: never entered

  StepSet waiting;        // entered for the first time, not started
  StepSet working;        // expanding, running, routing, or ended and not yet routed
  StepSet again_forward;  // at their end, and entered again
  StepSet again_back;
  std::deque<EndedStep> ended;  // in this turn, not yet routed
  std::vector<uint32_t> dirty_steps;
  ExecutionId parent;              // whose task waits for this one
  std::set<ExecutionId> children;  // live ones

  const playbook::Plan& plan() const { return *index->plan; }
};

struct ExecutionTables {
  std::map<ExecutionId, LiveExecution> live;
  // Live children by (parent execution, key).
  std::map<std::pair<ExecutionId, std::string>, ExecutionId> children;
  std::map<Sha256, std::weak_ptr<const PlanIndex>> plans;
  std::deque<ExecutionId> unsettled;
  std::vector<ExecutionId> dirty;
};

}  // namespace tidemill::machine
