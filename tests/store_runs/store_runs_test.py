#!/usr/bin/env python3
"""store_runs_test.py TIDEMILL [NAME…]: what a store holds and says after real runs of the binary.

Each function `test_NAME` gets a folder of its own. No test needs root, and none looks at a time.
"""
import json
import pathlib
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile

SECONDS = 180  # for one command; only a command that hangs takes so long
TIDEMILL = pathlib.Path(sys.argv[1]).resolve()
HEAD = "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: %s}\nworkflow:\n"
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs/storage.md"


def run(folder: pathlib.Path, *arguments: str, code: int = 0,
        file_bytes: int | None = None) -> subprocess.CompletedProcess:
    """With file_bytes no file grows beyond that, which is a full disk that needs no root."""
    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))

    done = subprocess.run([TIDEMILL, *arguments], cwd=folder, text=True, capture_output=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False,
                          preexec_fn=limit)
    assert done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stderr}"
    return done


def playbook(folder: pathlib.Path, name: str, steps: str) -> str:
    (folder / f"{name}.yaml").write_text(HEAD % name + steps)
    return f"{name}.yaml"


STEPS = """
  - step: start
    tool: {kind: shell, command: [printf, hello]}
    next: each
  - step: each
    loop: {in: '{{ range(5) }}', iterator: i}
    tool: {kind: noop, input: {twice: '{{ iter.i * 2 }}'}}
    next: finish
  - step: finish
    tool: {kind: shell, cmd: 'echo no >&2; exit 3'}
"""


def test_views(folder: pathlib.Path) -> None:
    """A person with a shell of SQLite sees playbooks, steps, queues and kinds by their names."""
    run(folder, "run", playbook(folder, "views", STEPS), "--quiet", "--store", "run.db", code=1)
    store = sqlite3.connect(folder / "run.db")
    cause = r"\S*views\.yaml:\d+:\d+: exit code 3: no"

    def rows(sql: str) -> list:
        return store.execute(sql).fetchall()

    assert rows("SELECT name, state FROM executions") == [("views", "failed")]
    [(error,)] = rows("SELECT error FROM executions")
    assert re.fullmatch(f"shell: step 'finish': {cause}", error), error
    assert rows("SELECT playbook, step, epoch, state, total, done FROM steps ORDER BY step") == [
        ("views", "each", 1, "done", 5, 5), ("views", "finish", 1, "failed", 0, 0),
        ("views", "start", 1, "done", 0, 0)]
    assert rows("SELECT step, state, queue, kind, indexes, done FROM tasks ORDER BY id") == [
        ("start", "done", "default", "tidemill.step", None, None),
        ("each", "array finished", "default", "tidemill.step", 5, 5),
        ("finish", "failed", "default", "tidemill.step", None, None)]
    whole = "SELECT step, number, ended, error FROM attempts WHERE number > 0 ORDER BY task"
    (first, (*last, error)) = rows(whole)
    assert (first, last) == (("start", 1, "done", None), ["finish", 1, "failed"])
    assert re.fullmatch(f"shell: {cause}", error), error
    assert rows("SELECT DISTINCT step, queue, kind FROM attempts WHERE number IS NULL") == [
        ("each", "default", "tidemill.step")]
    queries = re.findall(r"^sqlite> (.*;)$", DOCS.read_text(), re.MULTILINE)
    assert len(queries) == 4, "one for each view"
    for query in queries:
        rows(query)


def test_child_steps_have_names(folder: pathlib.Path) -> None:
    """A child playbook is made known by a worker, on another thread than the one that commits."""
    (folder / "child.yaml").write_text(HEAD % "child" + "  - step: start\n    next: last\n"
                                       "  - step: last\n    tool: {kind: noop}\n")
    steps = "  - step: start\n    tool: {kind: playbook, path: '{{ workload.path }}'}\n"
    head = (HEAD % "parent").replace("workflow:", "workload: {path: child.yaml}\nworkflow:")
    (folder / "parent.yaml").write_text(head + steps)
    run(folder, "run", "parent.yaml", "--quiet", "--store", "run.db")
    store = sqlite3.connect(folder / "run.db")
    entered = store.execute("SELECT playbook, step FROM steps ORDER BY execution, entered")
    assert entered.fetchall() == [
        ("parent", "start"), ("child", "start"), ("child", "last")]


def test_commit_time(folder: pathlib.Path) -> None:
    """What `show --timing` says of the commit is the time until the outcome was durable."""
    run(folder, "run", playbook(folder, "timed", STEPS), "--quiet", "--store", "run.db", code=1)
    shown = run(folder, "show", "latest", "--store", "run.db", "--timing", "--json").stdout
    timing = json.loads(shown)["timing"]
    parts = {entry["step"]: entry["commit"] for entry in timing}
    assert set(parts) == {"start", "each", "finish"}, parts
    assert all(part["total_s"] > 0 for part in parts.values()), parts


