#include "os/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "os/stream.h"

namespace tidemill::os {
namespace {

// Runs one child to its end with its output gathered; a deadline keeps a wrong kill from hanging.
struct ChildRun {
  EventLoop loop;
  std::string out;
  ProcessExit exit;
  std::unique_ptr<Process> process;
  std::unique_ptr<StreamReader> reader;
  FdPair pipe;
  bool ended = false;
  bool eof = false;

  Status start(ProcessOptions options) {
    TIDEMILL_TRY(pipe, pipe_to_read());
    options.out = pipe.theirs.get();
    TIDEMILL_TRY(process, Process::start(loop, options, [this](const ProcessExit& e) {
                   exit = e;
                   ended = true;
                   if (eof) loop.stop();
                 }));
    pipe.theirs.reset();
    reader = std::make_unique<StreamReader>(
        loop, pipe.ours.get(), [this](std::string_view bytes) { out += bytes; },
        [this] {
          eof = true;
          if (ended) loop.stop();
        });
    return Ok{};
  }
  void finish() {
    loop.after(seconds(60), [this] { loop.stop(); });
    loop.run();
    EXPECT_TRUE(ended);
  }
};

TEST(Process, GivesOutputExitCodeAndCpu) {
  ChildRun run;
  ASSERT_TRUE(run.start({.argv = {"sh", "-c", "echo hello; exit 7"}}).ok());
  run.finish();
  EXPECT_EQ(run.out, "hello\n");
  EXPECT_EQ(run.exit.code, 7);
  EXPECT_EQ(run.exit.signal, 0);
  EXPECT_GT(run.exit.peak_bytes, 0u);
}

TEST(Process, TakesFolderAndEnvironment) {
  ChildRun run;
  setenv("TIDEMILL_TEST_A", "ours", 1);
  setenv("TIDEMILL_TEST_B", "kept", 1);
  ASSERT_TRUE(run.start({.argv = {"sh", "-c", "pwd; echo $TIDEMILL_TEST_A $TIDEMILL_TEST_B"},
                         .env = {{"TIDEMILL_TEST_A", "theirs"}},
                         .cwd = "/usr"})
                  .ok());
  run.finish();
  EXPECT_EQ(run.out, "/usr\ntheirs kept\n");
}

TEST(Process, AMissingProgramOrFolderIsAnErrorAtOnce) {
  EventLoop loop;
  auto no_program = Process::start(loop, {.argv = {"no-such-program"}}, [](const ProcessExit&) {});
  ASSERT_FALSE(no_program.ok());
  EXPECT_EQ(no_program.error().code, ErrorCode::not_found);
  auto no_folder =
      Process::start(loop, {.argv = {"true"}, .cwd = "/no/such"}, [](const ProcessExit&) {});
  ASSERT_FALSE(no_folder.ok());
  EXPECT_EQ(no_folder.error().what, "start 'true' in /no/such: No such file or directory");
}

TEST(Process, TerminateEndsTheWholeGroup) {
  ChildRun run;
  // The grandchild keeps the pipe open: its end of file shows that it is gone too.
  ASSERT_TRUE(run.start({.argv = {"sh", "-c", "sleep 1000 & echo up; wait"}}).ok());
  run.reader.reset();
  run.reader = std::make_unique<StreamReader>(
      run.loop, run.pipe.ours.get(),
      [&](std::string_view bytes) {
        run.out += bytes;
        run.process->terminate(seconds(30));
      },
      [&] {
        run.eof = true;
        if (run.ended) run.loop.stop();
      });
  run.finish();
  EXPECT_EQ(run.out, "up\n");
  EXPECT_EQ(run.exit.signal, SIGTERM);
  EXPECT_TRUE(run.eof);
}

TEST(Process, AChildThatIgnoresTheRequestIsKilledAfterTheGrace) {
  ChildRun run;
  ASSERT_TRUE(
      run.start({.argv = {"sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"}})
          .ok());
  run.reader.reset();
  run.reader = std::make_unique<StreamReader>(
      run.loop, run.pipe.ours.get(),
      [&](std::string_view) { run.process->terminate(milliseconds(20)); },
      [&] {
        run.eof = true;
        if (run.ended) run.loop.stop();
      });
  run.finish();
  EXPECT_EQ(run.exit.signal, SIGKILL);
}

TEST(Process, DestroyingItKillsTheGroup) {
  EventLoop loop;
  auto pipe = pipe_to_read();
  ASSERT_TRUE(pipe.ok());
  bool eof = false;
  {
    auto process = Process::start(
        loop, {.argv = {"sh", "-c", "sleep 1000 & sleep 1000"}, .out = pipe->theirs.get()},
        [](const ProcessExit&) { FAIL() << "no exit is told of a destroyed process"; });
    ASSERT_TRUE(process.ok());
    pipe->theirs.reset();
  }
  StreamReader reader(
      loop, pipe->ours.get(), [](std::string_view) {},
      [&] {
        eof = true;
        loop.stop();
      });
  loop.after(seconds(60), [&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(eof);
}

TEST(Stream, AWriterKeepsWhatTheSocketDoesNotTake) {
  EventLoop loop;
  auto sockets = stream_socket();
  ASSERT_TRUE(sockets.ok());
  auto child = Process::start(
      loop, {.argv = {"sh", "-c", "wc -c <&3 >&3"}, .channel = sockets->theirs.get()},
      [](const ProcessExit&) {});
  ASSERT_TRUE(child.ok());
  sockets->theirs.reset();
  std::string got;
  StreamReader reader(
      loop, sockets->ours.get(),
      [&](std::string_view bytes) {
        got += bytes;
        if (got.ends_with('\n')) loop.stop();
      },
      [&] { loop.stop(); });
  StreamWriter writer(loop, sockets->ours.get());
  writer.write(std::string(3'999'999, 'x'));
  writer.write("y");
  writer.end();
  loop.after(seconds(60), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(got, "4000000\n");
}

}  // namespace
}  // namespace tidemill::os
