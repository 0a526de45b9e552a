"""A folder and a terminal: commands run as a user types them, in a fresh folder with examples/."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import dataclass

SECONDS = 60  # only a command that hangs takes so long
HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent


@dataclass
class Said:
    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)


class Terminal(unittest.TestCase):
    tidemill: pathlib.Path  # set by the test's main

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tidemill-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(SOURCE / "examples", self.folder / "examples")
        for playbook in HERE.glob("*.yaml"):
            shutil.copy(playbook, self.folder)
        self.environment = os.environ | {"PATH": f"{self.tidemill.parent}:{os.environ['PATH']}"}

    def start(self, command: str) -> subprocess.Popen:
        """A command in another terminal."""
        process = subprocess.Popen(["sh", "-c", "exec " + command], cwd=self.folder, text=True,
                                   env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.close, process)
        return process

    @staticmethod
    def close(process: subprocess.Popen) -> None:
        process.kill()
        process.communicate()

    def end_of(self, process: subprocess.Popen) -> Said:
        out, err = process.communicate(timeout=SECONDS)
        return Said(process.returncode, out, err)

    def type(self, command: str, code: int = 0) -> Said:
        """Types a command, which must end with this exit code."""
        said = self.end_of(self.start(command))
        self.assertEqual(said.code, code, f"{command}\n{said.out}{said.err}")
        return said

    def wait_for_line(self, file: str) -> str:
        """The line of a named pipe in the folder: written by a step when it runs.

        Read to its end: who reads the pipe next must not meet this writer, who is about to close.
        """
        with (self.folder / file).open() as pipe:
            return pipe.read().strip()

    def make_pipe(self, file: str) -> None:
        """A new one: who has the old one open has nothing to do with it."""
        (self.folder / file).unlink(missing_ok=True)
        os.mkfifo(self.folder / file)


def run(tidemill: pathlib.Path) -> int:
    """Runs the tests of the main module with this binary; the exit code."""
    Terminal.tidemill = tidemill
    os.environ["COLUMNS"] = "200"
    ended = unittest.main(exit=False, verbosity=1).result
    bad = len({str(test) for test, _ in ended.failures + ended.errors})
    print(f"{ended.testsRun - bad} passed, {bad} failed")
    return 0 if ended.wasSuccessful() else 1
