#include "os/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "os/thread.h"

namespace tidemill::os {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  void write_byte() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  std::array<int, 2> ends{};
};

TEST(EventLoop, RunsPostedFunctionsInOrderFromAnotherThread) {
  EventLoop loop;
  std::vector<int> seen;
  Thread other("poster", [&] {
    for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(EventLoop, TimersFireInOrderOfDeadlineAndCancelledOnesDoNot) {
  EventLoop loop;
  std::string seen;
  loop.after(milliseconds(3), [&] {
    seen += 'c';
    loop.stop();
  });
  loop.after(milliseconds(1), [&] { seen += 'a'; });
  loop.after(milliseconds(1), [&] { seen += 'b'; });
  const auto gone = loop.after(milliseconds(2), [&] { seen += 'x'; });
  loop.cancel(gone);
  loop.cancel(gone);
  loop.run();
  EXPECT_EQ(seen, "abc");
}

TEST(EventLoop, ManyCancelledTimersLeaveTheLiveOnes) {
  EventLoop loop;
  int fired = 0;
  loop.after(milliseconds(1), [&] { ++fired; });
  for (int i = 0; i < 10'000; ++i) loop.cancel(loop.after(hours(1), [&] { fired += 100; }));
  loop.after(milliseconds(2), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(EventLoop, AWatchSeesItsEventsAndMayEndItself) {
  EventLoop loop;
  Pipe pipe;
  int calls = 0;
  loop.watch(pipe.ends[0], EPOLLIN, [&](uint32_t events) {
    EXPECT_TRUE(events & EPOLLIN);
    ++calls;
    loop.unwatch(pipe.ends[0]);
    loop.post([&] { loop.stop(); });
  });
  pipe.write_byte();
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AnEventGatheredBeforeAnUnwatchIsDropped) {
  EventLoop loop;
  Pipe first;
  Pipe second;
  int calls = 0;
  // Both are ready in the same round; whichever comes first stops the other.
  const auto stop_both = [&](uint32_t) {
    ++calls;
    loop.unwatch(first.ends[0]);
    loop.unwatch(second.ends[0]);
    loop.stop();
  };
  loop.watch(first.ends[0], EPOLLIN, stop_both);
  loop.watch(second.ends[0], EPOLLIN, stop_both);
  first.write_byte();
  second.write_byte();
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, DeferredFunctionsRunAfterAllEventsOfTheRound) {
  EventLoop loop;
  std::string seen;
  for (int i = 0; i < 3; ++i) {
    loop.post([&] {
      if (seen.empty()) {
        loop.defer([&] {
          seen += "|";
          loop.stop();
        });
      }
      seen += 'e';
    });
  }
  loop.run();
  EXPECT_EQ(seen, "eee|");
}

TEST(EventLoop, AStopBeforeRunEndsItsFirstRound) {
  EventLoop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace tidemill::os
