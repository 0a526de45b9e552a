#pragma once
// Effects: what the shells carry out after the turn they name is durable, besides replies. Values.
#include <variant>

#include "base/ids.h"
#include "model/query.h"
#include "model/records.h"

namespace tidemill::machine {

// Somebody may be watching: its state or one of its steps' changed.
struct ExecutionChanged {
  ExecutionId execution;
};
struct ExecutionFinished {
  ExecutionId execution;
  ExecutionRecord::State state = ExecutionRecord::State::done;
};

// A part of a backlog is wanted from the store, as it is once the turn is durable. It comes back as
// a command, PageIn.
struct PageWanted {
  BacklogFilter part;
};

using Effect = std::variant<ExecutionChanged, ExecutionFinished, PageWanted>;

}  // namespace tidemill::machine
