"""The Python SDK as its users get it: packed, installed, from the command line, its examples.
package_test.py TIDEMILL."""
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile

from sdk_case import SDK, SECONDS, SdkCase, main

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = SDK / "examples"


class ProgramCase(SdkCase):
    def environment(self, **more: str):
        return {**os.environ, "PYTHONPATH": f"{SDK}:{HERE}", "TIDEMILL_SERVER": self.url, **more}

    def start(self, *arguments, **more) -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, *arguments], cwd=EXAMPLES,
                                   env=self.environment(**more), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(self.end, process)
        return process


class Example(ProgramCase):
    """Each prints what its comments say."""

    def run_example(self, name: str) -> None:
        text = (EXAMPLES / name).read_text()
        worker = re.search(r"^ +python (-m tidemill .*) &$", text, re.M)
        if worker:
            self.start(*worker[1].split())
        process = self.start(name)
        said, errors = process.communicate(timeout=SECONDS)
        self.assertEqual((process.returncode, errors), (0, ""))
        self.assertEqual(said.splitlines(), re.findall(r"print\(.*\)  # (.*)$", text, re.M))

    def test_squares(self) -> None:
        self.run_example("squares.py")

    def test_primes(self) -> None:
        self.run_example("primes.py")

    def test_titles(self) -> None:
        self.run_example("titles.py")

    def test_parallel_map(self) -> None:
        self.run_example("parallel_map.py")

    def test_the_readme_shows_what_is_run(self) -> None:
        readme = (SDK / "README.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", readme, re.S)
        programs = [path.read_text() for path in EXAMPLES.glob("*.py")]
        self.assertTrue(blocks)
        for block in blocks:
            self.assertTrue(any(block in program for program in programs), block)

    def test_each_example_has_a_test(self) -> None:
        names = {f"test_{path.stem}" for path in EXAMPLES.glob("*.py")}
        self.assertEqual(names - set(dir(self)), set())


class CommandLine(ProgramCase):
    def test_a_worker_drains_at_sigterm(self) -> None:
        process = self.start("-m", "tidemill", "worker", "handlers_for_tests", "--slots", "1",
                             "--server", self.url, TIDEMILL_SERVER="")
        begun = self.folder / "begun"
        id = self.client.spawn("polite", str(begun))
        self.until(begun.exists)
        process.send_signal(signal.SIGTERM)
        self.assertIn("square", process.stderr.readline())
        self.client.cancel(id)
        self.assertEqual(process.wait(SECONDS), 0)
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")

    def test_a_worker_of_a_module(self) -> None:
        (self.folder / "app.py").write_text(
            "from tidemill import Worker\nclass a:\n    w = Worker(slots=1)\n"
            "a.w.task('hex')(hex)\n")
        self.start("-m", "tidemill", "worker", "app:a.w", "--calls", "math",
                   PYTHONPATH=f"{SDK}:{self.folder}")
        self.assertEqual(self.client.wait(self.client.spawn("hex", 1), SECONDS).result, "0x1")
        id = self.client.spawn("tidemill.call", {"call": "math:sqrt", "batch": [[[4], {}]]})
        self.assertEqual(self.client.wait(id, SECONDS).result, [2.0])

    def test_what_is_wrong_is_told(self) -> None:
        for arguments, code, said in (
                (["no_such_module"], 2, "no_such_module"),
                (["math"], 2, "no function of <module 'math'.*decorated"),
                (["handlers_for_tests:nothing"], 2, "nothing"),
                (["handlers_for_tests:add"], 2, "not decorated"),
                ([], 2, "nothing to run"),
                (["handlers_for_tests", "--server", "x"], 2, "no address"),
                (["handlers_for_tests", "--slots", "0"], 2, "--slots 0"),
                (["handlers_for_tests", "--slots", "many"], 2, "invalid int"),
                (["handlers_for_tests", "--ca", "none.pem", "--server", "https://x"], 2,
                 "none.pem"),
                (["handlers_for_tests", "--server", "http://127.0.0.1:1", "--patience", "0.1"], 1,
                 "refused")):
            with self.subTest(arguments=arguments):
                process = self.start("-m", "tidemill", "worker", *arguments)
                self.assertRegex(process.communicate(timeout=SECONDS)[1], said)
                self.assertEqual(process.returncode, code)


class Package(ProgramCase):
    @staticmethod
    def builder() -> str:
        """A Python that has what packs."""
        for python in (sys.executable, "/usr/bin/python3"):
            asked = subprocess.run([python, "-c", "import build.__main__, setuptools, wheel, venv"],
                                   capture_output=True)
            if asked.returncode == 0:
                return python
        raise AssertionError("no Python here can pack: tools/install_packages test")

    def test_wheel_and_sdist_can_be_built_installed_and_used(self) -> None:
        python = self.builder()
        source, packed = self.folder / "python", self.folder / "packed"
        shutil.copytree(SDK, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        subprocess.run([python, "-m", "build", "--no-isolation", "--outdir", packed, source],
                       check=True, capture_output=True, timeout=SECONDS * 3)
        wheel, sdist = next(packed.glob("*.whl")), next(packed.glob("*.tar.gz"))
        modules = {f"tidemill/{path.name}" for path in (SDK / "tidemill").glob("*.py")}
        modules.add("tidemill/py.typed")
        self.assertLessEqual(modules, set(zipfile.ZipFile(wheel).namelist()))
        with tarfile.open(sdist) as files:
            inside = {name.partition("/")[2] for name in files.getnames()}
        self.assertLessEqual(modules | {"README.md", "pyproject.toml"}, inside)

        place = self.folder / "venv"
        subprocess.run([python, "-m", "venv", "--system-site-packages", place], check=True,
                       capture_output=True, timeout=SECONDS * 3)
        installed = place / "bin/python"
        subprocess.run([installed, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet",
                        wheel], check=True, capture_output=True, timeout=SECONDS * 3)
        example = subprocess.run([installed, EXAMPLES / "squares.py"], text=True,
                                 capture_output=True, timeout=SECONDS, cwd=self.folder,
                                 env=self.environment(PYTHONPATH=""))
        self.assertEqual((example.stdout, example.stderr), ("328350\n", ""))
        version = subprocess.run([installed, "-m", "tidemill", "--version"], text=True,
                                 capture_output=True, timeout=SECONDS)
        self.assertEqual(version.stdout, f"tidemill {self.version()}\n")

    @staticmethod
    def version() -> str:
        found = importlib.util.find_spec("tidemill")
        return re.search(r'__version__ = "(.*)"', pathlib.Path(found.origin).read_text())[1]


if __name__ == "__main__":
    main()