FILLING = """
  - step: start
    loop:
      in: '{{ range(120) }}'
      iterator: i
      spec: {mode: parallel, max_in_flight: 4}
    tool: {kind: shell, cmd: 'echo {{ iter.i }} >> done.txt; head -c 3000 /dev/zero | tr "\\0" x'}
"""


def test_full_log(folder: pathlib.Path) -> None:
    """A commit finds the disk full: the run stops and says so; after room is made it goes on, and
    what was recorded before is not done again."""
    name = playbook(folder, "full", FILLING)
    said = run(folder, "run", name, "--quiet", "--store", "run.db", code=3, file_bytes=1 << 20)
    assert "commit to run.db: disk I/O error: File too large" in said.stderr, said.stderr
    assert re.search(rf"run {name} --resume \d+ --store run.db\n", said.stderr), said.stderr
    recorded = array_done(folder)
    assert 0 < recorded < 120
    done = go_on(folder, name)
    assert set(done) == set(range(120))
    again = len(done) - 120
    assert again <= 8, f"{again} were done again, {recorded} had been recorded"
    assert array_done(folder) == 120


def test_full_store_file(folder: pathlib.Path) -> None:
    """The store has grown to its limit in earlier runs: the next one stops, and says so."""
    name = playbook(folder, "full", FILLING)
    run(folder, "run", name, "--quiet", "--store", "run.db")
    size = (folder / "run.db").stat().st_size
    assert size > 200_000
    said = run(folder, "run", name, "--quiet", "--store", "run.db", code=3, file_bytes=100_000)
    assert "run.db: disk I/O error: File too large" in said.stderr, said.stderr
    assert (folder / "run.db").stat().st_size == size
    (folder / "done.txt").unlink()
    run(folder, "run", name, "--quiet", "--store", "run.db")
    assert set(numbers(folder)) == set(range(120))


def test_full_blobs(folder: pathlib.Path) -> None:
    """A result too large for its row finds no room: that costs no attempt and fails no step."""
    steps = """
  - step: start
    tool: {kind: shell, cmd: 'echo 1 >> done.txt'}
    next: large
  - step: large
    tool: {kind: python, code: 'result = "x" * 3_000_000'}
"""
    name = playbook(folder, "large", steps)
    said = run(folder, "run", name, "--quiet", "--store", "run.db", code=3, file_bytes=1 << 20)
    assert "put blob" in said.stderr and "File too large" in said.stderr, said.stderr
    run(folder, "run", name, "--quiet", "--store", "run.db", "--resume")
    assert numbers(folder) == [1], "what was recorded is not done again"
    store = sqlite3.connect(folder / "run.db")
    ended = store.execute("SELECT step, ended FROM attempts ORDER BY task, number").fetchall()
    assert ("large", "failed") not in ended and ("large", "done") in ended, ended
    blobs = [path for path in (folder / "run.db.blobs").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in blobs] == [3_000_002], blobs


def test_full_from_the_start(folder: pathlib.Path) -> None:
    """Not even the lock file can be written."""
    name = playbook(folder, "full", FILLING)
    said = run(folder, "run", name, "--quiet", "--store", "run.db", code=3, file_bytes=0)
    assert "open run.db: write run.db.lock: File too large; make room" in said.stderr, said.stderr
    assert not (folder / "run.db").exists() and not (folder / "done.txt").exists()
    said = run(folder, "run", name, "--quiet", "--store", "run.db", code=3, file_bytes=8_192)
    assert "open run.db: " in said.stderr and "; make room, and try again" in said.stderr
    run(folder, "run", name, "--quiet", "--store", "run.db")
    assert len(numbers(folder)) == 120


def numbers(folder: pathlib.Path) -> list[int]:
    return [int(line) for line in (folder / "done.txt").read_text().split()]


def array_done(folder: pathlib.Path) -> int:
    store = sqlite3.connect(folder / "run.db")
    return store.execute("SELECT done FROM tasks WHERE indexes = 120").fetchone()[0]


def go_on(folder: pathlib.Path, name: str) -> list[int]:
    ended = run(folder, "run", name, "--quiet", "--store", "run.db", "--resume", "--json")
    assert json.loads(ended.stdout)["state"] == "done"
    return numbers(folder)


def main() -> int:
    tests = {name[5:]: f for name, f in globals().items() if name.startswith("test_")}
    for name in sys.argv[2:] or tests:
        with tempfile.TemporaryDirectory(prefix="tidemill-store-run-") as folder:
            tests[name](pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
