#include <algorithm>

#include "base/hash.h"
#include "model/codec.h"
#include "store/memory/internal/contents.h"

namespace tidemill::store {

namespace {

bool selected(const TaskFilter& filter, const TaskRecord& task, Outcome outcome) {
  if (filter.execution && task.work.step.execution != *filter.execution) return false;
  if (filter.step && (!task.work.step || task.work.step.step != *filter.step)) return false;
  if (!filter.queue.empty() && task.work.queue != filter.queue) return false;
  return !filter.outcome || *filter.outcome == outcome;
}

bool overlap(const WorkRef& a, const WorkRef& b) {
  if (a.task != b.task || a.array != b.array) return false;
  return a.task || (a.first < b.first + b.count && b.first < a.first + a.count);
}

class MemoryReader : public Reader {
 public:
  explicit MemoryReader(std::shared_ptr<MemoryContents> contents)
      : contents_(std::move(contents)), c_(*contents_) {}

  Result<Turn> last_turn() override {
    const os::Lock lock(c_.mutex);
    return c_.tables.last_turn;
  }

  Result<WallTime> last_recorded() override {
    const os::Lock lock(c_.mutex);
    return c_.tables.turns.empty() ? WallTime{} : c_.tables.turns.rbegin()->second;
  }

  Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) override {
    const os::Lock lock(c_.mutex);
    std::vector<ExecutionRecord> out;
    for (auto at = c_.tables.executions.upper_bound(after); at != c_.tables.executions.end();
         ++at) {
      if (out.size() == limit) break;
      out.push_back(at->second);
    }
    return out;
  }

  Result<std::optional<ExecutionRecord>> execution(ExecutionId id) override {
    const os::Lock lock(c_.mutex);
    return found(c_.tables.executions, id);
  }

  Result<std::vector<StepRecord>> steps(ExecutionId id) override {
    const os::Lock lock(c_.mutex);
    std::vector<StepRecord> out;
    for (auto at = c_.tables.steps.lower_bound(StepRef{.execution = id});
         at != c_.tables.steps.end(); ++at) {
      if (at->first.execution != id) break;
      out.push_back(at->second);
    }
    std::stable_sort(out.begin(), out.end(), [](const StepRecord& a, const StepRecord& b) {
      return a.entered_at < b.entered_at;
    });
    return out;
  }

  Result<std::optional<TaskRow>> task(TaskId id) override {
    const os::Lock lock(c_.mutex);
    if (const auto live = c_.tables.live.find(id); live != c_.tables.live.end()) {
      return std::optional(TaskRow{.task = live->second});
    }
    const auto past = c_.tables.history.find(id);
    if (past == c_.tables.history.end()) return std::optional<TaskRow>();
    return std::optional(row_of(past->second));
  }

  Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) override {
    const os::Lock lock(c_.mutex);
    std::vector<TaskRow> out;
    auto live = c_.tables.live.upper_bound(filter.after);
    auto past = c_.tables.history.upper_bound(filter.after);
    while (out.size() < filter.limit &&
           (live != c_.tables.live.end() || past != c_.tables.history.end())) {
      const bool take_live = past == c_.tables.history.end() ||
                             (live != c_.tables.live.end() && live->first < past->first);
      if (take_live) {
        if (selected(filter, live->second, Outcome::open)) out.push_back({.task = live->second});
        ++live;
      } else {
        const HistoryRecord& h = past->second.history;
        if (selected(filter, h.task, h.outcome)) out.push_back(row_of(past->second));
        ++past;
      }
    }
    return out;
  }

  Result<std::vector<BacklogRow>> backlog(const BacklogFilter& filter) override {
    const os::Lock lock(c_.mutex);
    std::map<std::pair<WallTime, TaskId>, const TaskRecord*> sorted;
    for (const auto& [id, task] : c_.tables.live) {
      const bool in_it = task.state == TaskRecord::State::ready &&
                         task.work.queue == filter.queue && task.work.kind == filter.kind &&
                         task.work.priority == filter.priority;
      if (in_it) sorted.emplace(std::pair(task.ready_at, id), &task);
    }
    std::vector<BacklogRow> out;
    for (auto at = sorted.lower_bound({filter.ready, filter.task}); at != sorted.end(); ++at) {
      if (out.size() == filter.limit) break;
      out.push_back({*at->second, hash64(encode(*at->second))});
    }
    return out;
  }

