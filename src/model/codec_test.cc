// Round trips of every record: each field is changed alone, must change the bytes, and must come
// back. Then every truncation, every single wrong byte and every unknown version must be refused or
// read as some record, and never crash.
#include "model/codec.h"

#include <gtest/gtest.h>

#include <set>

namespace tidemill {
namespace {

template <class Record>
struct Field {
  const char* name;
  void (*change)(Record&);
};

SharedBytes shared(const char* text) {
  return std::make_shared<const std::string>(text);
}

template <class Record>
Record with_all(const std::vector<Field<Record>>& table) {
  Record record;
  for (const auto& field : table) field.change(record);
  return record;
}

template <class Record>
void expect_same_after_round_trip(const Record& record, const char* what) {
  const std::string bytes = encode(record);
  const Result<Record> back = decode<Record>(bytes);
  ASSERT_TRUE(back.ok()) << what << ": " << back.error().what;
  EXPECT_EQ(encode(*back), bytes) << what;
}

template <class Record>
void expect_every_field_counts(const std::vector<Field<Record>>& table) {
  std::set<std::string> seen{encode(Record{})};
  for (const auto& field : table) {
    Record record;
    field.change(record);
    EXPECT_TRUE(seen.insert(encode(record)).second) << field.name << " is not in the bytes";
    expect_same_after_round_trip(record, field.name);
  }
}

template <class Record>
void expect_damage_is_survived(const std::string& whole) {
  for (size_t n = 0; n < whole.size(); ++n) {
    const auto cut = decode<Record>(std::string_view(whole).substr(0, n));
    ASSERT_FALSE(cut.ok()) << "cut at " << n;
    EXPECT_EQ(cut.error().code, ErrorCode::corrupt);
  }
  EXPECT_FALSE(decode<Record>(whole + '\0').ok()) << "one byte too many";
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      if (const auto read = decode<Record>(damaged); read.ok()) {
        EXPECT_TRUE(decode<Record>(encode(*read)).ok()) << "byte " << at;
      }
    }
  }
  for (const int version : {0, 2, 255}) {
    std::string other = whole;
    other[0] = static_cast<char>(version);
    EXPECT_FALSE(decode<Record>(other).ok()) << "version " << version;
  }
}

template <class Record>
void check(const std::vector<Field<Record>>& table) {
  expect_same_after_round_trip(Record{}, "the empty record");
  expect_every_field_counts(table);
  const Record full = with_all(table);
  expect_same_after_round_trip(full, "the full record");
  expect_damage_is_survived<Record>(encode(full));
}

#define FIELD(statement)                     \
  {                                          \
#statement, [](auto& v) { v.statement; } \
  }

TEST(CodecTest, QueueConfig) {
  check<QueueConfig>(
      {FIELD(name = "imaging"), FIELD(retry.max_attempts = 9), FIELD(retry.max_crashes = 8),
       FIELD(retry.backoff = Backoff::none), FIELD(retry.delay = seconds(5)),
       FIELD(retry.delay_cap = seconds(6)), FIELD(retry.jitter_percent = 20),
       FIELD(retry.fatal_kinds.push_back("http")), FIELD(attempt_timeout = seconds(7)),
       FIELD(concurrency = 4), FIELD(key_concurrency = 5), FIELD(ageing = minutes(1)),
       FIELD(order = Order::fifo), FIELD(durability = Durability::relaxed), FIELD(paused = true)});
}

TEST(CodecTest, TokenRecord) {
  check<TokenRecord>({FIELD(name = "gpu"), FIELD(kind = TokenKind::read_only), FIELD(hash[31] = 9),
                      FIELD(queues.push_back("imaging")), FIELD(created_at.ns = 1'700'000),
                      FIELD(expires_at.ns = 1'800'000)});
}

