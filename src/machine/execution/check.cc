// What must hold between turns.
#include "machine/execution/flow.h"
#include "playbook/json.h"

namespace tidemill::machine::execution {

namespace {

void check_work(const State& s, const StepRecord& record) {
  if (!is_working(record.state)) return;
  const bool loop = record.state == StepRecord::State::running && static_cast<bool>(record.array);
  if (loop) {
    const auto found = s.arrays.find(record.array);
    TIDEMILL_ASSERT(found != s.arrays.end());
    TIDEMILL_ASSERT(found->second.record.work.step == record.ref);
  } else {
    const auto found = s.tasks.all.find(record.task);
    TIDEMILL_ASSERT(found != s.tasks.all.end());
    TIDEMILL_ASSERT(found->second.record.work.step == record.ref);
  }
}

void check_step(const State& s, const LiveExecution& e, uint32_t at) {
  if (!e.steps[at]) {
    TIDEMILL_ASSERT(!e.waiting.has(at) && !e.working.has(at));
    TIDEMILL_ASSERT(!e.again_forward.has(at) && !e.again_back.has(at));
    return;
  }
  const StepRecord& record = e.steps[at]->record;
  TIDEMILL_ASSERT(record.ref.execution == e.record.id && record.ref.step == at);
  TIDEMILL_ASSERT(record.ref.epoch > 0);
  TIDEMILL_ASSERT(!e.steps[at]->dirty);
  TIDEMILL_ASSERT(e.waiting.has(at) == (record.state == StepRecord::State::waiting));
  TIDEMILL_ASSERT(e.working.has(at) == is_working(record.state));
  const bool ended = !is_live(record.state);
  TIDEMILL_ASSERT(e.again_forward.has(at) == (ended && record.again == StepRecord::Again::forward));
  TIDEMILL_ASSERT(e.again_back.has(at) == (ended && record.again == StepRecord::Again::back));
  check_work(s, record);
}

}  // namespace

void check(const State& s) {
  TIDEMILL_ASSERT(s.executions.unsettled.empty());
  size_t children = 0;
  for (const auto& [id, e] : s.executions.live) {
    TIDEMILL_ASSERT(e.ended.empty() && !e.dirty && !e.record_dirty && !e.unsettled);
    // Whatever is alive has something that will move it.
    TIDEMILL_ASSERT(!e.working.empty());
    for (uint32_t at = 0; at < e.steps.size(); ++at) check_step(s, e, at);
    TIDEMILL_ASSERT(playbook::to_json(e.ctx) == *e.record.ctx);
    for (const ExecutionId child : e.children) {
      const LiveExecution* live = find(s, child);
      TIDEMILL_ASSERT(live != nullptr && live->parent == id);
    }
    children += e.children.size();
  }
  TIDEMILL_ASSERT(children == s.executions.children.size());
}

uint64_t replay_hash(const State& s) {
  // Everything that decides what happens next is on record; the parsed forms follow from it.
  TIDEMILL_ASSERT(s.executions.unsettled.empty());
  return 0;
}

}  // namespace tidemill::machine::execution