  Result<std::optional<ArrayRow>> array(ArrayId id) override {
    const os::Lock lock(c_.mutex);
    const auto at = c_.tables.arrays.find(id);
    if (at == c_.tables.arrays.end()) return std::optional<ArrayRow>();
    const StoredArray& array = at->second;
    ArrayRow row{.array = array.record};
    row.finished = array.finished;
    if (array.finished) {
      row.done = array.end.done;
      row.failed = array.end.failed;
      row.cancelled = array.end.cancelled;
      row.finished_at = array.end.finished_at;
    } else {
      array.states.each_closed(array.record.count, [&](uint64_t, Outcome outcome) {
        row.done += outcome == Outcome::done ? 1 : 0;
        row.failed += outcome == Outcome::failed ? 1 : 0;
        row.cancelled += outcome == Outcome::cancelled ? 1 : 0;
      });
    }
    return std::optional(std::move(row));
  }

  Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) override {
    const os::Lock lock(c_.mutex);
    std::vector<IndexRow> out;
    const auto at = c_.tables.arrays.find(id);
    if (at == c_.tables.arrays.end()) return out;
    const StoredArray& array = at->second;
    auto next = array.outcomes.lower_bound(first);
    for (uint64_t i = first; i < array.record.count && out.size() < limit; ++i) {
      if (next != array.outcomes.end() && next->first == i) {
        out.push_back({next->second.outcome, c_.tables.turns.at(next->second.turn)});
        ++next;
      } else if (array.states.of(i) == Outcome::cancelled) {
        IndexRow row{.recorded = c_.tables.turns.at(array.rest_cancelled)};
        row.outcome.index = i;
        row.outcome.outcome = Outcome::cancelled;
        out.push_back(std::move(row));
      } else if (!array.states.rest_cancelled()) {
        if (next == array.outcomes.end()) break;
        i = next->first - 1;
      }
    }
    return out;
  }

  Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) override {
    const os::Lock lock(c_.mutex);
    std::vector<AttemptRecord> out;
    const auto at = c_.tables.attempts.find(work.task ? work.task.raw : work.array.raw);
    if (at == c_.tables.attempts.end()) return out;
    for (const AttemptRecord& attempt : at->second) {
      if (overlap(attempt.work, work)) out.push_back(attempt);
    }
    return out;
  }

  Result<std::vector<ResultValue>> results(const ResultRef& ref) override {
    const os::Lock lock(c_.mutex);
    std::vector<ResultValue> out;
    if (ref.place == ResultRef::Place::task) {
      const auto at = c_.tables.history.find(ref.task);
      if (at != c_.tables.history.end()) out.push_back(at->second.history.result);
    } else if (ref.place == ResultRef::Place::array) {
      const auto at = c_.tables.arrays.find(ref.array);
      if (at == c_.tables.arrays.end()) return out;
      out.resize(at->second.record.count);
      for (const auto& [index, finished] : at->second.outcomes) {
        if (index < out.size()) out[index] = finished.outcome.result;
      }
    }
    return out;
  }

  Result<std::optional<std::string>> plan_text(const Sha256& hash) override {
    const os::Lock lock(c_.mutex);
    return found(c_.tables.plans, hash);
  }

  Result<std::vector<TokenRecord>> tokens() override {
    const os::Lock lock(c_.mutex);
    std::vector<TokenRecord> out;
    for (const auto& [name, token] : c_.tables.tokens) out.push_back(token);
    return out;
  }

  Result<std::optional<KeyRecord>> key(const std::string& queue, const std::string& key) override {
    const os::Lock lock(c_.mutex);
    return found(c_.tables.keys, std::pair(queue, key));
  }

  Result<std::optional<Outcome>> task_outcome(TaskId id) override {
    const os::Lock lock(c_.mutex);
    const auto at = c_.tables.history.find(id);
    if (at == c_.tables.history.end()) return std::optional<Outcome>();
    return std::optional(at->second.history.outcome);
  }

 private:
  template <class Map>
  static std::optional<typename Map::mapped_type> found(const Map& map,
                                                        const typename Map::key_type& key) {
    const auto at = map.find(key);
    if (at == map.end()) return std::nullopt;
    return at->second;
  }

  TaskRow row_of(const FinishedTask& finished) const REQUIRES(c_.mutex) {
    const HistoryRecord& h = finished.history;
    return {.task = h.task,
            .outcome = h.outcome,
            .result = h.result,
            .error = h.error,
            .log = h.log,
            .trace = h.trace,
            .recorded = c_.tables.turns.at(finished.turn)};
  }

  std::shared_ptr<MemoryContents> contents_;
  MemoryContents& c_;
};

}  // namespace

std::unique_ptr<Reader> make_memory_reader(std::shared_ptr<MemoryContents> contents) {
  return std::make_unique<MemoryReader>(std::move(contents));
}

}  // namespace tidemill::store
