"""The installed C++ SDK: cpp_package_test.py TIDEMILL BUILD_FOLDER LIBRARY.

It is installed into a fresh folder, the examples are built against it as a user's project would
(C++17, find_package and pkg-config), and run against a real server. docs/sdk_cpp.md shows them as
they are."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = SOURCE / "examples/cpp"
SECONDS = 120  # only what hangs takes so long


class Package(unittest.TestCase):
    tidemill: pathlib.Path
    build: pathlib.Path
    folder: pathlib.Path
    environment: dict

    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="tidemill-package-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.prefix, cls.programs = cls.folder / "prefix", cls.folder / "programs"
        run("cmake", "--install", cls.build, "--component", "sdk", "--prefix", cls.prefix)
        run("cmake", "-S", EXAMPLES, "-B", cls.programs, f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        run("cmake", "--build", cls.programs)
        server = subprocess.Popen(
            [cls.tidemill, "server", "--store", cls.folder / "tasks.db", "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.addClassCleanup(end, server)
        cls.environment = os.environ | {"TIDEMILL_SERVER": server.stdout.readline().strip()}

    def test_hello_worker(self) -> None:
        worker = subprocess.Popen([self.programs / "hello_worker"], env=self.environment)
        self.addCleanup(end, worker)
        said = run(self.tidemill, "spawn", "hello", '{"name": "Ada"}', "--wait",
                   env=self.environment)
        self.assertRegex(said, r'^\d+ done {"greeting":"Hello, Ada!"}\n$')
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(SECONDS), 0)

    def test_pi(self) -> None:
        self.assertEqual(run(self.programs / "pi", env=self.environment),
                         "100000 of 100000 parts: 3.1415926536\n")

    def test_fan_out(self) -> None:
        self.assertEqual(run(self.programs / "fan_out", env=self.environment),
                         "100 fields: all done\n")

    def test_pkg_config_and_what_is_linked(self) -> None:
        [file] = self.prefix.rglob("tidemill.pc")
        flags = run("pkg-config", "--cflags", "--libs", "tidemill",
                    env=os.environ | {"PKG_CONFIG_PATH": str(file.parent)}).split()
        program = self.folder / "hello"
        run("g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
            "-Werror", EXAMPLES / "hello_worker.cc", "-o", program, *flags, "-pthread")
        needed = re.findall(r"\(NEEDED\).*\[(.*?)\.so", run("readelf", "-d", program))
        heavy = {"libcurl", "libsqlite3", "libpq", "libyaml-0", "libfmt", "libxxhash"}
        self.assertEqual(heavy & set(needed), set())

    def test_headers_stand_alone(self) -> None:
        headers = sorted((self.prefix / "include/tidemill").glob("*.h"))
        self.assertGreater(len(headers), 4)
        for header in headers:
            includes = re.findall(r'#include ([<"].*[>"])', header.read_text())
            ours = [i for i in includes if "/" in i]
            self.assertTrue(all(i.startswith('"tidemill/') for i in ours), f"{header}: {ours}")
            run("g++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-I",
                self.prefix / "include", "-include", header, "-x", "c++", "/dev/null")

    def test_the_document_shows_the_examples_as_they_are(self) -> None:
        text = (SOURCE / "docs/sdk_cpp.md").read_text()
        shown = re.findall(r"`(examples/cpp/\w+\.cc)`[^`]*```cpp\n(.*?)```", text, re.S)
        self.assertGreater(len(shown), 1)
        for path, code in shown:
            self.assertIn(code.strip(), (SOURCE / path).read_text(), path)


def run(*command, env=None) -> str:
    said = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=SECONDS, env=env)
    if said.returncode != 0:
        raise AssertionError(f"{command}: {said.returncode}\n{said.stdout}{said.stderr}")
    return said.stdout


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


if __name__ == "__main__":
    Package.tidemill, Package.build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    del sys.argv[1:4]
    ended = unittest.main(exit=False, verbosity=1).result
    bad = len({str(test) for test, _ in ended.failures + ended.errors})
    print(f"{ended.testsRun - bad} passed, {bad} failed")
    sys.exit(0 if ended.wasSuccessful() else 1)
