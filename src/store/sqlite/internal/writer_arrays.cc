#include <algorithm>

#include "model/codec.h"
#include "store/internal/outcome_pack.h"
#include "store/sqlite/internal/checksum.h"
#include "store/sqlite/internal/writer_statements.h"

namespace tidemill::store {

namespace {

// A row holds outcomes up to both bounds, so that reading some of a large array does not read much
// more.
constexpr size_t kPackIndexes = 1'024;
constexpr size_t kPackBytes = 1'024 * 1'024;

size_t weight(const IndexOutcome& o) {
  return o.result.inline_json.size() + o.error.message.size() + o.log.size();
}

}  // namespace

Status Writer::put_array(const ArrayRecord& v) {
  TIDEMILL_TRY(const int64_t lane, lane_of(v.work));
  std::string data;  // lane_of() may have used the buffer of encoded()
  encode_to(data, v);
  return s_->put_array
      .with(v.id.raw, lane, v.work.step.execution.raw, v.work.step.step, v.count, turn_.raw,
            v.spawned_at.ns, Blob{data}, row_sum(data, v.id.raw))
      .run();
}

Status Writer::one(const PutItems& v) {
  std::string data;
  encode_to(data, v.chunk);
  const uint64_t sum = row_sum(data, v.chunk.array.raw, v.chunk.first);
  return s_->put_items.with(v.chunk.array.raw, v.chunk.first, Blob{data}, sum).run();
}

Status Writer::one(const PutOutcomes& v) {
  std::vector<const IndexOutcome*> sorted;
  sorted.reserve(v.outcomes.size());
  for (const IndexOutcome& outcome : v.outcomes) sorted.push_back(&outcome);
  const auto by_index = [](const auto* a, const auto* b) { return a->index < b->index; };
  if (!std::is_sorted(sorted.begin(), sorted.end(), by_index)) {
    std::sort(sorted.begin(), sorted.end(), by_index);
  }
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin, bytes = 0;
    while (end < sorted.size() && end - begin < kPackIndexes && bytes < kPackBytes) {
      bytes += weight(*sorted[end++]);
    }
    TIDEMILL_CHECK(put_pack(v.array, std::span(sorted).subspan(begin, end - begin)));
    begin = end;
  }
  return Ok{};
}

Status Writer::put_pack(ArrayId array, std::span<const IndexOutcome* const> outcomes) {
  const PackedOutcomes packed = pack_outcomes(outcomes);
  if (!leases_.empty()) {
    for (size_t i = 0; i < outcomes.size();) {
      const size_t begin = i++;
      while (i < outcomes.size() && outcomes[i]->index == outcomes[i - 1]->index + 1) ++i;
      leases_.end_indexes(array, outcomes[begin]->index, i - begin);
    }
  }
  std::optional<Blob> bodies;
  if (!packed.bodies.empty()) bodies = Blob{packed.bodies};
  const int64_t part = part_++;
  const uint64_t sum = row_sum(packed.heads, array.raw, turn_.raw, part);
  const uint64_t row = ++last_bodies_row_;
  const uint64_t body_sum = row_sum(packed.bodies, row_sum(packed.traces, sum));
  TIDEMILL_CHECK(s_->put_bodies.with(row, Blob{packed.traces}, bodies, body_sum).run());
  return s_->put_outcomes
      .with(turn_.raw, array.raw, part, packed.first, packed.last, packed.done, packed.failed,
            packed.cancelled, Blob{packed.heads}, sum, row)
      .run();
}

Status Writer::put_mark(ArrayId array, uint64_t first, uint64_t last, int64_t counts[3],
                        std::string_view heads) {
  const int64_t part = part_++;
  const uint64_t sum = row_sum(heads, array.raw, turn_.raw, part);
  return s_->put_outcomes
      .with(turn_.raw, array.raw, part, first, last, counts[0], counts[1], counts[2], Blob{heads},
            sum, Null{})
      .run();
}

Status Writer::one(const ReopenIndex& v) {
  leases_.end_indexes(v.array, v.index, 1);
  TIDEMILL_CHECK(mark_ended({WorkRef::of(v.array, v.index), {}}));
  TIDEMILL_TRY(const Outcome before, outcome_of(v.array, v.index));
  int64_t counts[3] = {before == Outcome::done ? -1 : 0, before == Outcome::failed ? -1 : 0,
                       before == Outcome::cancelled ? -1 : 0};
  const Heads heads{.rest_cancelled = false, .runs = {{v.index, 1, Outcome::open, 0}}};
  return put_mark(v.array, v.index, v.index, counts, pack_heads(heads));
}

Status Writer::one(const CancelRest& v) {
  leases_.end_array(v.array);
  Statement& count = s_->array_counts;
  TIDEMILL_TRY(const bool found, count.with(v.array.raw).next());
  const int64_t indexes = found ? count.integer(0) : 0;
  int64_t counts[3] = {0, 0, found ? indexes - count.integer(1) : 0};
  count.restart();
  const auto last = static_cast<uint64_t>(std::max<int64_t>(indexes - 1, 0));
  return put_mark(v.array, 0, last, counts, pack_heads({.rest_cancelled = true, .runs = {}}));
}

// What is recorded of one index now; for the rare change that must know.
Result<Outcome> Writer::outcome_of(ArrayId array, uint64_t index) {
  Statement& newest_first = s_->array_heads;
  newest_first.with(array.raw, index);
  for (;;) {
    TIDEMILL_TRY(const bool row, newest_first.next());
    if (!row) return Outcome::open;
    TIDEMILL_TRY(const Heads heads, unpack_heads(newest_first.bytes(0)));
    for (const Run& run : heads.runs) {
      if (index < run.first || index >= run.first + run.count) continue;
      newest_first.restart();
      return run.outcome;
    }
    if (heads.rest_cancelled) {
      newest_first.restart();
      return Outcome::cancelled;
    }
  }
}

Status Writer::one(const PutOverride& v) {
  const IndexOverride& o = v.override_;
  std::string data;
  encode_to(data, o);
  const uint64_t sum = row_sum(data, o.array.raw, o.index);
  return s_->put_override.with(o.array.raw, o.index, Blob{data}, sum).run();
}

Status Writer::one(const DropOverride& v) {
  return s_->drop_override.with(v.array.raw, v.index).run();
}

Status Writer::one(const FinishArray& v) {
  leases_.end_array(v.array);
  return s_->finish_array
      .with(turn_.raw, v.finished_at.ns, v.done, v.failed, v.cancelled, v.array.raw)
      .run();
}

}  // namespace tidemill::store
