#!/usr/bin/env python3
"""Tests of the house checks: of a bad tree each says what is bad, of a good one nothing."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import layers
import purity
import rooms
import tidy
from functions import functions

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
import check  # noqa: E402  (tools/check.py)

HEADER = "// One.\n// Two.\n#pragma once\n"


class Tree(unittest.TestCase):
    """A small source tree that breaks no rule, for each test to spoil."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("docs/architecture.md", f"# Map\n```text\n{rooms.table()}```\n")
        self.write("tools/rings.txt", "unit | dev | -L ^unit$ | | units\n")
        for room in ("base", "os", "machine", "api"):
            self.write(f"src/{room}/README.md", "# A room\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def layers(self) -> str:
        return "\n".join(layers.check(self.root))

    def rules(self) -> set[str]:
        return {finding.rule for finding in tidy.check(self.root)}


class Layers(Tree):
    def test_a_good_tree_is_silent(self) -> None:
        self.write("src/machine/a.h", '#include <vector>\n#include "base/result.h"\n')
        self.write("src/machine/a_test.cc", '#include "os/clock.h"\n')
        self.write("src/machine/CMakeLists.txt", "tidemill_room(machine DEPS base LIBS fmt PURE)\n")
        self.assertEqual(self.layers(), "")

    def test_the_table_has_no_cycle(self) -> None:
        below: dict[str, set[str]] = {}
        for room, allowed in rooms.ROOMS.items():
            if allowed != "*":
                self.assertLessEqual(set(allowed.split()), below.keys(), room)
            below[room] = set()

    def test_what_is_refused(self) -> None:
        for text, reason in [
            ('#include "os/clock.h"', "machine may not include os"),
            ('#include "playbook/internal/tree.h"', "playbook/internal is private"),
            ("#include <sqlite3.h>", "<sqlite3.h> may be included only in"),
            ("#include <mutex>", "<mutex> may be included only in os"),
            ("#include <sys/socket.h>", "<sys/socket.h> may be included only in"),
            ('#include "../base/result.h"', "includes are written from src/"),
        ]:
            self.write("src/machine/a.h", f"{text}\n")
            self.assertIn(reason, self.layers(), text)

    def test_api_sees_only_two_headers_of_the_machine(self) -> None:
        self.write("src/api/a.cc", '#include "machine/command.h"\n')
        self.assertEqual(self.layers(), "")
        self.write("src/api/a.cc", '#include "machine/machine.h"\n')
        self.assertIn("of machine, api may include only", self.layers())

    def test_links_unknown_rooms_and_the_document(self) -> None:
        self.write("src/base/CMakeLists.txt", "tidemill_room(base LIBS fmt\n  DEPS os)\n")
        self.write("src/shed/a.h", "")
        self.write("docs/architecture.md", "# Map\n")
        found = self.layers()
        self.assertIn("base may not link os", found)
        self.assertIn("no room of this name", found)
        self.assertIn("must quote the layer table", found)


class Purity(unittest.TestCase):
    def check_source(self, source: str, allowed: str = "") -> str:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["g++", "-xc++", "-", "-O1", "-c", "-o", f"{folder}/a.cc.o"],
                           input=source, text=True, check=True)
            subprocess.run(["ar", "rcs", f"{folder}/a.a", f"{folder}/a.cc.o"], check=True)
            rooms_built = {room: f"{folder}/a.a" for room in purity.PURE}
            return "\n".join(purity.check(rooms_built, purity.read_allowed(allowed)))

    def test_exact_arithmetic_is_pure(self) -> None:
        self.assertEqual(self.check_source(
            "#include <cmath>\n#include <string>\n"
            "std::string f(double x) { return std::to_string(std::floor(x) + std::sqrt(x)); }"), "")

    def test_what_is_impure(self) -> None:
        for source, symbol in [
            ("#include <cmath>\ndouble f(double x) { return std::exp(x); }", "needs exp"),
            ("#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }", "clock"),
            ("#include <cstdio>\nvoid f() { std::puts(\"\"); }", "needs puts"),
            ("#include <iostream>\nvoid f() { std::cout << 1; }", "std::cout"),
            ("#include <random>\nunsigned f() { return std::random_device()(); }", "random_device"),
            ("#include <cstdlib>\nchar* f() { return std::getenv(\"A\"); }", "needs getenv"),
        ]:
            self.assertIn(symbol, self.check_source(source), source)

    def test_an_excuse_is_for_one_symbol_and_must_be_needed(self) -> None:
        source = "#include <cstdlib>\nchar* f() { return std::getenv(\"A\"); }"
        excuses = [f"{room}/a.cc getenv -- a trial" for room in purity.PURE]
        self.assertEqual(self.check_source(source, "\n".join(excuses)), "")
        self.assertIn("no longer needed", self.check_source("", "wire/a.cc time -- a trial"))


