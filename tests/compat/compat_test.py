#!/usr/bin/env python3
"""compat_test.py TIDEMILL DUMP…: a store that an older version left opens, shows and goes on.

Each dump is a store with a finished, a failed and an interrupted execution of work.yaml
(make_dump.py). It is read first, which must change nothing, then what is held is let go: the
interrupted and the failed one go on, from where they were, to the result of the finished one.
"""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 60  # only a command that hangs takes so long
RESULTS = {"no": {"sum": 62, "greeting": "hold no"}, "fails": {"sum": 62, "greeting": "hold fails"},
           "waits": {"sum": 62, "greeting": "hold waits"}}
STATES = {"no": "done", "fails": "failed", "waits": "interrupted"}


def main() -> int:
    tidemill, bad = pathlib.Path(sys.argv[1]).resolve(), 0
    for dump in sys.argv[2:]:
        try:
            with tempfile.TemporaryDirectory(prefix="tidemill-compat-") as folder:
                Old(tidemill, pathlib.Path(folder), pathlib.Path(dump)).check()
            print(f"{dump}: ok")
        except AssertionError as error:
            print(f"{dump}: {error}")
            bad += 1
    print(f"{len(sys.argv) - 2 - bad} passed, {bad} failed")
    return 1 if bad or len(sys.argv) < 3 else 0


def same(got, wanted) -> None:
    assert got == wanted, f"got {got}, expected {wanted}"


class Old:
    def __init__(self, tidemill: pathlib.Path, folder: pathlib.Path, dump: pathlib.Path):
        self.tidemill, self.folder = tidemill, folder
        for playbook in HERE.glob("*.yaml"):
            shutil.copy(playbook, folder)
        db = sqlite3.connect(folder / "run.db")
        db.executescript(dump.read_text())
        db.close()

    def ask(self, *words: str, code: int = 0) -> str:
        done = subprocess.run([self.tidemill, *words, "--store", "run.db"], cwd=self.folder,
                              capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == code, f"{words} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def check(self) -> None:
        listed = {self.hold(e["id"]): e for e in json.loads(self.ask("list", "--json"))}
        same({hold: e["state"] for hold, e in listed.items()}, STATES)
        ids = {hold: e["id"] for hold, e in listed.items()}
        self.check_reads(ids)
        (self.folder / "open").touch()
        waits = json.loads(self.ask("run", "work.yaml", "--resume", "--json"))
        same((waits["id"], waits["result"]), (ids["waits"], RESULTS["waits"]))
        fails = json.loads(self.ask("run", "work.yaml", "--resume", ids["fails"], "--json"))
        same((fails["id"], fails["result"]), (ids["fails"], RESULTS["fails"]))
        # Of all that the two had to double, only the sixth of the interrupted one was done again.
        same((self.folder / "touched").read_text(), "9\n")
        same({self.hold(e["id"]): e["state"] for e in json.loads(self.ask("list", "--json"))},
             {hold: "done" for hold in STATES})
        same(self.shown(ids["no"])["result"], RESULTS["no"])
        fresh = json.loads(self.ask("run", "work.yaml", "--json"))
        same(fresh["result"], RESULTS["no"])

    def check_reads(self, ids: dict[str, str]) -> None:
        done = self.shown(ids["no"])
        same(done["result"], RESULTS["no"])
        same([(s["step"], s["state"]) for s in done["steps"]],
             [(step, "done") for step in ("start", "double", "child", "add", "check", "end")])
        failed = self.shown(ids["fails"])["steps"][-1]
        same((failed["step"], failed["state"]), ("check", "failed"))
        assert "it is held" in json.dumps(failed), failed
        loop = self.shown(ids["waits"])["steps"][-1]
        same([loop[key] for key in ("step", "state", "total", "done")], ["double", "running", 8, 7])
        tasks = json.loads(self.ask("task", "list", ids["no"], "--json"))
        same([t["outcome"] for t in tasks if t["step"] == "double"], ["done"] * 8)
        assert "it is held" in self.ask("logs", ids["fails"], "check")
        self.ask("show", ids["waits"], "--timing")

    def hold(self, execution: str) -> str:
        return self.shown(execution)["workload"]["hold"]

    def shown(self, execution: str) -> dict:
        return json.loads(self.ask("show", execution, "--json"))


if __name__ == "__main__":
    sys.exit(main())
