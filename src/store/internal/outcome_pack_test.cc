// Outcomes of an array come back from their packed row; damage is refused; runs are small.
#include "store/internal/outcome_pack.h"

#include <gtest/gtest.h>

#include "model/codec.h"

namespace tidemill::store {
namespace {

IndexOutcome outcome(uint64_t index) {
  IndexOutcome o{.index = index, .attempt = 1, .outcome = Outcome::done};
  const auto n = static_cast<int64_t>(index);
  o.trace = {.spawned = {1'000},
             .ready = {1'000},
             .dispatched = {1'000 + n * 10},
             .reported = {5'000 + n * 11},
             .inputs_ready = {3},
             .started = {4},
             .finished = {n},
             .sent = {n + 1},
             .cpu = {n / 2},
             .bytes_in = 100,
             .bytes_out = 200,
             .calls = 3};
  return o;
}

std::vector<IndexOutcome> varied() {
  std::vector<IndexOutcome> all;
  for (const uint64_t i : {0, 1, 2, 5, 6, 1'000'000}) all.push_back(outcome(i));
  all[1].outcome = Outcome::failed;
  all[1].error = {.kind = "http", .message = "503", .retryable = false};
  all[2].outcome = Outcome::cancelled;
  all[3].result.inline_json = "{\"a\":1}";
  all[3].log = "line\n";
  all[4].attempt = 3;
  all[4].result.blob = {.place = ResultRef::Place::blob, .blob = sha256("x"), .size = 70'000};
  return all;
}

PackedOutcomes pack(const std::vector<IndexOutcome>& all) {
  std::vector<const IndexOutcome*> pointers;
  for (const IndexOutcome& o : all) pointers.push_back(&o);
  return pack_outcomes(pointers);
}

TEST(OutcomePackTest, EverythingComesBack) {
  const auto all = varied();
  const PackedOutcomes packed = pack(all);
  EXPECT_EQ(packed.first, 0U);
  EXPECT_EQ(packed.last, 1'000'000U);
  EXPECT_EQ(packed.done, 4U);
  EXPECT_EQ(packed.failed, 1U);
  EXPECT_EQ(packed.cancelled, 1U);
  const auto heads = unpack_heads(packed.heads);
  ASSERT_TRUE(heads.ok());
  const auto back = unpack_outcomes(*heads, packed.traces, packed.bodies);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(encode((*back)[i]), encode(all[i])) << i;
}

TEST(OutcomePackTest, NeighboursAreOneRunAndNoBodyTakesNoByte) {
  std::vector<IndexOutcome> all;
  for (uint64_t i = 2'048; i < 3'072; ++i) all.push_back(outcome(i));
  const PackedOutcomes packed = pack(all);
  EXPECT_LT(packed.heads.size(), 12U);
  EXPECT_LT(packed.traces.size(), 1'024U * 22);
  EXPECT_TRUE(packed.bodies.empty());
  EXPECT_EQ(unpack_heads(packed.heads)->runs,
            (std::vector<store::Run>{{2'048, 1'024, Outcome::done, 1}}));
}

TEST(OutcomePackTest, ReopenedIndexesAndACancelledRestAreHeadsToo) {
  const Heads reopened{.rest_cancelled = false, .runs = {{7, 1, Outcome::open, 0}}};
  EXPECT_EQ(unpack_heads(pack_heads(reopened))->runs, reopened.runs);
  EXPECT_TRUE(unpack_heads(pack_heads({.rest_cancelled = true}))->rest_cancelled);
}

TEST(OutcomePackTest, DamageIsRefusedOrReadAndNeverCrashes) {
  const PackedOutcomes packed = pack(varied());
  const auto heads = unpack_heads(packed.heads);
  for (size_t n = 0; n < packed.heads.size(); ++n) {
    EXPECT_FALSE(unpack_heads(std::string_view(packed.heads).substr(0, n)).ok()) << n;
  }
  for (size_t n = 0; n < packed.traces.size(); ++n) {
    const auto cut = std::string_view(packed.traces).substr(0, n);
    EXPECT_FALSE(unpack_outcomes(*heads, cut, packed.bodies).ok()) << n;
  }
  for (size_t n = 1; n < packed.bodies.size(); ++n) {
    const auto cut = std::string_view(packed.bodies).substr(0, n);
    EXPECT_FALSE(unpack_outcomes(*heads, packed.traces, cut).ok()) << n;
  }
  EXPECT_FALSE(unpack_outcomes(*heads, packed.traces + "x", packed.bodies).ok());
  for (size_t at = 0; at < packed.heads.size(); ++at) {
    std::string damaged = packed.heads;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    const auto read = unpack_heads(damaged);
    if (read.ok()) {
      for (const store::Run& run : read->runs)
        EXPECT_LE(run.first + run.count, limits::kArrayCountMax);
    }
  }
}

}  // namespace
}  // namespace tidemill::store
