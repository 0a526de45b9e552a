#pragma once
// Where a result is, without holding it: nowhere, in the row of a finished task, spread over the
// outcomes of an array (read as a list in index order), or in a blob. A value; any thread.
#include <cstdint>

#include "base/hash.h"
#include "base/ids.h"

namespace tidemill {

struct ResultRef {
  enum class Place : uint8_t { none, task, array, blob };
  Place place = Place::none;
  TaskId task;      // with `task`
  ArrayId array;    // with `array`
  Sha256 blob{};    // with `blob`
  uint64_t size = 0;  // bytes of JSON text; 0 when not known (arrays)
  bool operator==(const ResultRef&) const = default;
};

}  // namespace tidemill
