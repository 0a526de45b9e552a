#!/usr/bin/env python3
"""left_over.py TIDEMILL: no process of a tool outlives its run.

sleepers.yaml is ended by kill -9, and by Ctrl-C twice (drain, then at once): all that its tools had
started is gone then, and the exit code of the second is 130.
"""
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from engine import SECONDS, Engine

HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    tidemill = pathlib.Path(sys.argv[1]).resolve()
    problems = []
    for ends in ([signal.SIGKILL], [signal.SIGINT, signal.SIGINT],
                 [signal.SIGTERM, signal.SIGKILL]):
        with tempfile.TemporaryDirectory(prefix="tidemill-chaos-") as name:
            shutil.copy(HERE / "sleepers.yaml", name)  # its tools run, and tell of it, beside it
            found = end(Engine(tidemill, pathlib.Path(name), ["sleepers.yaml"]), ends)
        problems += [f"{' '.join(e.name for e in ends)}: {p}" for p in found]
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


def end(engine: Engine, ends: list[signal.Signals]) -> list[str]:
    engine.start()
    wait_until(lambda: all((engine.folder / f).exists() for f in ("shell.up", "python.up")))
    first, last = ends[0], ends[-1]
    if len(ends) > 1:
        engine.process.send_signal(first)
        wait_until(lambda: "Ctrl-C again" in engine.log.read_text())
    code = engine.end(last)
    wanted = -last if last == signal.SIGKILL else 130
    problems = [] if code == wanted else [f"exit code {code}, expected {wanted}"]
    return problems + [f"still there: {line}" for line in engine.left_over()]


def wait_until(true) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
