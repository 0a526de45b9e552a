#include "worker/tools/shell.h"

#include <gtest/gtest.h>

#include "model/limits.h"
#include "worker/tools/tool_test_util.h"

namespace tidemill::worker {
namespace {

class Shell : public ::testing::Test {
 protected:
  Shell() { bench.use(make_shell_runner(bench.loop(), {})); }
  ToolBench bench;
};

TEST_F(Shell, GivesBothStreamsAndTheExitCode) {
  const ToolResult r = bench.run(json(R"({"cmd": "echo out; echo err >&2"})"));
  EXPECT_FALSE(r.error.has_value());
  EXPECT_EQ(playbook::to_json(r.data), R"({"stdout":"out\n","stderr":"err\n","exit_code":0})");
  EXPECT_EQ(r.bytes_in, 8u);
}

TEST_F(Shell, AnExitCodeIsAnErrorWithTheData) {
  const ToolResult r = bench.run(json(R"({"cmd": "echo a; echo why >&2; exit 3"})"));
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->kind, "shell");
  EXPECT_EQ(r.error->message, "exit code 3: why");
  EXPECT_EQ(r.data.get("exit_code").as_integer(), 3);
  EXPECT_EQ(r.data.get("stdout").as_string(), "a\n");
}

TEST_F(Shell, ASignalIsNamed) {
  const ToolResult r = bench.run(json(R"({"cmd": "kill -9 $$"})"));
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->message, "ended by signal 9 (Killed)");
  EXPECT_EQ(r.data.get("exit_code").as_integer(), 137);
}

TEST_F(Shell, RunsArgvWithoutAShell) {
  const ToolResult r = bench.run(json(R"({"command": ["printf", "%s-%s", "$HOME", 5]})"));
  EXPECT_EQ(r.data.get("stdout").as_string(), "$HOME-5");
}

TEST_F(Shell, CommandsEndAtTheFirstFailure) {
  const ToolResult r = bench.run(json(R"({"cmds": ["echo 1", "false", "echo 2"]})"));
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.data.get("stdout").as_string(), "1\n");
}

TEST_F(Shell, TakesFolderEnvironmentAndInput) {
  const ToolResult r = bench.run(json(R"({"cmd": "pwd; echo $COLOUR; cat", "cwd": "/usr",
                                          "env": {"COLOUR": "red"}, "stdin": "text"})"));
  EXPECT_EQ(r.data.get("stdout").as_string(), "/usr\nred\ntext");
  EXPECT_EQ(r.bytes_out, 4u);
}

TEST_F(Shell, OutputIsBoundedAndTheTailKept) {
  const ToolResult r = bench.run(json(R"({"cmd": "yes 0123456 | head -c 3000000; echo end"})"));
  const std::string& out = r.data.get("stdout").as_string();
  EXPECT_LE(out.size(), limits::kOutputMax + 64);
  EXPECT_TRUE(out.starts_with("[the first "));
  EXPECT_TRUE(out.ends_with("0123456\nend\n"));
  EXPECT_LE(r.log.size(), limits::kLogMax + 64);
}

TEST_F(Shell, ATimeoutEndsTheWholeGroup) {
  const ToolResult r = bench.run(json(R"({"cmd": "echo before; sleep 1000 & sleep 1000"})"),
                                 playbook::Map(), milliseconds(200));
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->kind, "timeout");
  EXPECT_EQ(r.error->message, "still running after 0.2 s; its process group was ended");
  EXPECT_EQ(r.data.get("stdout").as_string(), "before\n");
}

TEST_F(Shell, ACancelEndsIt) {
  ToolBench::Pending pending;
  bench.start(pending, json(R"({"cmd": "sleep 1000"})"));
  bench.runner().cancel(pending.id);
  bench.finish();
  ASSERT_TRUE(pending.result->error.has_value());
  EXPECT_EQ(pending.result->error->kind, "cancelled");
}

TEST_F(Shell, AProcessLeftInTheBackgroundDoesNotHoldTheCall) {
  const ToolResult r = bench.run(json(R"({"cmd": "sleep 1000 & printf %s $!"})"));
  EXPECT_FALSE(r.error.has_value());
  bench.run(json(R"({"cmd": "kill )" + r.data.get("stdout").as_string().substr(0, 10) + R"("})"));
}

TEST_F(Shell, WhatCannotStartIsAnError) {
  EXPECT_EQ(bench.run(json("{}")).error->message, "a shell tool needs cmd, cmds or command");
  EXPECT_EQ(bench.run(json(R"({"command": []})")).error->kind, "config");
  EXPECT_EQ(bench.run(json(R"({"command": ["no-such-program"]})")).error->message,
            "start 'no-such-program': No such file or directory");
}

TEST_F(Shell, ManyRunAtOnce) {
  std::vector<ToolBench::Pending> all(20);
  for (auto& pending : all) bench.start(pending, json(R"({"command": ["echo", "x"]})"));
  bench.finish();
  for (auto& pending : all) EXPECT_EQ(pending.result->data.get("stdout").as_string(), "x\n");
}

}  // namespace
}  // namespace tidemill::worker
