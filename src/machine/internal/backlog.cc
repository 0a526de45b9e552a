#include "machine/internal/backlog.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "model/codec.h"

namespace tidemill::machine {

namespace {

uint64_t window_size(const State& s) {
  return s.options.window > 0 ? s.options.window : limits::kWindow;
}

// Whatever the other priorities fill, each has so much of the window.
uint64_t window_least(const State& s) { return std::max<uint64_t>(1, window_size(s) / 16); }

uint64_t page_size(const State& s) {
  return std::clamp<uint64_t>(window_size(s) / 4, 1, limits::kPage);
}

bool has_room(const State& s, const Backlog& backlog, uint64_t count) {
  return s.queues.windows[backlog.window] + count <= window_size(s) ||
         backlog.resident + count <= window_least(s);
}

ReadyIndex::Entry gap_of(const State& s, const Backlog& backlog, size_t slot) {
  const BacklogPlace& at = *backlog.gap[slot];
  ReadyIndex::Entry gap =
      gap_at(s, backlog.queue, backlog.kind, backlog.priority, at.ready, at.task);
  gap.lane = lane_of(backlog.kind, slot != 0);
  return gap;
}

void ask_for_page(State& s, Backlog& backlog) {
  backlog.asked = true;
  backlog.asked_from = backlog.from;
  emit_effect(s, PageWanted{{.queue = queue_of(s, backlog.queue).config.name,
                             .kind = s.queues.kind_names[backlog.kind],
                             .priority = backlog.priority,
                             .ready = backlog.from.ready,
                             .task = backlog.from.task,
                             .limit = static_cast<uint32_t>(page_size(s))}});
}

}  // namespace

// What leaves memory leaves nothing behind: no timer, no barrier that counts it, no attempt.
bool may_be_stored(const TaskRecord& r) {
  return r.state == TaskRecord::State::ready && !r.work.step && !r.work.barrier &&
         r.deadline == WallTime::never() && r.round == 1 && r.starts == 0 && r.attempts == 0 &&
         r.crashes == 0 && !r.cancel_requested && r.suspended_with == nullptr && !r.child;
}

// The new one first: a unit that leaves the index loses its turn.
void settle_gap(State& s, Backlog& backlog) {
  ReadyIndex& ready = queue_of(s, backlog.queue).ready;
  for (size_t slot = 0; slot < 2; ++slot) {
    std::optional<BacklogPlace>& gap = backlog.gap[slot];
    std::optional<BacklogPlace> wanted;
    if (backlog.stored_in[slot] > 0) wanted = backlog.from;
    if (gap == wanted) continue;
    std::optional<ReadyIndex::Entry> old;
    if (gap) old = gap_of(s, backlog, slot);
    gap = wanted;
    if (gap) {
      const ReadyIndex::Entry place = gap_of(s, backlog, slot);
      ready.insert(place.lane, place.unit, place.key);
    }
    if (!old) continue;
    const bool was_there = ready.remove(old->lane, old->unit, old->key);
    TIDEMILL_ASSERT(was_there);
  }
}

void draw(State& s, Backlog& backlog) {
  if (backlog.drawn || backlog.stored == 0 || backlog.asked) return;
  backlog.drawn = true;
  s.turn.drawn.push_back(
      s.queues.backlog_numbers.at({backlog.queue, backlog.kind, backlog.priority}));
}

// One of the stored ones is in memory from now on; it keeps its share of the hash.
LiveTask& bring_in(State& s, Backlog& backlog, TaskRecord record, uint64_t hash) {
  TIDEMILL_ASSERT(backlog.stored > 0 && s.tasks.stored > 0);
  const size_t slot = record.work.needs_slot ? 1 : 0;
  TIDEMILL_ASSERT(backlog.stored_in[slot] > 0);
  --backlog.stored;
  --backlog.stored_in[slot];
  --s.tasks.stored;
  --s.tasks.by_state[static_cast<size_t>(TaskRecord::State::ready)];
  LiveTask& task = adopt_task(s, std::move(record));
  task.stale = false;
  task.share = hash;
  task.ready_turn = {};  // It was read from what is durable.
  return task;
}

BacklogPlace place_in_backlog(const TaskRecord& record) { return {record.ready_at, record.id}; }

BacklogNumber backlog_number(State& s, QueueNumber queue, uint32_t kind, int32_t priority) {
  QueueTable& t = s.queues;
  if (!t.backlogs.empty()) {  // Most tasks of a turn are of one backlog.
    const Backlog& last = t.backlogs[t.last_backlog];
    if (last.queue == queue && last.kind == kind && last.priority == priority) {
      return t.last_backlog;
    }
  }
  const auto number = static_cast<BacklogNumber>(t.backlogs.size());
  const auto [found, is_new] = t.backlog_numbers.try_emplace({queue, kind, priority}, number);
  t.last_backlog = found->second;
  if (!is_new) return found->second;
  Backlog& backlog = t.backlogs.emplace_back();
  backlog.queue = queue;
  backlog.kind = kind;
  backlog.priority = priority;
  backlog.window = static_cast<uint32_t>(t.windows.size());
  // All priorities of the queue and kind share one window.
  const auto first = t.backlog_numbers.lower_bound({queue, kind, INT32_MIN});
  for (auto at = first; at != t.backlog_numbers.end(); ++at) {
    const auto& [q, k, p] = at->first;
    if (q != queue || k != kind) break;
    if (p != priority) backlog.window = t.backlogs[at->second].window;
  }
  if (backlog.window == t.windows.size()) t.windows.push_back(0);
  return number;
}

Backlog& backlog_of(State& s, BacklogNumber number) {
  TIDEMILL_ASSERT(number < s.queues.backlogs.size());
  return s.queues.backlogs[number];
}

bool leave_in_store(State& s, const TaskRecord& record) {
  if (!may_be_stored(record)) return false;
  const QueueNumber queue = queue_number(s, record.work.queue);
  const uint32_t kind = kind_number(s, record.work.kind);
  Backlog& backlog = backlog_of(s, backlog_number(s, queue, kind, record.work.priority));
  const BacklogPlace place = place_in_backlog(record);
  const bool first = backlog.stored == 0;
  if (first ? has_room(s, backlog, 1) : place < backlog.from && has_room(s, backlog, 1)) {
    return false;
  }
  if (first || place < backlog.from) backlog.from = place;
  ++backlog.stored;
  ++backlog.stored_in[record.work.needs_slot ? 1 : 0];
  settle_gap(s, backlog);
  ++s.tasks.stored;
  ++s.tasks.by_state[static_cast<size_t>(TaskRecord::State::ready)];
  s.hash_sum += hash64(encode(record));
  if (backlog.asked && (!backlog.left_since || place < *backlog.left_since)) {
    backlog.left_since = place;
  }
  draw(s, backlog);
  return true;
}

LiveTask* fetch_task(State& s, TaskId id) {
  if (LiveTask* task = find_task(s, id)) return task;
  if (s.tasks.stored == 0) return nullptr;
  const TaskRecord* record = s.turn.rows->stored_task(id);
  if (record == nullptr || s.turn.ended_now.contains(id)) return nullptr;
  TIDEMILL_ASSERT(may_be_stored(*record));
  Backlog& backlog =
      backlog_of(s, backlog_number(s, queue_number(s, record->work.queue),
                                   kind_number(s, record->work.kind), record->work.priority));
  TIDEMILL_ASSERT(backlog.stored > 0 && place_in_backlog(*record) >= backlog.from);
  LiveTask& task = bring_in(s, backlog, *record, hash64(encode(*record)));
  settle_gap(s, backlog);
  return &task;
}

bool is_live(const State& s, TaskId id) {
  if (find_task(s, id) != nullptr) return true;
  return s.tasks.stored > 0 && s.turn.rows->stored_task(id) != nullptr &&
         !s.turn.ended_now.contains(id);
}

void entered_window(State& s, LiveTask& task) {
  if (!task.backlog) return;
  Backlog& backlog = backlog_of(s, *task.backlog);
  ++backlog.resident;
  ++s.queues.windows[backlog.window];
}

void left_window(State& s, LiveTask& task) {
  if (!task.backlog) return;
  Backlog& backlog = backlog_of(s, *task.backlog);
  TIDEMILL_ASSERT(backlog.resident > 0);
  --backlog.resident;
  --s.queues.windows[backlog.window];
  draw(s, backlog);
}

void ended_in_backlog(State& s, const LiveTask& task) {
  const TaskId id = task.record.id;
  if (s.turn.rows->stored_task(id) != nullptr) s.turn.ended_now.insert(id);
  if (!task.backlog) return;
  Backlog& backlog = backlog_of(s, *task.backlog);
  if (!backlog.asked || place_in_backlog(task.record) < backlog.asked_from) return;
  backlog.ended_since.insert(id);
}

void met_gap(State& s, QueueNumber queue, const ReadyIndex::Entry& entry) {
  const uint32_t kind = entry.lane / 2;
  const auto first = s.queues.backlog_numbers.lower_bound({queue, kind, INT32_MIN});
  for (auto at = first; at != s.queues.backlog_numbers.end(); ++at) {
    const auto& [q, k, p] = at->first;
    if (q != queue || k != kind) return;
    Backlog& backlog = backlog_of(s, at->second);
    if (backlog.stored == 0 || backlog.asked) continue;
    const size_t slot = entry.lane % 2;
    if (backlog.gap[slot] && gap_of(s, backlog, slot).key == entry.key) {
      return ask_for_page(s, backlog);
    }
  }
}

void rebuild_gaps(State& s, QueueNumber queue) {
  for (Backlog& backlog : s.queues.backlogs) {
    if (backlog.queue != queue) continue;
    for (std::optional<BacklogPlace>& gap : backlog.gap) gap.reset();
    settle_gap(s, backlog);
  }
}

void ask_for_pages(State& s) {
  for (const BacklogNumber number : std::exchange(s.turn.drawn, {})) {
    Backlog& backlog = backlog_of(s, number);
    backlog.drawn = false;
    const bool wanted = backlog.stored > 0 && !backlog.asked;
    if (wanted && has_room(s, backlog, page_size(s))) ask_for_page(s, backlog);
  }
}

void check_backlogs(const State& s) {
  std::vector<uint64_t> resident(s.queues.backlogs.size());
  std::vector<uint64_t> windows(s.queues.windows.size());
  for (const auto& [id, task] : s.tasks.all) {
    TIDEMILL_ASSERT(task.backlog.has_value() == !task.record.work.step);
    if (task.backlog && task.offered) ++resident[*task.backlog];
  }
  uint64_t stored = 0;
  for (size_t i = 0; i < resident.size(); ++i) {
    const Backlog& backlog = s.queues.backlogs[i];
    TIDEMILL_ASSERT(backlog.resident == resident[i]);
    stored += backlog.stored;
    windows[backlog.window] += backlog.resident;
    TIDEMILL_ASSERT(backlog.stored == backlog.stored_in[0] + backlog.stored_in[1]);
    for (size_t slot = 0; slot < 2; ++slot) {
      TIDEMILL_ASSERT(backlog.gap[slot].has_value() == (backlog.stored_in[slot] > 0));
      if (!backlog.gap[slot]) continue;
      const ReadyIndex::Entry gap = gap_of(s, backlog, slot);
      TIDEMILL_ASSERT(queue_of(s, backlog.queue).ready.contains(gap.lane, gap.unit, gap.key));
    }
  }
  TIDEMILL_ASSERT(stored == s.tasks.stored && windows == s.queues.windows);
}

}  // namespace tidemill::machine
