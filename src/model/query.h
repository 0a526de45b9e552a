#pragma once
// What queries give back: rows of committed turns, for people and for prefetching. Values; any
// thread.
#include <cstdint>
#include <optional>
#include <string>

#include "model/records.h"

namespace tidemill {

struct TaskRow {  // a live or a finished task for people
  TaskRecord task;
  Outcome outcome = Outcome::open;
  ResultValue result;
  TaskError error;
  std::string log;
  Trace trace;
  WallTime recorded;  // commit time of the outcome's turn
};

struct ArrayRow {
  ArrayRecord array;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  bool finished = false;
  WallTime finished_at;
};

struct IndexRow {
  IndexOutcome outcome;
  WallTime recorded;
};

struct TaskFilter {
  std::optional<ExecutionId> execution;
  std::optional<uint32_t> step;
  std::string queue;                 // "": any
  std::optional<Outcome> outcome;    // open: live ones
  TaskId after;                      // page on from here
  uint32_t limit = 100;
};

// A part of a backlog: from (ready, task) on, inclusive.
struct BacklogFilter {
  std::string queue;
  std::string kind;
  int32_t priority = 0;
  WallTime ready;
  TaskId task;
  uint32_t limit = 100;
};

struct BacklogRow {
  TaskRecord task;
  uint64_t hash = 0;  // hash64 of the encoded record
};

}  // namespace tidemill
