#pragma once
// How the outcomes of an array's indexes are packed into one row: heads as runs (index, outcome,
// attempt), which is all that recovery reads; traces as differences from the index before; bodies
// (results, errors, logs) last. The format is normative in docs/storage.md. Pure; any thread.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/records.h"

namespace tidemill::store {

struct Run {  // count indexes from first, alike
  uint64_t first = 0;
  uint64_t count = 0;
  Outcome outcome = Outcome::open;  // open: they were reopened
  uint32_t attempt = 0;
  bool operator==(const Run&) const = default;
};

struct Heads {
  bool rest_cancelled = false;  // every index that was open when this was written
  std::vector<Run> runs;        // in index order
};

std::string pack_heads(const Heads& heads);
Result<Heads> unpack_heads(std::string_view bytes);  // corrupt

struct PackedOutcomes {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  std::string heads;
  std::string traces;
  std::string bodies;  // empty when no outcome has one
};

// `outcomes` are in order of their indexes, each once.
PackedOutcomes pack_outcomes(std::span<const IndexOutcome* const> outcomes);
Result<std::vector<IndexOutcome>> unpack_outcomes(const Heads& heads, std::string_view traces,
                                                  std::string_view bodies);  // corrupt

}  // namespace tidemill::store
