#include "machine/internal/emit.h"

#include "machine/execution/hooks.h"

namespace tidemill::machine {

namespace {

// How many ids one PutCounters takes at a time: a restart skips at most as many.
constexpr uint64_t kIdsAtOnce = 65'536;
// Stale hashes are settled when there are this many more of them than live tasks.
constexpr size_t kStaleSlack = 4'096;

}  // namespace

void answer(State& s, Tag tag, ReplyBody body) { answer(s, tag, std::move(body), s.turn.number); }

void answer(State& s, Tag tag, ReplyBody body, Turn needs) {
  TIDEMILL_ASSERT(needs <= s.turn.number);
  s.turn.out->replies.push_back({tag, needs, std::move(body)});
}

void refuse(State& s, Tag tag, Refused::Why why, std::string text) {
  TIDEMILL_ASSERT(!text.empty());
  answer(s, tag, Refused{why, std::move(text)}, Turn{});
}

void emit_effect(State& s, Effect effect) {
  s.turn.out->effects.push_back({s.turn.number, std::move(effect)});
}

uint64_t take_id(State& s) {
  TIDEMILL_ASSERT(s.next_id < uint64_t{1} << kCounterBits);
  if (s.next_id >= s.reserved_ids) {
    s.reserved_ids = s.next_id + kIdsAtOnce;
    emit(s, PutCounters{s.reserved_ids, s.options.incarnation});
  }
  const auto partition = static_cast<uint64_t>(s.options.partition);
  return partition << kCounterBits | s.next_id++;
}

void touch(State& s, LiveTask& task) {
  if (!task.dirty) s.turn.dirty_tasks.push_back(task.record.id);
  task.dirty = true;
  if (!task.stale) s.stale_tasks.push_back(task.record.id);
  task.stale = true;
}

void touch(State& s, LiveArray& array) {
  if (!array.dirty) s.turn.dirty_arrays.push_back(array.record.id);
  array.dirty = true;
}

void touch(State& s, LiveBarrier& barrier) {
  if (!barrier.dirty) s.turn.dirty_barriers.push_back(barrier.record.id);
  barrier.dirty = true;
}

void touch(State& s, LiveArray& array, uint64_t index) {
  const auto found = array.overrides.find(index);
  TIDEMILL_ASSERT(found != array.overrides.end());
  rehash(s, found->second.share, found->second.record);
  emit(s, PutOverride{found->second.record});
}

void drop_override(State& s, LiveArray& array, uint64_t index) {
  const auto found = array.overrides.find(index);
  if (found == array.overrides.end()) return;
  unhash(s, found->second.share);
  array.overrides.erase(found);
  emit(s, DropOverride{array.record.id, index});
}

void flush_outcomes(State& s, ArrayId array) {
  const auto found = s.turn.outcomes.find(array);
  if (found == s.turn.outcomes.end()) return;
  emit(s, PutOutcomes{array, std::move(found->second)});
  s.turn.outcomes.erase(found);
}

void flush(State& s) {
  for (const TaskId id : s.turn.dirty_tasks) {
    const auto found = s.tasks.all.find(id);
    if (found == s.tasks.all.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    emit(s, PutTask{found->second.record});
  }
  for (const ArrayId id : s.turn.dirty_arrays) {
    const auto found = s.arrays.find(id);
    if (found == s.arrays.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    rehash(s, found->second.share, found->second.record);
    emit(s, PutArray{found->second.record});
  }
  for (const BarrierId id : s.turn.dirty_barriers) {
    const auto found = s.barriers.find(id);
    if (found == s.barriers.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    rehash(s, found->second.share, found->second.record);
    emit(s, PutBarrier{found->second.record});
  }
  for (auto& [array, outcomes] : s.turn.outcomes) emit(s, PutOutcomes{array, std::move(outcomes)});
  s.turn.outcomes.clear();
  execution::flush(s);
  if (s.stale_tasks.size() > s.tasks.all.size() + kStaleSlack) settle_hashes(s);
}

void settle_hashes(State& s) {
  for (const TaskId id : s.stale_tasks) {
    const auto found = s.tasks.all.find(id);
    if (found == s.tasks.all.end() || !found->second.stale) continue;
    found->second.stale = false;
    rehash(s, found->second.share, found->second.record);
  }
  s.stale_tasks.clear();
}

}  // namespace tidemill::machine
