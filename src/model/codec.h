#pragma once
// Records to bytes and back: the form in which the store keeps them and in which state_hash() sees
// them. Every encoding begins with a version byte; a decoder reads every version ever written and
// refuses what it does not know (corrupt). Equal records give equal bytes on every machine. Pure;
// any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/change.h"
#include "model/records.h"

namespace tidemill {

#define TIDEMILL_ENCODED_RECORDS(X)                                                              \
  X(QueueConfig)                                                                                 \
  X(TaskRecord) X(ArrayRecord) X(ItemChunk) X(IndexOutcome) X(IndexOverride) X(BarrierRecord)    \
      X(ExecutionRecord) X(StepRecord) X(KeyRecord) X(HistoryRecord) X(AttemptRecord) X(HandOut) \
          X(EndLease) X(TokenRecord) X(Trace) X(TaskError) X(ResultRef) X(ResultValue)

// `encode_to` appends, so that a caller who encodes often reuses one buffer.
#define X(Record)                      \
  std::string encode(const Record& v); \
  void encode_to(std::string& out, const Record& v);
TIDEMILL_ENCODED_RECORDS(X)
#undef X

// Errors: corrupt, with the record's name. `decode<TaskRecord>(bytes)`.
template <class Record>
Result<Record> decode(std::string_view bytes);

}  // namespace tidemill
