#include "store/memory/memory_store.h"

#include <variant>

#include "base/assert.h"
#include "store/memory/internal/contents.h"

namespace tidemill::store {

namespace {

// Applies the changes of one commit.
class Applier {
 public:
  Applier(MemoryTables& tables, Turn turn) : c_(tables), turn_(turn) {}

  void operator()(const PutQueue& v) { c_.queues[v.config.name] = v.config; }
  void operator()(const PutTask& v) { c_.live[v.task.id] = v.task; }
  void operator()(const FinishTask& v) {
    const TaskId id = v.history.task.id;
    c_.live.erase(id);
    c_.history[id] = {v.history, turn_};
    c_.leases.end_task(id);
  }
  void operator()(const ReopenTask& v) {
    c_.history.erase(v.task.id);
    c_.live[v.task.id] = v.task;
    c_.leases.end_task(v.task.id);
  }
  void operator()(const PutAttempt& v) {
    const WorkRef& work = v.attempt.work;
    c_.attempts[work.task ? work.task.raw : work.array.raw].push_back(v.attempt);
    c_.leases.end(work);
  }
  void operator()(const PutArray& v) { c_.arrays[v.array.id].record = v.array; }
  void operator()(const PutItems& v) { c_.arrays[v.chunk.array].items[v.chunk.first] = v.chunk; }
  void operator()(const PutOutcomes& v) {
    StoredArray& array = c_.arrays[v.array];
    for (const IndexOutcome& outcome : v.outcomes) {
      array.outcomes[outcome.index] = {outcome, turn_};
      array.states.set(outcome.index, 1, outcome.outcome);
      c_.leases.end_indexes(v.array, outcome.index, 1);
    }
  }
  void operator()(const ReopenIndex& v) {
    StoredArray& array = c_.arrays[v.array];
    array.outcomes.erase(v.index);
    array.states.set(v.index, 1, Outcome::open);
    c_.leases.end_indexes(v.array, v.index, 1);
  }
  void operator()(const CancelRest& v) {
    StoredArray& array = c_.arrays[v.array];
    array.states.cancel_rest();
    array.rest_cancelled = turn_;
    c_.leases.end_array(v.array);
  }
  void operator()(const PutOverride& v) {
    c_.arrays[v.override_.array].overrides[v.override_.index] = v.override_;
  }
  void operator()(const DropOverride& v) { c_.arrays[v.array].overrides.erase(v.index); }
  void operator()(const FinishArray& v) {
    StoredArray& array = c_.arrays[v.array];
    array.finished = true;
    array.end = v;
    c_.leases.end_array(v.array);
  }
  void operator()(const ReopenArray& v) {
    StoredArray& array = c_.arrays[v.array.id];
    array.record = v.array;
    array.finished = false;
  }
  void operator()(const PutBarrier& v) { c_.barriers[v.barrier.id] = v.barrier; }
  void operator()(const DropBarrier& v) { c_.barriers.erase(v.barrier); }
  void operator()(const PutExecution& v) { c_.executions[v.execution.id] = v.execution; }
  void operator()(const PutStep& v) { c_.steps[v.step.ref] = v.step; }
  void operator()(const PutKey& v) { c_.keys[{v.key.queue, v.key.key}] = v.key; }
  void operator()(const HandOut& v) { c_.leases.put(c_.next_hand_out++, v); }
  void operator()(const EndLease& v) { c_.leases.end(v.ended); }
  void operator()(const PutCounters& v) { c_.counters = v; }
  void operator()(const PutToken& v) { c_.tokens[v.token.name] = v.token; }
  void operator()(const DropToken& v) { c_.tokens.erase(v.name); }

