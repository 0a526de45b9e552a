#include "worker/tools/python.h"

#include <gtest/gtest.h>

#include "worker/tools/tool_test_util.h"

namespace tidemill::worker {
namespace {

using playbook::Map;
using playbook::Value;

class Python : public ::testing::Test {
 protected:
  Python() {
    bench.tool.name = "calc";
    use({});
  }
  void use(PythonOptions options) {
    options.program = "/usr/bin/python3";
    bench.use(make_python_runner(bench.loop(), options));
  }
  ToolResult run(std::string_view code, std::string_view input = "{}") {
    return bench.run(config(code), json(input));
  }
  static Value config(std::string_view code) {
    Map map;
    map.set("code", Value(code));
    return map;
  }
  std::string result_of(std::string_view code, std::string_view input = "{}") {
    const ToolResult r = run(code, input);
    EXPECT_FALSE(r.error.has_value()) << (r.error ? r.error->message : "");
    return playbook::to_json(r.data);
  }
  ToolBench bench;
};

TEST_F(Python, TheResultIsTheGlobal) {
  EXPECT_EQ(result_of("result = {'sum': a + b, 'all': input_data}", R"({"a": 1, "b": 2.5})"),
            R"({"sum":3.5,"all":{"a":1,"b":2.5}})");
  EXPECT_EQ(result_of("x = 1"), "null");
}

TEST_F(Python, OrWhatMainReturns) {
  EXPECT_EQ(result_of("def main(a, b=5):\n  return [a, b]", R"({"a": "x", "unused": 1})"),
            R"(["x",5])");
  EXPECT_EQ(result_of("def main(input_data):\n  return input_data", R"({"a": 1})"), R"({"a":1})");
  EXPECT_EQ(result_of("def main(**kw):\n  return kw", R"({"a": 1})"), R"({"a":1})");
}

TEST_F(Python, OrATopLevelReturn) {
  EXPECT_EQ(
      result_of("import math\ncount = count + 1\nif count > 1:\n  return [count, math.floor(2.5)]\n"
                "return 'small'",
                R"({"count": 1})"),
      "[2,2]");
  EXPECT_EQ(result_of("def f():\n  return total\ntotal = 7\nreturn f()"), "7");
}

TEST_F(Python, AnInputNamedResultIsNoResult) {
  EXPECT_EQ(result_of("def main(result):\n  return result + 1", R"({"result": 1})"), "2");
}

TEST_F(Python, OutputIsCapturedFromProgramsToo) {
  const ToolResult r = run(
      "import sys, os\nprint('a')\nprint('b', file=sys.stderr)\nos.system('echo c')\nresult = 1");
  EXPECT_EQ(r.log, "a\nb\nc\n");
  EXPECT_EQ(run("result = 1").log, "");
}

TEST_F(Python, AnExceptionHasItsTraceback) {
  const ToolResult r = run("def f(x):\n  return 1 / x\n\nf(0)\n");
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->kind, "python");
  EXPECT_EQ(r.error->message,
            "ZeroDivisionError: division by zero\n"
            "Traceback (most recent call last):\n"
            "  File \"step 'first', tool 'calc'\", line 4, in <module>\n    f(0)\n"
            "  File \"step 'first', tool 'calc'\", line 2, in f\n    return 1 / x\n"
            "           ~~^~~\n"
            "ZeroDivisionError: division by zero\n");
}

TEST_F(Python, ATracebackNamesTheStep) {
  bench.tool.name = "first";  // as a step's only tool is named when it has no name
  const ToolResult r = run("1 / 0");
  ASSERT_TRUE(r.error.has_value());
  EXPECT_NE(r.error->message.find("  File \"step 'first'\", line 1, in <module>\n    1 / 0\n"),
            std::string::npos)
      << r.error->message;
}

// The same code in another step is the other step's, whatever the warm interpreter has compiled.
TEST_F(Python, TheSameCodeUnderAnotherNameIsAnotherPiece) {
  const std::string code = "1 / 0";
  (void)run(code);
  bench.tool.name = "other";
  const ToolResult r = run(code);
  ASSERT_TRUE(r.error.has_value());
  EXPECT_NE(r.error->message.find("tool 'other'"), std::string::npos) << r.error->message;
}

TEST_F(Python, CodeThatPrintsATracebackReadsItsOwnName) {
  const ToolResult r = run(
      "import traceback\ntry:\n  1 / 0\nexcept ZeroDivisionError:\n  traceback.print_exc()\n");
  EXPECT_NE(r.log.find("File \"step 'first', tool 'calc'\", line 3"), std::string::npos) << r.log;
}

TEST_F(Python, LineNumbersStayWithATopLevelReturn) {
  const ToolResult r = run("a = 1\n\nif a:\n  return undefined_name\n");
  ASSERT_TRUE(r.error.has_value());
  EXPECT_NE(r.error->message.find("line 4"), std::string::npos) << r.error->message;
}

TEST_F(Python, ASyntaxErrorNamesItsLine) {
  const ToolResult r = run("a = 1\nb = = 2\n");
  ASSERT_TRUE(r.error.has_value());
  EXPECT_TRUE(r.error->message.starts_with("SyntaxError: invalid syntax (line 2)"))
      << r.error->message;
}

TEST_F(Python, NotANumberBecomesNull) {
  EXPECT_EQ(result_of("result = {'a': [float('nan'), float('inf'), 1.5]}"),
            R"({"a":[null,null,1.5]})");
}

TEST_F(Python, WhatIsNearlyJsonIsMadeJson) {
  EXPECT_EQ(
      result_of("import datetime, decimal\n"
                "result = [datetime.date(2026, 1, 2), decimal.Decimal('2.5'), (1, 2), 'ä', 2**70]"),
      R"(["2026-01-02",2.5,[1,2],"ä",1180591620717411303424.0])");
}

TEST_F(Python, WhatIsNotJsonIsNamed) {
  const auto message = [this](std::string_view code) { return run(code).error->message; };
  EXPECT_EQ(message("result = {'rows': [1, {2, 3}]}"),
            "result['rows'][1]: a value of type set is not JSON; use a list");
  EXPECT_EQ(message("result = {(1, 2): 3}"), "result: a key of type tuple is not JSON; use text");
  EXPECT_EQ(message("result = []\nresult.append(result)"),
            "result: it contains itself, or is nested too deeply for JSON");
  EXPECT_EQ(run("result = object()").error->kind, "result");
}

TEST_F(Python, ACrashIsAnErrorAndTheNextCallRuns) {
  const ToolResult r =
      run("import os, signal\nprint('last words')\nos.kill(os.getpid(), signal.SIGSEGV)");
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->kind, "crash");
  EXPECT_NE(r.error->message.find("signal 11"), std::string::npos);
  EXPECT_EQ(r.log, "last words\n");
  EXPECT_EQ(result_of("result = 1"), "1");
}

