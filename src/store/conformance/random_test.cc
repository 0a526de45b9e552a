// Random streams of changes leave the same state in every store: the same records to recover and
// the same answers to every question, also after opening again at any moment.
#include <gtest/gtest.h>

#include <cstdlib>

#include "store/conformance/dump.h"
#include "store/conformance/random_changes.h"
#include "store/conformance/subject.h"

namespace tidemill::store {
namespace {

// All stores take the same stream; some are opened again on the way, at moments of the seed.
void run_stream(uint64_t seed) {
  constexpr int kCommits = 60;
  std::vector<std::unique_ptr<Subject>> all;
  std::vector<Store*> stores;
  for (const SubjectKind& kind : subjects()) {
    all.push_back(kind.make());
    stores.push_back(&all.back()->reopen());
  }
  RandomChanges stream(seed);
  std::mt19937_64 random(seed ^ 0xabcdef);
  for (int n = 1; n <= kCommits; ++n) {
    const std::vector<Change> changes = stream.next();
    const CommitInfo info{{static_cast<uint64_t>(n)}, {n * 1'000}};
    const bool compare = random() % 8 == 0 || n == kCommits;
    Lines loaded, read;
    for (size_t i = 0; i < stores.size(); ++i) {
      const Status done = stores[i]->commit(changes, info);
      ASSERT_TRUE(done.ok()) << done.error().what;
      if (random() % 10 == 0) stores[i] = &all[i]->reopen();
      if (!compare) continue;
      const std::string where = "seed " + std::to_string(seed) + ", commit " + std::to_string(n) +
                                ", store " + subjects()[i].name;
      Lines loads = dump_load(*stores[i]);
      Lines reads = dump_reads(*taken(stores[i]->reader()), stream.ids() + 5);
      if (i == 0) {
        loaded = std::move(loads);
        read = std::move(reads);
        continue;
      }
      ASSERT_EQ(difference(loaded, loads), "") << where << ", load";
      ASSERT_EQ(difference(read, reads), "") << where << ", reads";
    }
  }
}

TEST(RandomStreamsTest, LeaveTheSameStateInEveryStore) {
  const char* one = std::getenv("TIDEMILL_SEED");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one == nullptr ? 8 : first;
  for (uint64_t seed = first; seed <= last; ++seed) {
    run_stream(seed);
    if (testing::Test::HasFatalFailure()) {
      FAIL() << "run it again with TIDEMILL_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace tidemill::store
