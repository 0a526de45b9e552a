// The warden ends what a killed process had started, however deep, and nothing after a good end.
#include "os/warden.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tidemill::os {
namespace {

enum class End { killed, good };

// A process with a warden, whose shell starts another shell, whose child is told of here. The end
// of that one comes to us as the nearest ancestor that cares.
class WardenTest : public testing::Test {
 protected:
  pid_t run(End end, const std::string& program = "sleep 600") {
    EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t engine = fork();
    if (engine == 0) {
      {
        Warden warden;
        const std::string show = " echo $! >&" + std::to_string(ends[1]);
        (void)!std::system(("sh -c '" + program + " &" + show + "'").c_str());
        if (end == End::killed) kill(getpid(), SIGKILL);
      }
      _exit(0);
    }
    close(ends[1]);
    std::FILE* told = fdopen(ends[0], "r");
    int sleeper = 0;
    EXPECT_EQ(std::fscanf(told, "%d", &sleeper), 1);
    std::fclose(told);
    EXPECT_EQ(waitpid(engine, nullptr, 0), engine);
    return sleeper;
  }

  int end_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
};

TEST_F(WardenTest, WhatAKilledProcessStartedIsEnded) {
  EXPECT_EQ(end_of(run(End::killed)), SIGKILL);
  while (wait(nullptr) > 0) {  // the warden itself
  }
}

// A look at a process in execve(2) does not see its environment.
TEST_F(WardenTest, WhatForeverBecomesAnotherProgramIsEnded) {
  setenv("AGAIN", "exec sh -c \"$AGAIN\"", 1);
  for (int times = 0; times < 40; ++times) {
    EXPECT_EQ(end_of(run(End::killed, "exec sh -c \"$AGAIN\"")), SIGKILL);
  }
  while (wait(nullptr) > 0) {  // the wardens
  }
}

TEST_F(WardenTest, AfterAGoodEndItStays) {
  const pid_t sleeper = run(End::good);
  EXPECT_EQ(kill(sleeper, SIGTERM), 0);
  EXPECT_EQ(end_of(sleeper), SIGTERM);
  EXPECT_EQ(wait(nullptr), -1);  // the warden is gone, too
}

}  // namespace
}  // namespace tidemill::os
