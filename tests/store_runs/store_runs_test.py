#!/usr/bin/env python3
"""store_runs_test.py TIDEMILL [NAME…]: what a store holds and says after real runs of the binary.

Each function `test_NAME` gets a folder of its own. No test needs root, and none looks at a time.
"""
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

SECONDS = 60  # for one command; only a command that hangs takes so long
TIDEMILL = pathlib.Path(sys.argv[1]).resolve()
HEAD = "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: %s}\nworkflow:\n"
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs/storage.md"


def run(folder: pathlib.Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([TIDEMILL, *arguments], cwd=folder, text=True, capture_output=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
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


def main() -> int:
    tests = {name[5:]: f for name, f in globals().items() if name.startswith("test_")}
    for name in sys.argv[2:] or tests:
        with tempfile.TemporaryDirectory(prefix="tidemill-store-run-") as folder:
            tests[name](pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
