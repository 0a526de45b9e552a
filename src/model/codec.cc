#include "model/codec.h"

#include "model/internal/field_count.h"
#include "model/internal/field_io.h"
#include "model/internal/fields.h"

namespace tidemill {

namespace {

// A member added to a record must be added to its list in fields.h too; then raise the number.
#define FIELDS(Record, count) \
  static_assert(codec::field_count<Record>() == (count), #Record " has an unencoded member")
FIELDS(QueueConfig, 9);
FIELDS(RetryPolicy, 7);
FIELDS(WorkSpec, 9);
FIELDS(TaskRecord, 21);
FIELDS(ChildResult, 3);
FIELDS(ArrayRecord, 9);
FIELDS(ItemChunk, 3);
FIELDS(IndexOutcome, 7);
FIELDS(IndexOverride, 13);
FIELDS(BarrierRecord, 10);
FIELDS(ExecutionRecord, 17);
FIELDS(StepRecord, 17);
FIELDS(KeyRecord, 5);
FIELDS(HistoryRecord, 6);
FIELDS(AttemptRecord, 6);
FIELDS(HandOut, 3);
FIELDS(EndLease, 1);
FIELDS(TokenRecord, 6);
FIELDS(LeasedWork, 2);
FIELDS(LeaseEpoch, 2);
FIELDS(WorkRef, 4);
FIELDS(StepRef, 3);
FIELDS(Trace, 12);
FIELDS(TaskError, 3);
FIELDS(ResultRef, 5);
FIELDS(ResultValue, 2);
#undef FIELDS

// The version this program writes of each record. A reader takes 1 up to it.
template <class Record>
constexpr uint8_t kVersion = 1;

template <class Record>
void append(std::string& out, const Record& v) {
  codec::Sizer sizer;
  codec::fields(sizer, v);
  const size_t begin = out.size();
  out.resize(begin + 1 + sizer.bound());
  out[begin] = static_cast<char>(kVersion<Record>);
  codec::Writer writer(out.data() + begin + 1);
  codec::fields(writer, v);
  const auto end = static_cast<size_t>(writer.position() - out.data());
  TIDEMILL_ASSERT(end <= out.size());
  out.resize(end);
}

template <class Record>
Result<Record> take(std::string_view bytes, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Error{ErrorCode::corrupt, std::string(name).append(": ").append(why)};
  };
  if (bytes.empty()) return refuse("no bytes");
  const auto version = static_cast<uint8_t>(bytes[0]);
  if (version == 0 || version > kVersion<Record>) {
    return refuse("version " + std::to_string(version) + " of its encoding is not known here");
  }
  Result<Record> out{Record{}};
  codec::Reader reader(bytes.substr(1));
  codec::fields(reader, *out);
  if (reader.finished()) return out;
  return refuse(reader.failed() ? "its bytes end early or make no sense" : "bytes follow its end");
}

}  // namespace

#define X(Record)                                         \
  void encode_to(std::string& out, const Record& v) {     \
    append(out, v);                                       \
  }                                                       \
  std::string encode(const Record& v) {                   \
    std::string out;                                      \
    append(out, v);                                       \
    return out;                                           \
  }                                                       \
  template <>                                             \
  Result<Record> decode<Record>(std::string_view bytes) { \
    return take<Record>(bytes, #Record);                  \
  }
TIDEMILL_ENCODED_RECORDS(X)
#undef X

}  // namespace tidemill
