#pragma once
// How an attempt ended and what it cost. Values; any thread.
#include <cstdint>
#include <string>

#include "base/time.h"
#include "model/result_ref.h"

namespace tidemill {

// The outcome of a round. `failed` tasks lie in the dead letter (buried) with their last error.
enum class Outcome : uint8_t { open, done, failed, cancelled };

struct TaskError {
  std::string kind;     // "timeout", "crash", "http", "python", … : what policies and retry match on
  std::string message;  // bounded by limits::kErrorTextMax
  bool retryable = true;
  bool operator==(const TaskError&) const = default;
};

// Where an attempt's time went (docs/architecture.md). Stamps of the server are wall time; what the
// worker saw are durations of its steady clock counted from `received`. `recorded` is the commit
// time of the turn and is kept once per turn.
struct Trace {
  WallTime spawned;
  WallTime ready;
  WallTime dispatched;
  WallTime reported;  // when the machine took the report
  Duration inputs_ready;
  Duration started;
  Duration finished;
  Duration sent;  // the worker handed the report to the exchange
  Duration cpu;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint32_t calls = 0;  // tool calls made
  bool operator==(const Trace&) const = default;
};

// A result as reported: its JSON text inline, or the name of a blob that is already durable.
struct ResultValue {
  std::string inline_json;  // at most limits::kInlineMax
  ResultRef blob;           // place `blob` when the text is not inline
  bool operator==(const ResultValue&) const = default;
};

}  // namespace tidemill
