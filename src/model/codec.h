#pragma once
// Records to bytes and back: the form in which the store keeps them and in which state_hash() sees them.
// Every encoding begins with a version byte; a decoder reads every version ever written and refuses what
// it does not know (corrupt). Equal records give equal bytes on every machine. Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/change.h"
#include "model/records.h"

namespace tidemill {

std::string encode(const QueueConfig& v);
std::string encode(const TaskRecord& v);
std::string encode(const ArrayRecord& v);
std::string encode(const IndexOverride& v);
std::string encode(const BarrierRecord& v);
std::string encode(const ExecutionRecord& v);
std::string encode(const StepRecord& v);
std::string encode(const KeyRecord& v);
std::string encode(const HandOut& v);
std::string encode(const Trace& v);
std::string encode(const ItemChunk& v);

// Errors: corrupt, with the record's name. `decode<TaskRecord>(bytes)`.
template <class Record>
Result<Record> decode(std::string_view bytes);

}  // namespace tidemill
