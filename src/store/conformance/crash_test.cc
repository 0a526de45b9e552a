// kill -9: a child commits turns and says each number once it is acknowledged; it is killed at any
// moment, and every acknowledged turn is there, whole, with nothing of another.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "store/conformance/dump.h"
#include "store/conformance/random_changes.h"
#include "store/conformance/subject.h"

namespace tidemill::store {
namespace {

[[noreturn]] void commit_until_killed(const std::string& path, uint64_t seed, int acknowledge) {
  auto opened = open_sqlite(path, {.log_pages = 256});
  if (!opened.ok()) ::_exit(1);
  RandomChanges stream(seed);
  for (uint64_t turn = 1;; ++turn) {
    const CommitInfo info{{turn}, {static_cast<int64_t>(turn)}};
    if (!(*opened)->commit(stream.next(), info).ok()) ::_exit(2);
    if (::write(acknowledge, &turn, sizeof turn) != sizeof turn) ::_exit(3);
  }
}

// Lets the child live until it has acknowledged some turns, kills it in the midst of the next ones
// and answers with the last acknowledged.
uint64_t kill_after(uint64_t turns, const std::string& path, uint64_t seed) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_until_killed(path, seed, ends[1]);
  }
  ::close(ends[1]);
  uint64_t acknowledged = 0, turn = 0;
  while (::read(ends[0], &turn, sizeof turn) == sizeof turn) {
    acknowledged = turn;
    if (turn == turns) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
  return acknowledged;
}

TEST(CrashTest, EveryAcknowledgedTurnSurvivesAKill) {
  std::mt19937_64 random(11);
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    SqliteSubject subject;
    const uint64_t acknowledged = kill_after(1 + random() % 200, subject.path(), seed);
    Store& store = subject.reopen();
    const Turn last = taken(taken(store.reader())->last_turn());
    ASSERT_GE(last.raw, acknowledged) << "seed " << seed;
    ASSERT_LE(last.raw, acknowledged + 1) << "seed " << seed;

    const auto memory = open_memory();
    RandomChanges stream(seed);
    for (uint64_t turn = 1; turn <= last.raw; ++turn) {
      const CommitInfo info{{turn}, {static_cast<int64_t>(turn)}};
      ASSERT_TRUE(memory->commit(stream.next(), info).ok());
    }
    ASSERT_EQ(difference(dump_load(*memory), dump_load(store)), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace tidemill::store