TEST_F(Python, ExitEndsTheCodeOnly) {
  EXPECT_EQ(result_of("import sys\nresult = 5\nsys.exit(0)"), "5");
  EXPECT_EQ(run("import sys\nsys.exit(3)").error->message.substr(0, 13), "SystemExit: 3");
}

TEST_F(Python, AForkedChildThatRunsOnDoesNotAnswer) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(result_of("import os\npid = os.fork()\n"
                        "if pid: os.waitpid(pid, 0)\nresult = 'child' if pid == 0 else 'parent'"),
              "\"parent\"");
    EXPECT_EQ(result_of("import os\npid = os.fork()\nif pid == 0: raise ValueError('child')\n"
                        "os.waitpid(pid, 0)\nresult = 'parent'"),
              "\"parent\"");
    EXPECT_EQ(result_of("import os\npid = os.fork()\nif pid == 0: raise SystemExit(1)\n"
                        "result = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"),
              "0");
  }
  EXPECT_EQ(result_of("result = 7"), "7");
}

TEST_F(Python, TheInterpreterStaysWarmAndIsRecycled) {
  use({.recycle_calls = 3});
  const std::string pid = "import os\nresult = os.getpid()";
  const std::string first = result_of(pid);
  EXPECT_EQ(result_of(pid), first);
  EXPECT_EQ(result_of(pid), first);
  EXPECT_NE(result_of(pid), first);
  use({.recycle_bytes = 1});
  const std::string small = result_of(pid);
  EXPECT_NE(result_of(pid), small);
}

