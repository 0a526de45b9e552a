// The line socket: asked and answered, nobody there, a dead process's file, a path that is too
// long.
#include "net/line_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

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

TEST_F(LineSocketTest, APathThatIsTooLongIsInvalid) {
  const auto server = LineServer::listen(std::string(200, 'x'), {});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace tidemill::net