class Functions(unittest.TestCase):
    def test_lengths(self) -> None:
        self.assertEqual(functions(
            "namespace a {\nclass B : public C {\n public:\n  B(int x)\n      : x_{x}, y_(2) {\n"
            "    f();\n  }\n  int get() const { return x_; }\n  int x_ = 0;\n};\n"
            "void g() {\n  auto l = [](int) { return 1; };\n  if (l(1)) {\n    h(\"}}\");  // }\n"
            "  }\n}\nconstexpr int kTable[] = {1, 2};\nstruct S { int a; };\n}\n"
            "class CAP(\"mutex\") M {\n  int get() const noexcept {\n    return 1;\n  }\n};\n"),
            [(4, 4), (8, 1), (11, 6), (21, 3)])


class Tidy(Tree):
    def test_a_good_tree_is_silent(self) -> None:
        self.write("src/base/a.h", HEADER + "void go(bool really);\n")
        self.write("src/base/a.cc", '#include "base/a.h"\n#include <map>\n#include "base/b.h"\n')
        self.write("src/base/a_test.cc", "TEST(A, B) { EXPECT_TRUE(true); }\n")
        self.assertEqual(self.rules(), set())

    def test_every_rule(self) -> None:
        long_function = "void f() {\n" + "  g();\n" * 70 + "}\n"
        for rule, name, text in [
            ("function", "src/base/a.cc", long_function),
            ("function", "tools/a.py", "def f():\n" + "    g()\n" * 70),
            ("file", "src/base/a.cc", "int a;\n" * 801),
            ("columns", "src/base/a.cc", "x" * 101 + "\n"),
            ("pragma", "src/base/a.h", "// One.\n// Two.\n// Three.\n"),
            ("header", "src/base/a.h", "// One.\n#pragma once\n"),
            ("test", "src/base/a_test.cc", "TEST(A, B) { f(); }\n"),
            ("include", "src/base/a.cc", '#include "a.h"\n#include "b.h"\n#include <map>\n'),
            ("readme", "src/wire/a.h", HEADER),
            ("readme", "src/base/README.md", "line\n" * 61),
            ("name", "src/base/utils.h", HEADER),
            ("name", "src/base/Parser.h", HEADER),
            ("label", "tests/x/CMakeLists.txt", "tidemill_test(a LABEL lonely)\n"),
            ("executable", "tools/a.sh", "#!/bin/sh\n"),
            ("elsewhere", "src/base/a.cc", "// see DESIGN" " §1\n"),
            ("marker", "src/base/a.cc", "// TO" "DO: later\n"),
            ("place", "src/base/a.cc", 'auto p = "/ro' 'ot/x";\n'),
            ("throw", "src/base/a.cc", "void f() { throw 1; }\n"),
            ("clock", "src/base/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
            ("sleep", "src/base/a.cc", "void f() { usleep(1); }\n"),
            ("coroutine", "src/base/a.cc", "T f() { co_return 1; }\n"),
            ("using", "src/base/a.cc", "using namespace std;\n"),
            ("lock", "src/base/a.cc", "std::mutex m;\n"),
            ("sql", "src/base/a.cc", 'auto q = "SELECT 1";\n'),
            ("dead-code", "src/base/a.cc", "  // return 1;\n"),
            ("error-page", "src/base/result.h", HEADER + "#define A(X) \\\n  X(tired, 9) /* of it */\n"),
            ("link", "docs/a.md", "see [the other](b.md)\n"),
            ("link", "docs/a.md", "it stands in `src/base/nowhere.h`\n"),
            ("flag", "src/base/a.h", HEADER + "void go(int x, bool really);\n"),
            ("hash-order", "src/machine/a.cc",
             "std::unordered_map<int, int> by_id_;\nvoid f() {\n  for (auto& x : by_id_) g();\n}\n"),
        ]:
            with self.subTest(rule=rule, name=name):
                self.setUp()
                self.write(name, text)
                self.assertEqual(self.rules(), {rule})

    def test_the_first_include_is_the_own_header(self) -> None:
        self.write("src/base/a.h", HEADER)
        self.write("src/base/a.cc", '#include <map>\n\n#include "base/a.h"\n')
        self.assertEqual(self.rules(), {"include"})

    def test_the_ratchet_holds_both_ways(self) -> None:
        findings = [tidy.Finding("columns", "a.cc", line, "") for line in (1, 2)]
        self.assertEqual(tidy.judge(findings, "columns a.cc 2\n"), [])
        self.assertEqual(len(tidy.judge(findings, "columns a.cc 1\n")), 2)
        self.assertIn("is down to 2", tidy.judge(findings, "columns a.cc 3\n")[0])


class Check(unittest.TestCase):
    ring = check.Ring("unit", "dev", [], {})

    def count(self, output: str, good: bool) -> tuple[int, int, int]:
        outcome = check.Outcome()
        check.add_test(outcome, self.ring, "a_test", good, output)
        self.assertEqual(bool(outcome.failures), not good)
        return outcome.passed, outcome.failed, outcome.skipped

    def test_counts_what_is_inside_a_program(self) -> None:
        self.assertEqual(self.count("[       OK ] A.B (0 ms)\n[  SKIPPED ] A.C (0 ms)\n", True),
                         (1, 0, 1))
        self.assertEqual(self.count("[       OK ] A.B (0 ms)\n[  FAILED  ] A.C (0 ms)\n"
                                    "[  FAILED  ] A.C\n 1 FAILED TEST\n", False), (1, 1, 0))
        self.assertEqual(self.count("talk\n12 passed, 3 failed\n", False), (12, 3, 0))
        self.assertEqual(self.count("", True), (1, 0, 0))

    def test_a_crash_is_a_failure(self) -> None:
        self.assertEqual(self.count("[       OK ] A.B (0 ms)\nSegmentation\n", False), (1, 1, 0))

    def test_reads_rings(self) -> None:
        ring = check.read_rings("# a comment\nx | dev | -L ^(a|b)$ -R ^c | A=1 B=2 | why\n"
                                "[on request]\ny | tsan | -L ^y$ | | why\n")
        self.assertEqual(ring[0], check.Ring("x", "dev", ["-L", "^(a|b)$", "-R", "^c"],
                                             {"A": "1", "B": "2"}))
        self.assertEqual(ring[1], check.Ring("y", "tsan", ["-L", "^y$"], {}, always=False))

    def test_builds_what_a_test_runs_or_requires(self) -> None:
        # Of a program that is not built yet ctest gives no command.
        new = {"properties": [{"name": "REQUIRED_FILES", "value": ["/b/src/a_test"]}]}
        script = {"command": ["/usr/bin/python3", "/tests/x.py", "/b/src/main/tidemill"]}
        self.assertEqual(check.needed_files([new, script], pathlib.Path("/b")),
                         {"src/a_test", "src/main/tidemill"})

    def test_a_ring_may_be_a_build(self) -> None:
        ring = check.Ring("x", "none", ["build", "y"], {})
        self.assertEqual(check.run_ring(ring).failures[0].splitlines()[-1],
                         "--- run it again: ninja -C build/none y")


if __name__ == "__main__":
    outcome = unittest.TextTestRunner(verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
