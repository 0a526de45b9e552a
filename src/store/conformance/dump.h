#pragma once
// A store's contents as lines of text that can be compared: what recovery hands over, and what
// readers answer. Order counts only where the door says it does. Test code; one thread.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "model/codec.h"
#include "store/store.h"

namespace tidemill::store {

using Lines = std::vector<std::string>;

template <class Record>
std::string line_of(const char* what, const Record& record) {
  return std::string(what) + " " + hex(encode(record));
}

class DumpLoader : public Loader {
 public:
  void counters(uint64_t next_id, uint32_t incarnation, Turn last_turn) override {
    add("counters " + std::to_string(next_id) + " " + std::to_string(incarnation) + " " +
        std::to_string(last_turn.raw));
  }
  void queue(QueueConfig v) override { add(line_of("queue", v)); }
  void token(TokenRecord v) override { add(line_of("token", v)); }
  void execution(ExecutionRecord v) override { add(line_of("execution", v)); }
  void barrier(BarrierRecord v) override { add(line_of("barrier", v)); }
  void array(ArrayRecord v) override { add(line_of("array", v)); }
  void items(ItemChunk v) override { add(line_of("items", v)); }
  void outcome(ArrayId array, uint64_t index, Outcome outcome) override {
    add("outcome " + std::to_string(array.raw) + "/" + std::to_string(index) + " " +
        std::to_string(static_cast<int>(outcome)));
  }
  void override_(IndexOverride v) override { add(line_of("override", v)); }
  void handed_out(TaskId) override {}
  void task(TaskRecord v) override { add(line_of("task", v)); }
  void step(StepRecord v) override { add(line_of("step", v)); }
  void hand_out(HandOut v) override { hand_outs_.push_back(line_of("hand-out", v)); }

  Lines take() {
    std::sort(lines_.begin(), lines_.end());
    lines_.insert(lines_.end(), hand_outs_.begin(), hand_outs_.end());
    return std::move(lines_);
  }

 private:
  void add(std::string line) { lines_.push_back(std::move(line)); }
  Lines lines_, hand_outs_;
};

inline Lines dump_load(Store& store) {
  DumpLoader loader;
  const Status loaded = store.load(loader);
  if (!loaded.ok()) ADD_FAILURE() << loaded.error().what;
  return loader.take();
}

// Where two dumps first differ, in a line a person can read; "" when they do not.
inline std::string difference(const Lines& a, const Lines& b) {
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string none = "nothing";
    const std::string& left = i < a.size() ? a[i] : none;
    const std::string& right = i < b.size() ? b[i] : none;
    if (left != right) return "line " + std::to_string(i) + ": " + left + "\n  and: " + right;
  }
  return "";
}

inline std::string line_of(const TaskRow& row) {
  HistoryRecord h{row.task, row.outcome, row.result, row.error, row.log, row.trace};
  return line_of("row", h) + " recorded " + std::to_string(row.recorded.ns);
}

inline std::string line_of(const ArrayRow& row) {
  return line_of("array row", row.array) + " " + std::to_string(row.done) + "/" +
         std::to_string(row.failed) + "/" + std::to_string(row.cancelled) +
         (row.finished ? " finished " : " open ") + std::to_string(row.finished_at.ns);
}

template <class T>
T taken(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.error().what;
  return std::move(result).value();
}

// Everything a reader says about ids below `ids`, in small pages.
inline Lines dump_reads(Reader& reader, uint64_t ids) {
  Lines out{"turn " + std::to_string(taken(reader.last_turn()).raw)};
  TaskFilter filter{.limit = 7};
  for (auto page = taken(reader.tasks(filter)); !page.empty(); page = taken(reader.tasks(filter))) {
    for (const TaskRow& row : page) out.push_back(line_of(row));
    filter.after = page.back().task.id;
  }
  for (uint64_t id = 1; id < ids; ++id) {
    if (const auto row = taken(reader.task(TaskId{id}))) out.push_back("one " + line_of(*row));
    if (const auto outcome = taken(reader.task_outcome(TaskId{id}))) {
      out.push_back("outcome " + std::to_string(static_cast<int>(*outcome)));
    }
    for (const auto& a : taken(reader.attempts(WorkRef::of(TaskId{id})))) {
      out.push_back(line_of("attempt", a));
    }
    for (const auto& r : taken(reader.results({.place = ResultRef::Place::task, .task = {id}}))) {
      out.push_back(line_of("result", r));
    }
    for (const auto& s : taken(reader.steps(ExecutionId{id}))) out.push_back(line_of("step", s));
    if (const auto e = taken(reader.execution(ExecutionId{id}))) {
      out.push_back(line_of("execution", *e));
    }
    const auto array = taken(reader.array(ArrayId{id}));
    if (!array) continue;
    out.push_back(line_of(*array));
    uint64_t first = 0;
    for (;;) {
      const auto page = taken(reader.outcomes(ArrayId{id}, first, 5));
      if (page.empty()) break;
      for (const IndexRow& row : page) {
        out.push_back(line_of("index", row.outcome) + " at " + std::to_string(row.recorded.ns));
      }
      first = page.back().outcome.index + 1;
    }
    for (const auto& a : taken(reader.attempts(WorkRef::of(ArrayId{id}, 2, 10)))) {
      out.push_back(line_of("index attempt", a));
    }
    for (const auto& r : taken(reader.results({.place = ResultRef::Place::array, .array = {id}}))) {
      out.push_back(line_of("result", r));
    }
  }
  for (const TokenRecord& t : taken(reader.tokens())) out.push_back(line_of("token", t));
  ExecutionId after;
  for (auto page = taken(reader.executions(after, 3)); !page.empty();
       page = taken(reader.executions(after, 3))) {
    for (const auto& e : page) out.push_back(line_of("listed", e));
    after = page.back().id;
  }
  return out;
}

}  // namespace tidemill::store
