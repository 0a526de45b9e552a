#include "machine/execution/flow.h"
#include "machine/internal/emit.h"
#include "machine/internal/work.h"
#include "playbook/json.h"

namespace tidemill::machine::execution {

namespace {

void flush_step(State& s, LiveStep& step) {
  if (!step.dirty) return;
  step.dirty = false;
  rehash(s, step.share, step.record);
  emit(s, PutStep{step.record});
}

void flush_execution(State& s, LiveExecution& e) {
  for (const uint32_t step : e.dirty_steps) flush_step(s, *e.steps[step]);
  e.dirty_steps.clear();
  if (!e.record_dirty) return;
  e.record_dirty = false;
  if (e.ctx_changed) {
    e.record.ctx = std::make_shared<const std::string>(playbook::to_json(e.ctx));
    e.ctx_changed = false;
  }
  rehash(s, e.share, e.record);
  emit(s, PutExecution{e.record});
}

void mark_dirty(State& s, LiveExecution& e) {
  if (e.dirty) return;
  e.dirty = true;
  s.executions.dirty.push_back(e.record.id);
}

}  // namespace

LiveExecution* find(State& s, ExecutionId id) {
  const auto found = s.executions.live.find(id);
  return found == s.executions.live.end() ? nullptr : &found->second;
}

const LiveExecution* find(const State& s, ExecutionId id) {
  const auto found = s.executions.live.find(id);
  return found == s.executions.live.end() ? nullptr : &found->second;
}

LiveStep* find_working(LiveExecution& e, const StepRef& ref) {
  TIDEMILL_ASSERT(ref.execution == e.record.id);
  if (ref.step >= e.steps.size() || !e.steps[ref.step]) return nullptr;
  LiveStep& step = *e.steps[ref.step];
  const bool current = step.record.ref.epoch == ref.epoch && is_working(step.record.state);
  return current ? &step : nullptr;
}

void touch(State& s, LiveExecution& e) {
  e.record_dirty = true;
  mark_dirty(s, e);
}

void touch(State& s, LiveExecution& e, LiveStep& step) {
  if (!step.dirty) e.dirty_steps.push_back(step.record.ref.step);
  step.dirty = true;
  mark_dirty(s, e);
}

void unsettle(State& s, LiveExecution& e) {
  if (e.unsettled) return;
  e.unsettled = true;
  s.executions.unsettled.push_back(e.record.id);
}

PlanIndexPtr index_of(State& s, const playbook::PlanPtr& plan) {
  TIDEMILL_ASSERT(plan != nullptr);
  std::weak_ptr<const PlanIndex>& known = s.executions.plans[plan->hash];
  if (PlanIndexPtr index = known.lock()) return index;
  auto index = std::make_shared<const PlanIndex>(plan);
  known = index;
  return index;
}

LiveExecution& adopt(State& s, ExecutionRecord record, PlanIndexPtr index) {
  const ExecutionId id = record.id;
  const auto [found, is_new] = s.executions.live.try_emplace(id);
  TIDEMILL_ASSERT(is_new);
  LiveExecution& e = found->second;
  e.record = std::move(record);
  if (index) {
    e.steps.resize(index->steps.size());
    e.index = std::move(index);
    rebuild_sets(e);
  }
  return e;
}

bool is_working(StepRecord::State state) {
  return state == StepRecord::State::expanding || state == StepRecord::State::running ||
         state == StepRecord::State::routing;
}

bool is_live(StepRecord::State state) {
  return state == StepRecord::State::waiting || is_working(state);
}

void rebuild_sets(LiveExecution& e) {
  const size_t steps = e.index->steps.size();
  TIDEMILL_ASSERT(e.steps.size() == steps);
  e.waiting = e.working = e.again_forward = e.again_back = StepSet(steps);
  for (uint32_t i = 0; i < steps; ++i) {
    if (!e.steps[i]) continue;
    const StepRecord& record = e.steps[i]->record;
    if (record.state == StepRecord::State::waiting) e.waiting.add(i);
    if (is_working(record.state)) e.working.add(i);
    if (is_live(record.state)) continue;
    if (record.again == StepRecord::Again::forward) e.again_forward.add(i);
    if (record.again == StepRecord::Again::back) e.again_back.add(i);
  }
}

void drop(State& s, LiveExecution& e) {
  flush_execution(s, e);
  for (const auto& step : e.steps) {
    if (step) unhash(s, step->share);
  }
  unhash(s, e.share);
  if (LiveExecution* parent = find(s, e.parent)) {
    parent->children.erase(e.record.id);
    s.executions.children.erase({e.parent, e.record.child_key});
  }
  for (const ExecutionId id : e.children) {  // cancelled with it, and not over yet
    LiveExecution* child = find(s, id);
    TIDEMILL_ASSERT(child != nullptr && child->record.cancel_requested);
    s.executions.children.erase({e.record.id, child->record.child_key});
    child->parent = {};
  }
  if (e.record.deadline != WallTime::never()) {
    clear_execution_timer(s, e.record.id, 0, e.record.deadline);
  }
  const Sha256 plan = e.record.plan;
  s.executions.live.erase(e.record.id);
  const auto known = s.executions.plans.find(plan);
  if (known != s.executions.plans.end() && known->second.expired()) s.executions.plans.erase(known);
}

void flush(State& s) {
  TIDEMILL_ASSERT(s.executions.unsettled.empty());
  for (const ExecutionId id : s.executions.dirty) {
    LiveExecution* e = find(s, id);
    if (!e || !e->dirty) continue;  // it ended in this turn
    e->dirty = false;
    flush_execution(s, *e);
    emit_effect(s, ExecutionChanged{id});
  }
  s.executions.dirty.clear();
}

void write_ctx(State& s, LiveExecution& e, const std::vector<playbook::CtxWrite>& writes) {
  if (writes.empty()) return;
  // Through text: what is held now must be what a restart reads back, NaN and all.
  const auto stored = playbook::decode_ctx_writes(playbook::encode_ctx_writes(writes));
  TIDEMILL_ASSERT(stored.ok());
  playbook::apply(e.ctx, *stored);
  e.ctx_changed = true;
  touch(s, e);
}

}  // namespace tidemill::machine::execution
