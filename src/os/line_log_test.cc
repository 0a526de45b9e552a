// LineLog: order, sizes, what happens while the file cannot be written.
#include "os/line_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

namespace tidemill::os {
namespace {

class LineLogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "line_log_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  std::string text(const std::string& name) const {
    auto text = read_file(at(name));
    return text.ok() ? *text : "";
  }
  static void wait_until(const std::function<bool()>& done) {
    while (!done()) std::this_thread::yield();
  }

  std::string folder_;
};

TEST_F(LineLogTest, LinesOfManyThreadsAreThereWhenItIsGone) {
  {
    auto log = LineLog::open({.path = at("log")});
    ASSERT_TRUE(log.ok()) << log.error().what;
    const auto write = [&](char name) {
      for (int i = 0; i < 1'000; ++i) (*log)->line(name + std::to_string(i));
    };
    Thread a("a", [&] { write('a'); });
    Thread b("b", [&] { write('b'); });
  }
  const std::string all = text("log");
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2'000);
  EXPECT_LT(all.find("a1\n"), all.find("a999\n"));
  auto again = LineLog::open({.path = at("log")});
  again->reset();
  EXPECT_EQ(text("log"), all);
}

TEST_F(LineLogTest, AFullFileMakesRoomAndTheOldestGoes) {
  for (int i = 0; i < 4; ++i) {
    auto log = LineLog::open({.path = at("log"), .size_max = 10, .files_kept = 2});
    (*log)->line("0123456-" + std::to_string(i));  // ten bytes with the newline
    (*log)->line("second-" + std::to_string(i));
  }
  EXPECT_EQ(text("log"), "second-3\n");
  EXPECT_EQ(text("log.1"), "0123456-3\n");
  EXPECT_EQ(text("log.2"), "second-2\n");
  EXPECT_FALSE(exists(at("log.3")));
}

TEST_F(LineLogTest, WhatCannotBeWrittenWaitsUpToABoundAndComesLater) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::vector<std::string> said;
  Mutex mutex;
  auto log = LineLog::open({.path = at("log"),
                            .waiting_max = 30,
                            .retry = milliseconds(1),
                            .talk = [&](const std::string& text) {
                              Lock lock(mutex);
                              said.push_back(text);
                            }});
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{.rlim_cur = 4, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  (*log)->line("012345678");
  wait_until([&] { return (*log)->counts().failing; });
  EXPECT_EQ(text("log"), "0123");
  (*log)->line("second");
  // Six of the first are left, and seven of the second: 17 more fit, and not one byte beyond.
  (*log)->line("0123456789abcdefg");
  EXPECT_EQ((*log)->counts().lost, 1U);
  (*log)->line("0123456789abcdef");
  EXPECT_EQ((*log)->counts().lost, 1U);
  setrlimit(RLIMIT_FSIZE, &before);
  wait_until([&] { return (*log)->counts().written == 3; });
  EXPECT_EQ(text("log"), "012345678\nsecond\n0123456789abcdef\n");
  log->reset();
  ASSERT_EQ(said.size(), 2U);
  EXPECT_NE(said[0].find("log"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("written again"), std::string::npos) << said[1];
}

TEST_F(LineLogTest, AFolderThatIsNotThereIsSaid) {
  const auto log = LineLog::open({.path = at("none/log")});
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().what.find("none/log"), std::string::npos);
}

}  // namespace
}  // namespace tidemill::os
