#pragma once
// Changes: what one turn makes durable, in order, as typed records. The machine emits them, the
// store writes them in one transaction, recovery reads the records back. A change says the whole
// new record (never a difference), so applying a turn twice is the same as once. Values; any
// thread.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/records.h"
#include "model/token.h"

namespace tidemill {

// ---- queues ----
struct PutQueue {
  QueueConfig config;
};

// ---- tokens ----
struct PutToken {
  TokenRecord token;
};
struct DropToken {
  std::string name;
};

// ---- tasks ----
// Spawned, or its live record changed; its queue, kind, priority and spawn time never do.
struct PutTask {
  TaskRecord task;
};
struct FinishTask {  // leaves the live table with its outcome
  HistoryRecord history;
};
struct ReopenTask {  // a person's retry: back from the history into the live table
  TaskRecord task;
};
struct PutAttempt {  // an attempt that did not end the round
  AttemptRecord attempt;
};

// ---- arrays ----
struct PutArray {
  ArrayRecord array;
};
struct PutItems {
  ItemChunk chunk;
};
struct PutOutcomes {  // any number of finished indexes of one array
  ArrayId array;
  std::vector<IndexOutcome> outcomes;
};
struct ReopenIndex {  // a person's retry of one index: its outcome is void
  ArrayId array;
  uint64_t index = 0;
};
struct CancelRest {  // every open index of the array that has no outcome row is cancelled
  ArrayId array;
};
struct PutOverride {
  IndexOverride override_;
};
struct DropOverride {
  ArrayId array;
  uint64_t index = 0;
};
struct FinishArray {  // all indexes are terminal; the record leaves the live table
  ArrayId array;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  WallTime finished_at;
};
struct ReopenArray {
  ArrayRecord array;
};

// ---- barriers, executions, keys ----
struct PutBarrier {
  BarrierRecord barrier;
};
struct DropBarrier {
  BarrierId barrier;
};
struct PutExecution {
  ExecutionRecord execution;
};
struct PutStep {
  StepRecord step;
};
struct PutKey {
  KeyRecord key;
};

// ---- hand-outs ----
// Everything one exchange reply handed out, packed: it costs one row, and nobody waits for it.
struct HandOut {
  SessionId session;
  bool in_process = false;  // the session died with its server: nothing stays reserved for it
  std::vector<LeasedWork> items;
};
struct EndLease {  // expired, given back or revoked: a later lease of that work needs this turn
  LeasedWork ended;
};

// ---- counters of the store ----
struct PutCounters {
  uint64_t next_id = 0;       // ids below are taken
  uint32_t incarnation = 0;
};

using Change = std::variant<PutQueue, PutTask, FinishTask, ReopenTask, PutAttempt, PutArray, PutItems,
                            PutOutcomes, ReopenIndex, CancelRest, PutOverride, DropOverride, FinishArray,
                            ReopenArray, PutBarrier, DropBarrier, PutExecution, PutStep, PutKey, HandOut,
                            EndLease, PutCounters, PutToken, DropToken>;

}  // namespace tidemill
