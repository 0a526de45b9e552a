#!/usr/bin/env python3
"""examples_test.py TIDEMILL SOURCE PLAYBOOK…: does what the head of each playbook says.

Its commands run as they stand, with --json, in a folder of their own that has nothing but
examples/, and must print what the head says. `--index` instead of playbooks: examples/README.md
names each one.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from heads import Shown, shown

SECONDS = 100  # for one command; only a command that hangs takes so long


def main() -> int:
    tidemill, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if sys.argv[3:] == ["--index"]:
        problems = missing_in_index(source / "examples")
    else:
        problems = [p for name in sys.argv[3:] for p in check(tidemill, source, name)]
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


def missing_in_index(examples: pathlib.Path) -> list[str]:
    index = (examples / "README.md").read_text()
    entries = [path for path in sorted(examples.iterdir()) if path.name != "README.md"]
    return [f"README.md does not link to {path.name}" for path in entries
            if f"]({path.name}" not in index]


def check(tidemill: pathlib.Path, source: pathlib.Path, name: str) -> list[str]:
    commands = shown((source / name).read_text())
    if not any(s.prints is not None for s in commands):
        return [f"{name}: the head does not say what it prints"]
    with tempfile.TemporaryDirectory(prefix="tidemill-example-") as folder:
        shutil.copytree(source / "examples", pathlib.Path(folder, "examples"))
        path = f"{tidemill.parent}:{os.environ['PATH']}"
        return [p for s in commands for p in run(s, name, folder, path)]


def run(said: Shown, name: str, folder: str, path: str) -> list[str]:
    ran = subprocess.run(["sh", "-c", said.command + " --json"], cwd=folder, text=True,
                         env=os.environ | {"PATH": path}, timeout=SECONDS, capture_output=True)
    where = f"{name}: `{said.command}`"
    if ran.returncode != 0:
        return [f"{where} exits with {ran.returncode}\n{ran.stdout}{ran.stderr}"]
    end = json.loads(ran.stdout)
    if end["state"] != "done":
        return [f"{where} ends as {end['state']}"]
    got, wanted = (json.dumps(value, sort_keys=True) for value in (end["result"], said.prints))
    return [] if got == wanted else [f"{where} prints\n  {got}\nand not\n  {wanted}"]


if __name__ == "__main__":
    sys.exit(main())