TEST_F(Python, FreshIsolationStartsANewOne) {
  const std::string pid = "import os\nresult = os.getpid()";
  const std::string first = result_of(pid);
  bench.tool.fresh_interpreter = true;
  EXPECT_NE(result_of(pid), first);
  bench.tool.fresh_interpreter = false;
  EXPECT_EQ(result_of(pid), first);
}

TEST_F(Python, ATimeoutEndsTheProcessAndItsChildren) {
  const ToolResult r =
      bench.run(config("import os, subprocess\nprint('up')\nsubprocess.run(['sleep', '1000'])"),
                Map(), milliseconds(500));
  ASSERT_TRUE(r.error.has_value());
  EXPECT_EQ(r.error->kind, "timeout");
  EXPECT_EQ(r.log, "up\n");
  EXPECT_EQ(result_of("result = 1"), "1");
}

TEST_F(Python, ACancelEndsTheCall) {
  ToolBench::Pending pending;
  bench.start(pending, config("while True: pass"));
  bench.runner().cancel(pending.id);
  bench.finish();
  EXPECT_EQ(pending.result->error->kind, "cancelled");
}

TEST_F(Python, BigInputsAndResultsPass) {
  Map input;
  input.set("text", Value(std::string(3'000'000, 'x')));
  const ToolResult r = bench.run(config("result = [len(text), text + 'y']"), std::move(input));
  ASSERT_FALSE(r.error.has_value());
  EXPECT_EQ(r.data.as_list()[0].as_integer(), 3'000'000);
  EXPECT_EQ(r.data.as_list()[1].as_string().size(), 3'000'001u);
  EXPECT_GT(r.bytes_in, 3'000'000u);
}

TEST_F(Python, SeveralRunAtOnce) {
  // Each waits for the other's file: they can only end together.
  const std::string code =
      "import os, tempfile, time\n"
      "open(folder + '/' + me, 'w').close()\n"
      "end = time.monotonic() + 60\n"
      "while not os.path.exists(folder + '/' + other) and time.monotonic() < end: "
      "time.sleep(0.001)\n"
      "result = os.path.exists(folder + '/' + other)";
  const std::string folder = ::testing::TempDir() + "python_test_" + std::to_string(getpid());
  ASSERT_EQ(std::system(("rm -rf " + folder + " && mkdir " + folder).c_str()), 0);
  const auto input = [&](const char* me, const char* other) {
    Map map;
    map.set("folder", Value(folder));
    map.set("me", Value(me));
    map.set("other", Value(other));
    return map;
  };
  ToolBench::Pending a;
  ToolBench::Pending b;
  bench.start(a, config(code), input("a", "b"));
  bench.start(b, config(code), input("b", "a"));
  bench.finish();
  EXPECT_TRUE(a.result->data.as_bool());
  EXPECT_TRUE(b.result->data.as_bool());
  ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
}

TEST_F(Python, AMissingProgramSaysWhatToDo) {
  PythonOptions options;
  options.program = "no-such-python";
  bench.use(make_python_runner(bench.loop(), options));
  EXPECT_EQ(run("result = 1").error->message,
            "start 'no-such-python': No such file or directory; install python3 or name one with "
            "--python");
}

}  // namespace
}  // namespace tidemill::worker
