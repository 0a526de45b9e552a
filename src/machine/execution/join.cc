#include <algorithm>

#include "machine/execution/flow.h"

namespace tidemill::machine::execution {

namespace {

// A loop that is about to go round again may still lead to the step behind it. It holds back no
// step that it dominates: that one it would enter anew, and it waits for it.
bool held_by_next_round(const LiveExecution& e, uint32_t at) {
  const StepSet& blocked_by = e.index->steps[at].blocked_by;
  if (!e.again_back.meets(blocked_by, at)) return false;
  for (auto head = e.again_back.next(0); head; head = e.again_back.next(*head + 1)) {
    if (*head == at || !blocked_by.has(*head)) continue;
    if (!e.index->steps[*head].dominates.has(at)) return true;
  }
  return false;
}

// An entry of an arc is held back by what may still lead to the step; an entry of a back edge by
// all that belongs to the epoch which it ends.
bool may_start(const LiveExecution& e, uint32_t at) {
  const PlanIndex::Step& step = e.index->steps[at];
  const bool back = e.again_back.has(at);
  const StepSet& holds = back ? step.dominates : step.blocked_by;
  if (e.working.meets(holds, at) || e.waiting.meets(holds, at)) return false;
  if (e.again_forward.meets(holds, at)) return false;
  return back ? !e.again_back.meets(holds, at) : !held_by_next_round(e, at);
}

bool start_all(State& s, LiveExecution& e, const StepSet& entries) {
  bool any = false;
  const StepSet now = entries;  // starting one changes the sets
  for (auto at = now.next(0); at; at = now.next(*at + 1)) {
    if (!entries.has(*at) || !may_start(e, *at)) continue;
    any = true;
    start_step(s, e, *at);
  }
  return any;
}

}  // namespace

bool start_ready(State& s, LiveExecution& e) {
  if (e.record.state != ExecutionRecord::State::running || e.record.cancel_requested) return false;
  if (e.waiting.empty() && e.again_forward.empty() && e.again_back.empty()) return false;
  bool any = start_all(s, e, e.waiting);
  any = start_all(s, e, e.again_forward) || any;
  any = start_all(s, e, e.again_back) || any;
  if (any || !e.working.empty()) return any;
  // Entries of a cycle that is entered in several places can hold back each other: they must not
  // wait for ever.
  const auto first = std::min(e.waiting.next(0).value_or(UINT32_MAX),
                              e.again_forward.next(0).value_or(UINT32_MAX));
  TIDEMILL_ASSERT(first != UINT32_MAX);  // back edges alone cannot: dominance is an order
  start_step(s, e, first);
  return true;
}

}  // namespace tidemill::machine::execution
