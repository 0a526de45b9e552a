#include "store/conformance/random_changes.h"

#include <algorithm>

namespace tidemill::store {

std::vector<Change> RandomChanges::next() {
  std::vector<Change> out;
  const uint64_t count = below(30);
  for (uint64_t i = 0; i < count; ++i) {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        spawn(out);
        break;
      case 4:
        change_task(out);
        break;
      case 5:
      case 6:
        finish_task(out);
        break;
      case 7:
        reopen_task(out);
        break;
      case 8:
        spawn_array(out);
        break;
      case 9:
      case 10:
        finish_indexes(out);
        break;
      case 11:
        touch_array(out);
        break;
      case 12:
        hand_out(out);
        break;
      case 13:
        end_lease(out);
        break;
      default:
        record(out);
        break;
    }
  }
  return out;
}

std::string RandomChanges::text(size_t most) {
  std::string out(below(most + 1), ' ');
  for (char& c : out) c = static_cast<char>('a' + below(26));
  return out;
}

Trace RandomChanges::trace() {
  Trace t{.spawned = time(), .ready = time(), .dispatched = time(), .reported = time()};
  t.started = {static_cast<int64_t>(below(1'000))};
  t.finished = t.started + Duration{static_cast<int64_t>(below(1'000))};
  t.calls = static_cast<uint32_t>(below(5));
  return t;
}

void RandomChanges::spawn(std::vector<Change>& out) {
  TaskRecord t;
  t.id = TaskId{next_id_++};
  t.work.queue = one_in(3) ? "other" : "default";
  t.work.kind = one_in(4) ? "http" : "noop";
  t.work.priority = static_cast<int32_t>(below(3)) - 1;
  t.work.input = std::make_shared<const std::string>(text(one_in(20) ? 9'000 : 40));
  if (one_in(3)) t.work.step = {ExecutionId{1 + below(3)}, static_cast<uint32_t>(below(4)), 1};
  t.spawned_at = t.run_at = t.ready_at = time();
  if (one_in(4)) t.state = TaskRecord::State::delayed, t.run_at = time();
  if (one_in(8)) t.state = TaskRecord::State::blocked, t.after = {TaskId{1}};
  live_[t.id] = t;
  out.push_back(PutTask{t});
}

void RandomChanges::change_task(std::vector<Change>& out) {
  if (live_.empty()) return;
  TaskRecord& t = pick(live_)->second;
  t.state = static_cast<TaskRecord::State>(below(4));
  t.ready_at = time();
  t.attempts += 1;
  t.starts += 1;
  t.last_error = {.kind = "k", .message = text(10)};
  out.push_back(PutTask{t});
  if (one_in(2)) {
    AttemptRecord a{.work = WorkRef::of(t.id), .number = t.starts, .log = text(20)};
    a.end = static_cast<AttemptRecord::End>(below(6));
    a.trace = trace();
    if (one_in(2)) a.error = t.last_error;
    out.push_back(PutAttempt{a});
  }
}

void RandomChanges::finish_task(std::vector<Change>& out) {
  if (live_.empty()) return;
  const auto at = pick(live_);
  HistoryRecord h{.task = at->second, .outcome = static_cast<Outcome>(1 + below(3))};
  h.result.inline_json = text(30);
  if (one_in(5)) h.result.blob = {.place = ResultRef::Place::blob, .size = below(1'000'000)};
  if (h.outcome == Outcome::failed) h.error = {.kind = text(3), .message = text(9)};
  h.log = text(10);
  h.trace = trace();
  finished_[at->first] = at->second;
  live_.erase(at);
  out.push_back(FinishTask{h});
}

void RandomChanges::reopen_task(std::vector<Change>& out) {
  if (finished_.empty()) return;
  const auto at = pick(finished_);
  TaskRecord t = at->second;
  finished_.erase(at);
  t.round += 1;
  t.state = TaskRecord::State::ready;
  t.ready_at = time();
  live_[t.id] = t;
  out.push_back(ReopenTask{t});
}

void RandomChanges::spawn_array(std::vector<Change>& out) {
  OpenArray a;
  a.record.id = ArrayId{next_id_++};
  a.record.work.kind = "http";
  a.record.count = 1 + below(40);
  a.record.has_items = one_in(2);
  for (uint64_t i = 0; i < a.record.count; ++i) a.open.insert(i);
  out.push_back(PutArray{a.record});
  if (a.record.has_items) {
    std::vector<std::string> items;
    for (uint64_t i = 0; i < a.record.count; ++i) items.push_back(text(12));
    out.push_back(PutItems{
        {a.record.id, 0, std::make_shared<const std::vector<std::string>>(std::move(items))}});
  }
  arrays_[a.record.id] = std::move(a);
}

void RandomChanges::finish_indexes(std::vector<Change>& out) {
  if (arrays_.empty()) return;
  auto& [id, a] = *pick(arrays_);
  PutOutcomes put{id, {}};
  const bool block = one_in(2);  // neighbours, or one here and one there
  for (auto at = a.open.begin(); at != a.open.end() && put.outcomes.size() < 12;) {
    if (!block && one_in(2)) {
      ++at;
      continue;
    }
    IndexOutcome o{.index = *at, .attempt = 1 + static_cast<uint32_t>(below(2))};
    o.outcome = static_cast<Outcome>(1 + below(3));
    if (one_in(2)) o.result.inline_json = text(20);
    if (one_in(6)) o.log = text(9);
    if (o.outcome == Outcome::failed) o.error = {.kind = "k", .message = text(5)};
    o.trace = trace();
    put.outcomes.push_back(std::move(o));
    a.closed.insert(*at);
    at = a.open.erase(at);
  }
  std::shuffle(put.outcomes.begin(), put.outcomes.end(), random_);
  if (!put.outcomes.empty()) out.push_back(std::move(put));
}

void RandomChanges::touch_array(std::vector<Change>& out) {
  if (arrays_.empty()) return;
  const auto at = pick(arrays_);
  auto& [id, a] = *at;
  const uint64_t index = below(a.record.count);
  switch (below(6)) {
    case 0:
      out.push_back(PutOverride{{.array = id, .index = index, .attempts = 1}});
      return;
    case 1:
      out.push_back(DropOverride{id, index});
      return;
    case 2:
      if (a.closed.empty()) return;
      a.open.insert(*a.closed.begin());
      out.push_back(ReopenIndex{id, *a.closed.begin()});
      a.closed.erase(a.closed.begin());
      return;
    case 3:
      for (const uint64_t i : a.open) a.closed.insert(i);
      a.open.clear();
      out.push_back(CancelRest{id});
      return;
    case 4:
      out.push_back(PutAttempt{{.work = WorkRef::of(id, index, 1 + below(4)), .number = 1}});
      return;
    default:
      if (!a.open.empty()) return;
      out.push_back(FinishArray{id, a.closed.size(), 0, 0, time()});
      if (one_in(2)) {
        out.push_back(ReopenArray{a.record});
      } else {
        arrays_.erase(at);
      }
  }
}

void RandomChanges::hand_out(std::vector<Change>& out) {
  HandOut h{.session = SessionId{1 + below(3)}, .in_process = one_in(2)};
  std::set<TaskId> tasks;
  for (int i = 0; i < 4 && !live_.empty(); ++i) {
    const TaskId id = pick(live_)->first;
    if (tasks.insert(id).second) h.items.push_back({WorkRef::of(id), epoch()});
  }
  if (!arrays_.empty()) {
    const OpenArray& a = pick(arrays_)->second;
    if (!a.open.empty()) {
      uint64_t count = 1;
      const uint64_t first = *a.open.begin();
      while (a.open.contains(first + count)) ++count;
      h.items.push_back({WorkRef::of(a.record.id, first, count), epoch()});
    }
  }
  leased_.insert(leased_.end(), h.items.begin(), h.items.end());
  out.push_back(std::move(h));
}

void RandomChanges::end_lease(std::vector<Change>& out) {
  if (leased_.empty()) return;
  const auto at = pick(leased_);
  out.push_back(EndLease{*at});
  leased_.erase(at);
}

void RandomChanges::record(std::vector<Change>& out) {
  const uint64_t id = 1 + below(5);
  switch (below(8)) {
    case 0:
      out.push_back(PutQueue{{.name = text(1), .concurrency = static_cast<uint32_t>(below(9))}});
      return;
    case 1:
      out.push_back(PutBarrier{{.id = BarrierId{id}, .expected = below(100)}});
      return;
    case 2:
      out.push_back(DropBarrier{BarrierId{id}});
      return;
    case 6:
      out.push_back(PutToken{{.name = text(1), .hash = sha256(text(3)), .queues = {text(2)}}});
      return;
    case 7:
      out.push_back(DropToken{text(1)});
      return;
    case 3: {
      ExecutionRecord e{.id = ExecutionId{id}};
      e.state = static_cast<ExecutionRecord::State>(below(5));
      e.workload = std::make_shared<const std::string>("{}");
      e.ctx = std::make_shared<const std::string>(text(30));
      if (e.state == ExecutionRecord::State::failed) e.error.message = text(5);
      out.push_back(PutExecution{e});
      return;
    }
    case 4: {
      StepRecord s;
      s.ref = {ExecutionId{id}, static_cast<uint32_t>(below(3)),
               1 + static_cast<uint32_t>(below(3))};
      s.state = static_cast<StepRecord::State>(below(8));
      s.entered_at = {static_cast<int64_t>(s.ref.step * 10 + s.ref.epoch)};
      s.total = below(9);
      out.push_back(PutStep{s});
      return;
    }
    default:
      out.push_back(PutKey{{.queue = "default", .key = text(2), .task = TaskId{id}}});
      out.push_back(PutCounters{.next_id = next_id_, .incarnation = static_cast<uint32_t>(id)});
  }
}

}  // namespace tidemill::store
