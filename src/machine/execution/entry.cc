#include "machine/execution/flow.h"
#include "machine/internal/emit.h"

namespace tidemill::machine::execution {

namespace {

void await_next_epoch(State& s, LiveExecution& e, LiveStep& step, Entry entry) {
  StepRecord& record = step.record;
  // Two entries before the next epoch begins are one; a back edge among them has the say.
  if (record.again == StepRecord::Again::back) return;
  record.again = entry == Entry::back ? StepRecord::Again::back : StepRecord::Again::forward;
  touch(s, e, step);
  if (is_live(record.state)) return;  // its end moves it into the sets
  e.again_forward.remove(record.ref.step);
  (entry == Entry::back ? e.again_back : e.again_forward).add(record.ref.step);
}

void supersede_dominated(State& s, LiveExecution& e, uint32_t head) {
  const StepSet& dominated = e.index->steps[head].dominates;
  for (auto i = dominated.next(0); i; i = dominated.next(*i + 1)) {
    if (*i == head || !e.steps[*i]) continue;
    LiveStep& step = *e.steps[*i];
    TIDEMILL_ASSERT(!is_live(step.record.state));  // or the entry had waited
    if (step.record.superseded) continue;
    step.record.superseded = true;
    touch(s, e, step);
  }
}

}  // namespace

void enter(State& s, LiveExecution& e, uint32_t at, Entry entry) {
  TIDEMILL_ASSERT(at < e.steps.size());
  if (!e.steps[at]) {
    e.steps[at] = std::make_unique<LiveStep>();
    LiveStep& step = *e.steps[at];
    step.record.ref = {.execution = e.record.id, .step = at, .epoch = 1};
    step.record.entered_at = s.turn.now.wall;
    e.waiting.add(at);
    touch(s, e, step);
    return;
  }
  LiveStep& step = *e.steps[at];
  if (step.record.state == StepRecord::State::waiting) return;  // joins the entry that waits
  await_next_epoch(s, e, step, entry);
}

LiveStep& begin_epoch(State& s, LiveExecution& e, uint32_t at) {
  LiveStep& step = *e.steps[at];
  StepRecord& record = step.record;
  if (record.state == StepRecord::State::waiting) return step;
  TIDEMILL_ASSERT(!is_live(record.state));
  TIDEMILL_ASSERT(record.again != StepRecord::Again::none);
  const bool back = record.again == StepRecord::Again::back;
  if (back) supersede_dominated(s, e, at);
  record.again = StepRecord::Again::none;
  // The old epoch leaves memory here; what it was stays on record.
  emit(s, PutStep{record});
  StepRecord next;
  next.ref = record.ref;
  ++next.ref.epoch;
  next.from_back_edge = back;
  next.entered_at = s.turn.now.wall;
  record = std::move(next);
  e.again_forward.remove(at);
  e.again_back.remove(at);
  e.waiting.add(at);
  touch(s, e, step);
  return step;
}

void set_state(State& s, LiveExecution& e, LiveStep& step, StepRecord::State state) {
  const uint32_t at = step.record.ref.step;
  TIDEMILL_ASSERT(is_live(step.record.state));
  step.record.state = state;
  e.waiting.remove(at);
  e.working.remove(at);
  if (is_working(state)) {
    e.working.add(at);
  } else {
    TIDEMILL_ASSERT(!is_live(state));
    step.record.finished_at = s.turn.now.wall;
    if (step.record.again == StepRecord::Again::forward) e.again_forward.add(at);
    if (step.record.again == StepRecord::Again::back) e.again_back.add(at);
  }
  touch(s, e, step);
}

}  // namespace tidemill::machine::execution