TEST(CodecTest, TaskRecord) {
  check<TaskRecord>({FIELD(id.raw = UINT64_MAX),
                     FIELD(work.queue = "q"),
                     FIELD(work.kind = "python"),
                     FIELD(work.input = shared("")),
                     FIELD(work.input = shared("{\"a\":1}")),
                     FIELD(work.priority = INT32_MIN),
                     FIELD(work.needs_slot = false),
                     FIELD(work.retry.max_attempts = 7),
                     FIELD(work.attempt_timeout = seconds(3)),
                     FIELD(work.step.execution.raw = 5),
                     FIELD(work.step.step = 6),
                     FIELD(work.step.epoch = 7),
                     FIELD(work.barrier.raw = 8),
                     FIELD(state = TaskRecord::State::suspended),
                     FIELD(cancel_requested = true),
                     FIELD(after_any_outcome = true),
                     FIELD(round = 3),
                     FIELD(attempts = 4),
                     FIELD(crashes = 5),
                     FIELD(starts = 6),
                     FIELD(spawned_at.ns = 1'700'000'000'000'000'000),
                     FIELD(run_at.ns = INT64_MAX),
                     FIELD(ready_at.ns = INT64_MIN),
                     FIELD(deadline.ns = 1),
                     FIELD(concurrency_key = "tenant"),
                     FIELD(idempotency_key = "once"),
                     FIELD(input_hash = UINT64_MAX),
                     FIELD(after = {TaskId{3}}),
                     FIELD(after = (std::vector<TaskId>{TaskId{3}, TaskId{4}})),
                     FIELD(suspended_with = shared("s")),
                     FIELD(waits_for.raw = 77),
                     FIELD(child = std::make_shared<const ChildResult>()),
                     FIELD(child = std::make_shared<const ChildResult>(ChildResult{.failed = true})),
                     FIELD(last_error.kind = "http"),
                     FIELD(last_error.message = "503"),
                     FIELD(last_error.retryable = false)});
}

