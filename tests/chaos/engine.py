"""What the chaos tests share: a `tidemill` process that can be killed, and its store then."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid

SECONDS = 120  # for one run without a kill; only one that hangs takes so long
OUTCOMES = {1: "done", 2: "failed", 3: "cancelled"}


class Engine:
    """Runs of one playbook in one folder. Every process of them carries a word in its environment,
    by which those that are left over are found."""

    def __init__(self, tidemill: pathlib.Path, folder: pathlib.Path, arguments: list[str]):
        self.tidemill, self.folder, self.arguments = tidemill, folder, arguments
        self.word = f"chaos-{uuid.uuid4()}"
        self.process: subprocess.Popen | None = None
        self.log = folder / "engine.log"

    def start(self, *more: str) -> None:
        with self.log.open("ab") as log, (self.folder / "engine.out").open("wb") as out:
            self.process = subprocess.Popen(
                [self.tidemill, "run", *self.arguments, *more, "--json"],
                cwd=self.folder, stdout=out, stderr=log, stdin=subprocess.DEVNULL,
                env=os.environ | {"TIDEMILL_CHAOS": self.word})

    def start_or_resume(self) -> None:
        """A run that was killed before it was recorded never was; anything later is resumed."""
        self.start(*(["--resume"] if self.executions() else []))

    def executions(self) -> list[dict]:
        listed = subprocess.run([self.tidemill, "list", "--json"], cwd=self.folder, text=True,
                                capture_output=True, timeout=SECONDS)
        assert listed.returncode == 0, listed.stderr
        return json.loads(listed.stdout)

    def done(self) -> bool:
        return any(execution["state"] == "done" for execution in self.executions())

    def shown(self) -> dict:
        said = subprocess.run([self.tidemill, "show", "latest", "--json"], cwd=self.folder,
                              text=True, capture_output=True, timeout=SECONDS)
        assert said.returncode == 0, said.stderr
        return json.loads(said.stdout)

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, number: int) -> int:
        """Sends a signal; the exit code, below zero if the signal ended it."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def finish(self) -> dict:
        """What the run printed, after its end."""
        code = self.process.wait(SECONDS)
        assert code == 0, f"the run ended with {code}:\n{self.log.read_text()[-2000:]}"
        return json.loads((self.folder / "engine.out").read_text())

    def left_over(self, seconds: float = 2.0) -> list[str]:
        """Processes of ours that are still there after so long a time."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def processes(self) -> list[str]:
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.word.encode() in (path / "environ").read_bytes():
                    line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                    found.append(f"{path.name}: {line[:100]}")
            except OSError:
                continue
        return found

    def store(self) -> "Store":
        """The store as it lies on disk, read in a copy: opening it would tidy up after the kill.
        A run that was killed before it was recorded may have left a file without an execution."""
        execution, = self.executions()
        return Store(self.folder / execution["store"], self.folder / "copy.db")


class Store:
    def __init__(self, file: pathlib.Path, copy: pathlib.Path):
        for ending in ("", "-wal", "-shm"):
            pathlib.Path(f"{copy}{ending}").unlink(missing_ok=True)
        for ending in ("", "-wal"):
            if pathlib.Path(f"{file}{ending}").exists():
                shutil.copy(f"{file}{ending}", f"{copy}{ending}")
        self.db = sqlite3.connect(copy)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_) -> None:
        self.db.close()

    def rows(self, query: str, *values) -> list[tuple]:
        return self.db.execute(query, values).fetchall()

    def recorded(self) -> dict[tuple[int, int], list[str]]:
        """Every outcome there is, by (array, index), or by (task, -1) for tasks of their own."""
        found: dict[tuple[int, int], list[str]] = {}
        for task, outcome in self.rows("SELECT id, outcome FROM finished_tasks"):
            found.setdefault((task, -1), []).append(OUTCOMES[outcome])
        for array, heads in self.rows("SELECT array, heads FROM array_outcomes"):
            for index, outcome in indexes(heads):
                found.setdefault((array, index), []).append(OUTCOMES[outcome])
        return found


def indexes(heads: bytes) -> list[tuple[int, int]]:
    """The (index, outcome) of a packed row of outcomes (docs/storage.md, "Outcomes of arrays")."""
    numbers = varints(heads)
    version, kind, runs = next(numbers), next(numbers), next(numbers)
    assert (version, kind) == (1, 0), f"heads of version {version}, kind {kind}"
    found, at = [], 0
    for _ in range(runs):
        gap, count, outcome, _attempt = (next(numbers) for _ in range(4))
        at += gap
        found += [(index, outcome) for index in range(at, at + count)]
        at += count
    return found


def varints(data: bytes):
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0
