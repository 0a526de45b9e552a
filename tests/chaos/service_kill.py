#!/usr/bin/env python3
"""service_kill.py TIDEMILL [--kills N] [--seed N] [--full]: a server and its workers under load.

Producers spawn tasks with idempotency keys while the server and the workers are ended with kill -9
at random moments and started again. Then every task that was acknowledged is done, under the id
that was acknowledged, each key stands for one task, and each task has one outcome.
--full: 200 kills.
"""
import argparse
import http.client
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

WORKERS = 2
PRODUCERS = 2
BATCH = 20
PATIENCE = 120  # seconds; only what hangs takes so long


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tidemill", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    options.kills = options.kills or (200 if options.full else 12)
    print(f"seed {options.seed}: {options.kills} kills", flush=True)
    with tempfile.TemporaryDirectory(prefix="tidemill-chaos-") as name:
        return Chaos(options, pathlib.Path(name)).run()


class Processes:
    """The server and the workers; each is started again after it was killed."""

    def __init__(self, tidemill: pathlib.Path, folder: pathlib.Path):
        self.tidemill, self.folder = tidemill, folder
        self.port = 0
        self.server = self.serve()
        self.workers = [self.work() for _ in range(WORKERS)]

    def serve(self) -> subprocess.Popen:
        server = subprocess.Popen(
            [self.tidemill, "server", "--store", self.folder / "tasks.db", "--port",
             str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = server.stdout.readline().strip()
        if not line:
            raise SystemExit("the server did not start: " + server.communicate()[1])
        self.port = int(line.rsplit(":", 1)[1])
        return server

    def work(self) -> subprocess.Popen:
        return subprocess.Popen([self.tidemill, "worker", "--server",
                                 f"http://127.0.0.1:{self.port}"], stderr=subprocess.DEVNULL)

    def kill_one(self, dice: random.Random) -> str:
        if dice.random() < 0.5:
            self.end(self.server)
            self.server = self.serve()
            return "server"
        index = dice.randrange(WORKERS)
        self.end(self.workers[index])
        self.workers[index] = self.work()
        return "worker"

    @staticmethod
    def end(process: subprocess.Popen) -> None:
        process.kill()
        process.communicate()

    def close(self) -> None:
        for process in (self.server, *self.workers):
            self.end(process)


class Producer(threading.Thread):
    """Spawns batches until told to stop; the same batch again when it heard nothing."""

    def __init__(self, name: str, processes: Processes):
        super().__init__(daemon=True)
        self.prefix, self.processes = name, processes
        self.stopping = threading.Event()
        self.acknowledged: dict[str, str] = {}  # key → id
        self.wrong: str | None = None

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set() and self.wrong is None:
            keys = [f"{self.prefix}{number + i}" for i in range(BATCH)]
            number += BATCH
            while (ids := self.spawn(keys)) is None and self.wrong is None:
                time.sleep(0.02)
            self.acknowledged |= zip(keys, ids or [])

    def spawn(self, keys: list[str]) -> list[str] | None:
        # What is killed with its worker counts as a crash, and there are many here.
        tasks = [{"kind": "shell" if i == 0 else "noop", "idempotency_key": key,
                  "input": {"cmd": ":"}, "retry": {"max_crashes": 1_000_000}}
                 for i, key in enumerate(keys)]
        try:
            status, body = ask(self.processes.port, "POST", "/v1/tasks", {"tasks": tasks})
        except (OSError, http.client.HTTPException):
            return None
        if status == 503:
            return None
        if status != 200:
            self.wrong = f"{status}: {body}"
            return None
        return [task["id"] for task in body["tasks"]]


def ask(port: int, method: str, target: str, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Chaos:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path):
        self.options, self.folder = options, folder
        self.dice = random.Random(options.seed)

    def run(self) -> int:
        processes = Processes(self.options.tidemill, self.folder)
        producers = [Producer(f"p{n}-", processes) for n in range(PRODUCERS)]
        try:
            for producer in producers:
                producer.start()
            killed = {"server": 0, "worker": 0}
            for _ in range(self.options.kills):
                time.sleep(self.dice.uniform(0.02, 0.3))
                killed[processes.kill_one(self.dice)] += 1
            for producer in producers:
                producer.stopping.set()
            for producer in producers:
                producer.join(PATIENCE)
            acknowledged = {k: v for p in producers for k, v in p.acknowledged.items()}
            wrong = [p.wrong for p in producers if p.wrong or p.is_alive()]
            began = time.monotonic()
            open_ones = wait(processes.port, list(acknowledged.values()))
            taken = time.monotonic() - began
        finally:
            processes.close()
        problems = wrong + self.compare(acknowledged)
        if open_ones:
            problems.append(f"{len(open_ones)} did not end, the first {open_ones[0]}")
        print(f"{killed['server']} kills of the server, {killed['worker']} of workers; "
              f"{len(acknowledged)} tasks acknowledged; all done {taken:.1f} s after the last kill")
        for problem in problems:
            print("WRONG:", problem)
        print("1 passed, 0 failed" if not problems else "0 passed, 1 failed")
        return 1 if problems else 0

    def compare(self, acknowledged: dict[str, str]) -> list[str]:
        with sqlite3.connect(self.folder / "tasks.db") as db:
            rows = dict(db.execute("SELECT id, state FROM tasks"))
            count = db.execute("SELECT count(*) FROM tasks").fetchone()[0]
        lost = [key for key, id in acknowledged.items() if int(id) not in rows]
        open_ones = [id for id, state in rows.items() if state != "done"]
        problems = []
        if lost:
            problems.append(f"{len(lost)} acknowledged tasks are lost, the first {lost[0]}")
        if count != len(rows):
            problems.append(f"{count - len(rows)} tasks have two outcomes")
        if open_ones:
            problems.append(f"{len(open_ones)} tasks are not done, the first {open_ones[0]}")
        # The last batch of each producer may have been kept without an answer.
        if len(rows) - len(acknowledged) not in range(PRODUCERS * BATCH + 1):
            problems.append(f"{len(rows)} tasks stand for {len(acknowledged)} keys")
        return problems


def wait(port: int, ids: list[str]) -> list:
    """Those that are not done when all have ended, or when patience has."""
    until = time.monotonic() + PATIENCE
    left = []
    for at in range(0, len(ids), 1000):
        some = ids[at:at + 1000]
        milliseconds = max(1, int((until - time.monotonic()) * 1000))
        _, body = ask(port, "POST", "/v1/tasks/wait", {"ids": some, "timeout_ms": milliseconds})
        left += [o for o in body["outcomes"] if o["outcome"] != "done"]
    return left


if __name__ == "__main__":
    sys.exit(main())