TEST(CodecTest, ArrayRecordAndItems) {
  check<ArrayRecord>({FIELD(id.raw = 9), FIELD(work.kind = "http"), FIELD(count = 10'000'000),
                      FIELD(has_items = true), FIELD(max_in_flight = 256), FIELD(max_failed = 0),
                      FIELD(cancel_requested = true), FIELD(spawned_at.ns = 5),
                      FIELD(ready_at.ns = 6)});
  check<ItemChunk>({FIELD(array.raw = 1), FIELD(first = 1'024),
                    FIELD(items = std::make_shared<const std::vector<std::string>>()),
                    FIELD(items = (std::make_shared<const std::vector<std::string>>(
                              std::vector<std::string>{"1", "", "{\"x\":2}"})))});
}

TEST(CodecTest, OutcomesAndOverrides) {
  check<IndexOutcome>({FIELD(index = 1), FIELD(attempt = 2), FIELD(outcome = Outcome::cancelled),
                       FIELD(result.inline_json = "[1]"), FIELD(result.blob.size = 70'000),
                       FIELD(error.message = "no"), FIELD(log = "line\n"), FIELD(trace.calls = 3)});
  check<IndexOverride>({FIELD(array.raw = 1), FIELD(index = 2), FIELD(attempts = 3),
                        FIELD(crashes = 4), FIELD(starts = 5), FIELD(round = 6),
                        FIELD(suspended = true), FIELD(cancel_requested = true), FIELD(run_at.ns = 7),
                        FIELD(suspended_with = shared("w")), FIELD(waits_for.raw = 8),
                        FIELD(child = std::make_shared<const ChildResult>()),
                        FIELD(last_error.kind = "timeout")});
}

TEST(CodecTest, BarriersAndKeys) {
  check<BarrierRecord>({FIELD(id.raw = 1), FIELD(expected = 2), FIELD(joined = 3), FIELD(done = 3), FIELD(failed = 4),
                        FIELD(cancelled = 5), FIELD(sealed = false), FIELD(fired = true),
                        FIELD(fires_task.raw = 6), FIELD(fires_step.execution.raw = 7),
                        FIELD(fires_step.step = 8), FIELD(fires_step.epoch = 9)});
  check<KeyRecord>({FIELD(queue = "q"), FIELD(key = "k"), FIELD(task.raw = 1),
                    FIELD(kind = "shell"), FIELD(input_hash = 2)});
}

TEST(CodecTest, ExecutionsAndSteps) {
  check<ExecutionRecord>(
      {FIELD(id.raw = 1), FIELD(state = ExecutionRecord::State::cancelled), FIELD(name = "pft"),
       FIELD(file = "pft.yaml"), FIELD(plan[31] = 1), FIELD(compiler_version = 2),
       FIELD(workload = shared("{}")), FIELD(ctx = shared("{\"n\":1}")), FIELD(parent.task.raw = 3),
       FIELD(parent.array.raw = 4), FIELD(parent.first = 5), FIELD(parent.count = 6),
       FIELD(child_key = "c"), FIELD(return_step = "end"), FIELD(deadline.ns = 9),
       FIELD(cancel_requested = true), FIELD(wants_final = true),
       FIELD(error.kind = "tool"), FIELD(started_at.ns = 7), FIELD(finished_at.ns = 8)});
  check<StepRecord>({FIELD(ref.execution.raw = 1), FIELD(ref.step = 2), FIELD(ref.epoch = 3),
                     FIELD(state = StepRecord::State::cancelled), FIELD(from_back_edge = true),
                     FIELD(again = StepRecord::Again::forward), FIELD(superseded = true),
                     FIELD(caught = true), FIELD(task.raw = 4), FIELD(array.raw = 5),
                     FIELD(barrier.raw = 6), FIELD(result.place = ResultRef::Place::array),
                     FIELD(routing = shared("{}")), FIELD(total = 7), FIELD(done = 8),
                     FIELD(failed = 9), FIELD(error.message = "e"), FIELD(entered_at.ns = 10),
                     FIELD(finished_at.ns = 11)});
}

TEST(CodecTest, HistoryAndAttempts) {
  check<HistoryRecord>({FIELD(task.id.raw = 1), FIELD(outcome = Outcome::failed),
                        FIELD(result.inline_json = "2"), FIELD(result.blob.task.raw = 3),
                        FIELD(error.kind = "k"), FIELD(log = "l"), FIELD(trace.cpu = seconds(1))});
  check<AttemptRecord>({FIELD(work.task.raw = 1), FIELD(work.count = 5), FIELD(number = 2),
                        FIELD(end = AttemptRecord::End::returned), FIELD(error.message = "m"),
                        FIELD(log = "l"), FIELD(trace.sent = seconds(2))});
}

TEST(CodecTest, Leases) {
  check<HandOut>(
      {FIELD(session.raw = 1), FIELD(in_process = true),
       FIELD(items.push_back({WorkRef::of(TaskId{UINT64_MAX}), {.incarnation = 1, .counter = 2}})),
       FIELD(
           items.push_back({WorkRef::of(ArrayId{6}, 100, 20), {.incarnation = 1, .counter = 3}}))});
  check<EndLease>({FIELD(ended.work.task.raw = 1), FIELD(ended.work.first = 2),
                   FIELD(ended.epoch.incarnation = 3), FIELD(ended.epoch.counter = 4)});
}

TEST(CodecTest, TracesErrorsAndResults) {
  check<Trace>({FIELD(spawned.ns = 1), FIELD(ready.ns = 2), FIELD(dispatched.ns = 3),
                FIELD(reported.ns = 4), FIELD(inputs_ready.ns = 5), FIELD(started.ns = 6),
                FIELD(finished.ns = 7), FIELD(sent.ns = INT64_MIN), FIELD(cpu.ns = 9),
                FIELD(bytes_in = 10), FIELD(bytes_out = 11), FIELD(calls = 12)});
  check<TaskError>({FIELD(kind = "k"), FIELD(message = "m"), FIELD(retryable = false)});
  check<ResultRef>({FIELD(place = ResultRef::Place::blob), FIELD(task.raw = 1),
                    FIELD(array.raw = 2), FIELD(blob[0] = 3), FIELD(size = 4)});
  check<ResultValue>({FIELD(inline_json = "{}"), FIELD(blob.place = ResultRef::Place::blob)});
}

TEST(CodecTest, AppendsToWhatIsThere) {
  std::string out = "before";
  encode_to(out, Trace{});
  EXPECT_EQ(out, "before" + encode(Trace{}));
}

TEST(CodecTest, AHandOutOfNeighboursIsSmall) {
  HandOut hand_out{.session = SessionId{3}, .items = {}};
  for (uint64_t i = 0; i < 1'000; ++i) {
    hand_out.items.push_back(
        {WorkRef::of(TaskId{1'000'000 + i}), {.incarnation = 1, .counter = 500 + i}});
  }
  EXPECT_LT(encode(hand_out).size(), 6'100U);
}

TEST(CodecTest, AListLongerThanItsBytesIsRefusedBeforeMemoryIsTaken) {
  std::string bytes = encode(HandOut{});
  bytes.pop_back();                                     // the count of items
  bytes += "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";  // 2^64 − 1 of them
  EXPECT_FALSE(decode<HandOut>(bytes).ok());
}

}  // namespace
}  // namespace tidemill
