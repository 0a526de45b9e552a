#!/usr/bin/env python3
"""bad_runs_test.py TIDEMILL [--write] PLAYBOOK…: what a user reads when a run goes wrong.

The head of a playbook has lines `# $ command`. They run in a folder of their own, where the playbooks
and the helpers of this folder are; what they print, and their exit codes, is compared with
NAME.expected beside it, after what differs from run to run (ids, ports, times, the folder) is
replaced by words. --write writes the expected files instead: read what changed before you commit it.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SECONDS = 30  # for one command; only a command that hangs takes so long
HERE = pathlib.Path(__file__).resolve().parent
HELPERS = ("bad_server.py", "self_signed.pem", "no_override.sh")
REPLACED = [
    (r"\b\d{11,}\b", "ID"),
    (r"(127\.0\.0\.1|localhost):\d{2,}", r"\1:PORT"),
    (r"port \d{2,}", "port PORT"),
    (r"\bin \d[\d.]* ?(ms|s|µs)\b", "in TIME"),
    (r"\bprocess \d+\b", "process PID"),
    (r"\bon host [^\s;]+", "on host HOST"),
    (r"\bafter \d+ ms\b", "after TIME"),
]


def main() -> int:
    tidemill = pathlib.Path(sys.argv[1]).resolve()
    names = [name for name in sys.argv[2:] if name != "--write"]
    failed = 0
    for name in names:
        playbook = HERE / name
        expected, got = playbook.with_suffix(".expected"), transcript(tidemill, playbook)
        if "--write" in sys.argv:
            expected.write_text(got)
        elif not expected.exists() or got != expected.read_text():
            failed += 1
            print(f"{name} gives\n{got}and not what is in {expected.name}")
    return 1 if failed else 0


def transcript(tidemill: pathlib.Path, playbook: pathlib.Path) -> str:
    commands = re.findall(r"^# \$ (.*)$", playbook.read_text(), re.MULTILINE)
    text, sessions = "", []
    with tempfile.TemporaryDirectory(prefix="tidemill-bad-run-") as folder:
        for path in (*HERE.glob("*.yaml"), *(HERE / helper for helper in HELPERS)):
            shutil.copy(path, folder)
        shutil.copytree(HERE / "parts", pathlib.Path(folder, "parts"))
        try:
            for command in commands:
                text += f"$ {command}\n" + run(command, folder, tidemill, sessions)
        finally:
            for session in sessions:
                end(session)
        return normalised(text, folder)


def run(command: str, folder: str, tidemill: pathlib.Path, sessions: list[int]) -> str:
    path = f"{tidemill.parent}:{os.environ['PATH']}"
    process = subprocess.Popen(["sh", "-c", command], cwd=folder, text=True, start_new_session=True,
                               env=os.environ | {"PATH": path, "LC_ALL": "C"},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    sessions.append(process.pid)
    out, _ = process.communicate(timeout=SECONDS)
    return out + (f"exit {process.returncode}\n" if process.returncode else "")


def end(session: int) -> None:
    """Whatever a command left running in the background."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        pass


def normalised(text: str, folder: str) -> str:
    text = text.replace(folder, "FOLDER")
    for pattern, word in REPLACED:
        text = re.sub(pattern, word, text)
    return text


if __name__ == "__main__":
    sys.exit(main())
