// The line socket: asked and answered, nobody there, a dead process's file, long
// paths, permissions.
#include "net/line_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>

namespace tidemill::net {
namespace {

class LineSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tidemill-line-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/s";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_, path_;
};

TEST_F(LineSocketTest, AsksAndAnswersManyTimes) {
  auto server = LineServer::listen(path_, [](const std::string& line) { return "<" + line + ">"; });
  ASSERT_TRUE(server.ok()) << server.error().what;
  for (int i = 0; i < 50; ++i) {
    const auto answer = ask_line(path_, "q" + std::to_string(i), seconds(20));
    ASSERT_TRUE(answer.ok()) << answer.error().what;
    EXPECT_EQ(answer.value(), "<q" + std::to_string(i) + ">");
  }
}

TEST_F(LineSocketTest, WhatAnswersLateIsSaidOnceAndWaitedFor) {
  std::promise<void> told;
  auto server = LineServer::listen(path_, [&](const std::string&) {
    told.get_future().wait();
    return std::string("late");
  });
  ASSERT_TRUE(server.ok()) << server.error().what;
  const auto answer = ask_line(path_, "q", seconds(20),
                               {.after = milliseconds(1), .say = [&] { told.set_value(); }});
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_EQ(answer.value(), "late");
}

TEST_F(LineSocketTest, WhatNeverAnswersIsATimeout) {
  std::promise<void> over;
  auto server = LineServer::listen(path_, [&](const std::string&) {
    over.get_future().wait();
    return std::string();
  });
  ASSERT_TRUE(server.ok()) << server.error().what;
  int said = 0;
  const auto answer = ask_line(path_, "q", milliseconds(20),
                               {.after = milliseconds(1), .say = [&] { ++said; }});
  over.set_value();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  EXPECT_EQ(said, 1);
}

// A stopped process: the system takes so many questions for it, and then holds the asker.
TEST_F(LineSocketTest, AQueueThatIsFullIsATimeoutToo) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  for (int i = 0; i < 3; ++i) {
    int said = 0;
    const auto answer = ask_line(path_, "q", milliseconds(20),
                                 {.after = milliseconds(1), .say = [&] { ++said; }});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::timeout);
    EXPECT_EQ(said, 1);
  }
  close(listener);
}

TEST_F(LineSocketTest, NobodyThereIsUnavailable) {
  EXPECT_EQ(ask_line(path_, "q", seconds(20)).error().code, ErrorCode::unavailable);
  { auto server = LineServer::listen(path_, [](const std::string&) { return std::string(); }); }
  EXPECT_EQ(ask_line(path_, "q", seconds(20)).error().code, ErrorCode::unavailable);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(LineSocketTest, AFileLeftBehindIsReplaced) {
  std::ofstream(path_) << "left behind";
  auto server = LineServer::listen(path_, [](const std::string&) { return std::string("a"); });
  ASSERT_TRUE(server.ok()) << server.error().what;
  EXPECT_EQ(ask_line(path_, "q", seconds(20)).value(), "a");
}

TEST_F(LineSocketTest, APathOfAnyLengthWorks) {
  for (const size_t length : {80U, 90U, 107U, 108U, 120U, 240U}) {
    const std::string path = folder_ + "/" + std::string(length - folder_.size() - 1, 'x');
    ASSERT_EQ(path.size(), length);
    {
      std::ofstream(path) << "left behind";
      auto server = LineServer::listen(path, [](const std::string&) { return std::string("a"); });
      ASSERT_TRUE(server.ok()) << length << ": " << server.error().what;
      const auto answer = ask_line(path, "q", seconds(20));
      ASSERT_TRUE(answer.ok()) << length << ": " << answer.error().what;
      EXPECT_EQ(answer.value(), "a");
    }
    EXPECT_NE(access(path.c_str(), F_OK), 0) << length;
    EXPECT_EQ(ask_line(path, "q", seconds(20)).error().code, ErrorCode::unavailable) << length;
  }
}

TEST_F(LineSocketTest, OnlyItsOwnerMayUseTheFile) {
  for (const size_t length : {60U, 200U}) {
    const std::string path = folder_ + "/" + std::string(length - folder_.size() - 1, 'x');
    auto server = LineServer::listen(path, [](const std::string&) { return std::string("a"); });
    ASSERT_TRUE(server.ok()) << server.error().what;
    struct stat seen{};
    ASSERT_EQ(stat(path.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0600U) << length;
  }
}

TEST_F(LineSocketTest, NoFolderIsAnError) {
  for (const size_t length : {60U, 200U}) {
    const auto server = LineServer::listen(folder_ + "/none/" + std::string(length, 'x'), {});
    ASSERT_FALSE(server.ok());
    EXPECT_EQ(server.error().code, ErrorCode::io);
  }
}

}  // namespace
}  // namespace tidemill::net
