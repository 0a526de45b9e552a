#pragma once
// The lives of tasks and indexes between their spawn and their outcome: ready, delayed, suspended,
// tried again, finished. Who leases them is session/'s matter: everything here is about work that
// nobody holds (any more). Engine thread only.
#include <memory>
#include <optional>
#include <string>

#include "machine/internal/state.h"

namespace tidemill::machine {

// How an attempt came to its end, whoever says so.
struct Ending {
  ResultValue result;
  TaskError error;
  std::string log;
  Trace trace;
  const Report* report = nullptr;  // when a worker said it
};

// ---- tasks ----
LiveTask* find_task(State& s, TaskId id);
const LiveTask* find_task(const State& s, TaskId id);
// A finished task: of the store's history, or finished in this very turn. Null: unknown.
const HistoryRecord* finished_task(const State& s, TaskId id);
std::optional<Outcome> finished_outcome(const State& s, TaskId id);
// Puts a new or restored record into the tables, with its timers and its place in the order.
LiveTask& adopt_task(State& s, TaskRecord record);
void make_ready(State& s, LiveTask& task);  // with a new place in the order
void delay(State& s, LiveTask& task, WallTime until);
void suspend(State& s, LiveTask& task, SharedBytes with, ExecutionId waits_for);
void finish_task(State& s, LiveTask& task, Outcome outcome, Ending ending);
// The round's attempt failed, crashed or timed out: charges it and tries again, or buries the task.
void fail_task(State& s, LiveTask& task, AttemptRecord::End end, Ending ending);
// An attempt that is charged to nobody is put on record.
void record_attempt(State& s, LiveTask& task, AttemptRecord::End end, Ending ending);

// ---- indexes of arrays ----
LiveArray* find_array(State& s, ArrayId id);
LiveArray& adopt_array(State& s, ArrayRecord record);
LiveOverride& override_of(LiveArray& array, uint64_t index);
// The index's own record, or null when it has nothing special.
const IndexOverride* peek_override(const LiveArray& array, uint64_t index);
// These indexes are nobody's: they can be handed out again.
void put_back(State& s, LiveArray& array, const IndexRange& range);
// Takes the next indexes to hand out, at most `count` and successive.
struct TakenRange {
  IndexRange range;
  Turn ready_turn;
};
TakenRange take_range(LiveArray& array, uint64_t count);
// Takes one index out of what is to be handed out again; false when it is not there.
bool take_back(LiveArray& array, uint64_t index);
// Open, and neither held nor waiting; such an index can be taken out, wherever it stands in line.
bool is_free(const LiveArray& array, uint64_t index);
void take_index(State& s, LiveArray& array, uint64_t index);
void suspend_index(State& s, LiveArray& array, uint64_t index, SharedBytes with,
                   ExecutionId waits_for);
// A delayed or suspended index can be handed out again.
void wake_index(State& s, LiveArray& array, uint64_t index);
void finish_index(State& s, LiveArray& array, uint64_t index, Outcome outcome, Ending ending);
// A person's retry: the index's outcome is void, and its next round begins.
void reopen_index(State& s, LiveArray& array, uint64_t index);
void fail_index(State& s, LiveArray& array, uint64_t index, AttemptRecord::End end, Ending ending);
void record_attempt(State& s, LiveArray& array, uint64_t index, AttemptRecord::End end,
                    Ending ending);
// This index's share of state_hash once it has an outcome.
uint64_t outcome_share(ArrayId array, uint64_t index, Outcome outcome);

// ---- barriers ----
bool barrier_is_open(const State& s, BarrierId id);
void join_barrier(State& s, BarrierId id, uint64_t count);
void count_in_barrier(State& s, BarrierId id, Outcome outcome, uint64_t count);
// A finished item of an open barrier counts as open again.
void uncount_in_barrier(State& s, BarrierId id, Outcome outcome, uint64_t count);

}  // namespace tidemill::machine
