#pragma once
// What producers say about arrays and are told, as JSON (docs/protocol.md): spawning one, how far
// it is, the results of its indexes. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/query.h"
#include "model/records.h"

namespace tidemill::wire {

// ---- POST /v1/arrays ----
struct NewArray {
  WorkSpec work;
  uint64_t count = 0;
  std::vector<std::string> items;  // one JSON text for each index, or none at all
  uint32_t max_in_flight = 0;      // 0: no limit of its own
  uint64_t max_failed = UINT64_MAX;
};
std::string to_json(const NewArray& array);
// Errors: invalid, naming the path of what is wrong; too_large.
Result<NewArray> parse_new_array(std::string_view json);

// {"id": …}
std::string to_json(ArrayId id);
Result<ArrayId> parse_array_id(std::string_view json);

// ---- GET /v1/arrays/ID ----
struct ArrayState {
  ArrayId id;
  uint64_t count = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  bool finished = false;
};
std::string to_json(const ArrayRow& row);
Result<ArrayState> parse_array_state(std::string_view json);

// ---- GET /v1/arrays/ID/results ----
struct IndexTold {
  uint64_t index = 0;
  Outcome outcome = Outcome::done;
  ResultValue result;
  TaskError error;
};
std::string to_json(const std::vector<IndexRow>& rows);
Result<std::vector<IndexTold>> parse_index_results(std::string_view json);

}  // namespace tidemill::wire
