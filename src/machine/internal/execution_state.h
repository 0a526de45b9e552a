#pragma once
// The tables of executions and steps inside State, owned by execution/. Engine thread only.
#include <map>

#include "model/records.h"

namespace tidemill::machine {

struct ExecutionTables {
  std::map<ExecutionId, ExecutionRecord> executions;
};

}  // namespace tidemill::machine
