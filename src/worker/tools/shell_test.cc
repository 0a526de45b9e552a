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
  EXPECT_LE(out.size(), limits::kOutputMax);
  EXPECT_TRUE(out.starts_with("0123456\n")) << out.substr(0, 40);
  EXPECT_TRUE(out.ends_with("0123456\nend\n"));
  const auto dropped = static_cast<uint64_t>(r.data.get("stdout_dropped").as_integer());
  EXPECT_EQ(dropped + out.size(), 3'000'004U);
  EXPECT_TRUE(r.data.get("stderr_dropped").is_undefined());
  EXPECT_TRUE(r.log_note.starts_with("[stdout: ")) << r.log_note;
  EXPECT_LE(r.log.size(), limits::kLogMax);
  EXPECT_EQ(r.log.size() + r.log_dropped, 3'000'004U);
}

TEST_F(Shell, WhatFitsExactlyIsWholeAndSaysNothing) {
  const std::string bytes = std::to_string(limits::kOutputMax);
  const ToolResult r = bench.run(json(R"({"cmd": "head -c )" + bytes + R"( /dev/zero >&2"})"));
  EXPECT_EQ(r.data.get("stderr").as_string().size(), limits::kOutputMax);
  EXPECT_TRUE(r.data.get("stderr_dropped").is_undefined());
  EXPECT_EQ(r.log_note, "");
}

TEST_F(Shell, ANulIsAnErrorThatNamesItsPlace) {
  const auto message_of = [this](std::string_view config) {
    const ToolResult r = bench.run(json(config));
    EXPECT_TRUE(r.error.has_value()) << config;
    if (!r.error) return std::string();
    EXPECT_EQ(r.error->kind, "config");
    EXPECT_FALSE(r.error->retryable);
    return r.error->message.substr(0, r.error->message.find(", and"));
  };
  EXPECT_EQ(message_of(R"({"command": ["printf", "%s", "a\u0000b"]})"),
            "command[2]: the text has a NUL byte (\\0) at byte 2 of 3");
  EXPECT_EQ(message_of(R"({"cmd": "echo a\u0000b"})"),
            "cmd: the text has a NUL byte (\\0) at byte 7 of 8");
  EXPECT_EQ(message_of(R"({"cmds": ["true", "\u0000"]})"),
            "cmds[1]: the text has a NUL byte (\\0) at byte 1 of 1");
  EXPECT_EQ(message_of(R"({"cmd": "true", "env": {"S": "a\u0000b"}})"),
            "env.S: the text has a NUL byte (\\0) at byte 2 of 3");
  EXPECT_EQ(message_of(R"({"cmd": "true", "env": {"a\u0000": "b"}})"),
            "env: a name: the text has a NUL byte (\\0) at byte 2 of 2");
  EXPECT_EQ(message_of(R"({"cmd": "true", "cwd": "/\u0000"})"),
            "cwd: the text has a NUL byte (\\0) at byte 2 of 2");
  EXPECT_EQ(message_of(R"({"cmd": "true", "shell": "sh\u0000"})"),
            "shell: the text has a NUL byte (\\0) at byte 3 of 3");
}

TEST_F(Shell, ANulInTheInputArrives) {
  const ToolResult r = bench.run(json(R"({"cmd": "wc -c", "stdin": "a\u0000b"})"));
  EXPECT_EQ(std::stoi(r.data.get("stdout").as_string()), 3);
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