 private:
  MemoryTables& c_;
  Turn turn_;
};

bool unfinished(const ExecutionRecord& execution) {
  return execution.state == ExecutionRecord::State::running ||
         execution.state == ExecutionRecord::State::stopping;
}

void load_arrays(const MemoryTables& c, Loader& loader) {
  const auto each = [&](auto visit) {
    for (const auto& [id, array] : c.arrays) {
      if (!array.finished) visit(id, array);
    }
  };
  each([&](ArrayId, const StoredArray& array) { loader.array(array.record); });
  each([&](ArrayId, const StoredArray& array) {
    for (const auto& [first, chunk] : array.items) loader.items(chunk);
  });
  each([&](ArrayId id, const StoredArray& array) {
    array.states.each_closed(array.record.count, [&](uint64_t index, Outcome outcome) {
      loader.outcome(id, index, outcome);
    });
  });
  each([&](ArrayId, const StoredArray& array) {
    for (const auto& [index, record] : array.overrides) loader.override_(record);
  });
}

class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryContents> contents) : contents_(std::move(contents)) {}

  Status load(Loader& loader) override {
    const os::Lock lock(contents_->mutex);
    MemoryTables& c = contents_->tables;
    loader.counters(c.counters.next_id, c.counters.incarnation, c.last_turn);
    for (const auto& [name, queue] : c.queues) loader.queue(queue);
    for (const auto& [name, token] : c.tokens) loader.token(token);
    for (const auto& [id, execution] : c.executions) {
      if (unfinished(execution)) loader.execution(execution);
    }
    for (const auto& [id, barrier] : c.barriers) loader.barrier(barrier);
    load_arrays(c, loader);
    for (const HandOut& hand_out : c.leases.out()) {
      for (const LeasedWork& leased : hand_out.items) {
        if (leased.work.task) loader.handed_out(leased.work.task);
      }
    }
    for (const auto& [id, task] : c.live) loader.task(task);
    for (auto at = c.steps.begin(); at != c.steps.end(); ++at) {
      const StepRef& ref = at->first;
      const auto next = std::next(at);
      const bool newest = next == c.steps.end() || next->first.execution != ref.execution ||
                          next->first.step != ref.step;
      const auto of = c.executions.find(ref.execution);
      if (newest && of != c.executions.end() && unfinished(of->second)) loader.step(at->second);
    }
    for (HandOut& hand_out : c.leases.out()) loader.hand_out(std::move(hand_out));
    return Ok{};
  }

  Status commit(std::span<const Change> changes, const CommitInfo& info) override {
    const os::Lock lock(contents_->mutex);
    MemoryTables& c = contents_->tables;
    TIDEMILL_ASSERT(info.turn > c.last_turn);
    Applier applier(c, info.turn);
    for (const Change& change : changes) std::visit(applier, change);
    c.leases.take_emptied();
    c.last_turn = info.turn;
    c.turns[info.turn] = info.at;
    c.stats.commits += 1;
    c.stats.changes += changes.size();
    return Ok{};
  }

  void note_recorded(Turn turn, WallTime at) override {
    const os::Lock lock(contents_->mutex);
    TIDEMILL_ASSERT(turn == contents_->tables.last_turn);
    contents_->tables.turns[turn] = at;
  }

  Status put_plan(const Sha256& hash, std::string_view text,
                  std::span<const std::string> /*step_names*/) override {
    const os::Lock lock(contents_->mutex);
    contents_->tables.plans.try_emplace(hash, text);
    return Ok{};
  }

  Result<std::unique_ptr<Reader>> reader() override { return make_memory_reader(contents_); }
  bool failed() const override { return false; }
  StoreStats stats() const override {
    const os::Lock lock(contents_->mutex);
    return contents_->tables.stats;
  }

 private:
  std::shared_ptr<MemoryContents> contents_;
};

}  // namespace

std::shared_ptr<MemoryContents> make_memory_contents() {
  return std::make_shared<MemoryContents>();
}

std::unique_ptr<Store> open_memory(std::shared_ptr<MemoryContents> contents) {
  return std::make_unique<MemoryStore>(std::move(contents));
}

std::unique_ptr<Store> open_memory() { return open_memory(make_memory_contents()); }

}  // namespace tidemill::store
