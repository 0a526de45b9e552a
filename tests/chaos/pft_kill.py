#!/usr/bin/env python3
"""pft_kill.py TIDEMILL SOURCE [--facilities N] [--kills N] [--seed N] [--full]: the main job.

`tidemill run examples/pft/pft.yaml` against the stub API is ended with kill -9 at random moments
and resumed until it is done. Then the totals are exact; every task and index has one outcome; what
had an outcome in the store at a kill was never asked of the API again. Prints what was asked again.
--full: 20 kills of all ten facilities, with an undisturbed run before it to compare with.
"""
import argparse
import collections
import hashlib
import http.client
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

from engine import Engine, Store

PATIENTS = 1000  # of a facility
PAGES = {"assessments": (2, 4), "conditions": (1, 3), "medications": (2, 3), "vital_signs": (1, 1),
         "demographics": (1, 1)}


def main() -> int:
    options = arguments()
    print(f"seed {options.seed}: {options.kills} kills of {options.facilities} facilities")
    with tempfile.TemporaryDirectory(prefix="tidemill-chaos-") as name:
        folder = pathlib.Path(name)
        calm = undisturbed(options, folder / "calm") if options.full else None
        with Api(options.tidemill, folder / "api") as api:
            return Chaos(options, folder / "run", api).run(calm)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("tidemill", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("source", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--facilities", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    options.facilities = options.facilities or (10 if options.full else 2)
    options.kills = options.kills or (20 if options.full else 6)
    return options


def undisturbed(options: argparse.Namespace, folder: pathlib.Path) -> float:
    with Api(options.tidemill, folder) as api:
        engine = new_engine(options, folder, api)
        started = time.monotonic()
        engine.start(*settings(options, api))
        engine.finish()
        took = time.monotonic() - started
        print(f"undisturbed: {took:.1f} s, {api.stats()['requests']} requests")
        return took


def new_engine(options: argparse.Namespace, folder: pathlib.Path, api: "Api") -> Engine:
    return Engine(options.tidemill, folder, [str(options.source / "examples/pft/pft.yaml"),
                                             "--connect", f"sink={folder}/pft.db"])


def settings(options: argparse.Namespace, api: "Api") -> list[str]:
    return ["--set", f"api={api.url}", "--set", f"facilities={options.facilities}"]


class Api:
    """The stub API as a process; its log names every request it got, in order."""

    def __init__(self, tidemill: pathlib.Path, folder: pathlib.Path):
        folder.mkdir(exist_ok=True)
        self.log = folder / "api.log"
        self.process = subprocess.Popen(
            [tidemill, "bench", "pft", "--serve", "--api-log", self.log], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.process.stdout.close()

    def stats(self) -> dict:
        self.connection.request("GET", "/stats")
        return json.loads(self.connection.getresponse().read())


class Chaos:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path, api: Api):
        folder.mkdir()
        self.options, self.folder, self.api = options, folder, api
        self.engine = new_engine(options, folder, api)
        self.random = random.Random(options.seed)
        self.problems: list[str] = []
        self.at_kill: list[tuple[int, set]] = []  # lines of the API's log; what was recorded
        self.restart_seconds: list[float] = []    # from the start of a process to its first request

    def run(self, calm: float | None) -> int:
        expected = expected_totals(self.options.facilities)
        started = time.monotonic()
        looking = 0.0  # the time this test takes to look at the store
        self.start()
        for moment in self.moments(sum(expected.values())):
            if not self.wait_for(moment):
                break
            self.engine.kill()
            before = time.monotonic()
            self.look()
            looking += time.monotonic() - before
            self.start()
        result = self.engine.finish()
        took = time.monotonic() - started - looking
        self.check_end(result, expected)
        self.report(took, calm)
        print("\n".join(self.problems) or "ok")
        return 1 if self.problems else 0

    def start(self) -> None:
        if self.engine.executions():
            self.engine.start("--resume")
        else:
            self.engine.start(*settings(self.options, self.api))

    def moments(self, total: int) -> list[tuple[str, float]]:
        """Most kills come after so many requests in all, some while a process is only starting."""
        early = [("seconds", self.random.uniform(0, 0.4)) for _ in range(self.options.kills // 4)]
        count = self.options.kills - len(early)
        later = sorted(self.random.uniform(0.01, 0.98) * total for _ in range(count))
        moments = [("requests", at) for at in later]
        for moment in early:
            moments.insert(self.random.randrange(len(moments)), moment)
        return moments

    def wait_for(self, moment: tuple[str, float]) -> bool:
        """False when the run ended before."""
        kind, value = moment
        started, first = time.monotonic(), self.api.stats()["requests"]
        seen_first = False
        while self.engine.running():
            now, asked = time.monotonic() - started, self.api.stats()["requests"]
            if asked > first and not seen_first:
                seen_first = True
                self.restart_seconds.append(now)
            if (now if kind == "seconds" else asked) >= value:
                return True
            time.sleep(0.005)
        return False

    def look(self) -> None:
        """What is recorded at this kill, and how much the API has been asked until now."""
        asked = self.api.stats()["requests"]
        if left := self.engine.left_over():
            self.problems.append(f"still there after a kill: {left}")
        recorded: set = set()
        if self.engine.executions():
            with self.engine.store() as store:
                recorded = recorded_pipelines(store)
        self.at_kill.append((asked, recorded))

    def check_end(self, result: dict, expected: dict) -> None:
        totals = dict(result["result"]["totals"])
        wanted = expected | {"saved": sum(expected.values()), "unfinished": 0}
        if totals != wanted:
            self.problems.append(f"totals {totals}, expected {wanted}")
        with self.engine.store() as store:
            self.check_outcomes(store)
            pipelines = recorded_pipelines(store)
        if len(pipelines) != self.options.facilities * PATIENTS * 6:
            self.problems.append(f"{len(pipelines)} pipelines are recorded at the end")
        self.check_log()

    def check_outcomes(self, store: Store) -> None:
        wrong = {unit: o for unit, o in store.recorded().items() if o != ["done"]}
        if wrong:
            self.problems.append(f"{len(wrong)} tasks have not one outcome: "
                                 f"{list(wrong.items())[:3]}")
        executions = store.rows("SELECT state, count(*) FROM executions GROUP BY state")
        if executions != [("done", self.options.facilities * 21 + 1)]:
            self.problems.append(f"executions: {executions}")
        charged = store.rows("SELECT ended, count(*) FROM attempts WHERE ended IN "
                             "('failed', 'crashed', 'timed out') GROUP BY ended")
        if charged:
            self.problems.append(f"attempts were charged: {charged}")

    def check_log(self) -> None:
        """Nothing was asked again that had an outcome at an earlier kill."""
        lines = self.asked()
        for number, (asked, recorded) in enumerate(self.at_kill):
            again = [line for line in lines[asked:] if pipeline_of(line) in recorded]
            if again:
                self.problems.append(f"kill {number + 1}: {len(again)} requests of {len(recorded)} "
                                     f"recorded pipelines came again: {again[:3]}")

    def asked(self) -> list[str]:
        self.api.stats()
        return self.api.log.read_text().splitlines()

    def report(self, took: float, calm: float | None) -> None:
        lines = self.asked()
        ends = [asked for asked, _ in self.at_kill] + [len(lines)]
        seen, again = set(), []
        for first, end in zip([0] + ends, ends):
            again.append(sum(line in seen for line in lines[first:end]))
            seen.update(lines[first:end])
        kills = len(self.at_kill)
        print(f"{kills} kills: {len(lines)} requests, {len(lines) - len(seen)} of them again: "
              f"{(len(lines) - len(seen)) / max(kills, 1):.0f} a kill, at most {max(again)}")
        print("recorded pipelines at each kill:", *(len(recorded) for _, recorded in self.at_kill))
        print("requests again after each kill:", *again[1:])
        starts = sorted(self.restart_seconds)
        print(f"from start to first request: median {starts[len(starts) // 2]:.2f} s, "
              f"at most {starts[-1]:.2f} s")
        if calm is not None:
            print(f"took {took:.1f} s: {(took - calm) / kills:.2f} s lost a kill")
        else:
            print(f"took {took:.1f} s")


def expected_totals(facilities: int) -> dict[str, int]:
    totals = {name: 0 for name in PAGES}
    for patient in range(1, facilities * PATIENTS + 1):
        for name, (least, most) in PAGES.items():
            digest = hashlib.md5(f"{patient}:{name}".encode()).digest()
            totals[name] += least + int.from_bytes(digest, "big") % (most - least + 1)
    return totals | {"mds": facilities * PATIENTS}


def pipeline_of(line: str) -> tuple[str, int]:
    """The pipeline that asks for this: a type of data and a patient."""
    target = urllib.parse.urlsplit(line)
    name = target.path.rsplit("/", 1)[1]
    if name.startswith("MDS-"):
        return "mds", int(name[4:])
    return name, int(urllib.parse.parse_qs(target.query)["patientId"][0])


def recorded_pipelines(store: Store) -> set[tuple[str, int]]:
    """The pipelines whose outcome is in the store. What an index of a loop stands for is said by
    the result of the claim before it, or by the workload of a batch."""
    recorded = store.recorded()
    claims, arrays = collections.defaultdict(list), collections.defaultdict(list)
    for execution, step, result in store.rows(
            "SELECT execution, step, result FROM finished_tasks WHERE outcome = 1 ORDER BY row"):
        claims[execution, step].append(result)
    for array, execution, step in store.rows("SELECT id, execution, step FROM array_records "
                                             "ORDER BY id"):
        arrays[execution, step].append(array)
    found = set()
    for execution, name, text, workload in store.rows(
            "SELECT e.id, e.name, p.text, w.workload FROM execution_records e "
            "JOIN plans p ON p.hash = e.plan JOIN workloads w ON w.execution = e.id"):
        steps = re.findall(r"^  - step: (\w+)", text, re.M)
        if name == "mds_batch":
            patients = json.loads(workload)["patients"]
            found |= {("mds", patients[index]) for array in arrays[execution, 0]
                      for index in range(len(patients)) if (array, index) in recorded}
        elif name == "facility":
            for kind in PAGES:
                lists = claims[execution, steps.index(f"claim_{kind}")]
                for array, claim in zip(arrays[execution, steps.index(kind)], lists):
                    rows = json.loads(claim)["rows"]
                    found |= {(kind, row["patient"]) for index, row in enumerate(rows)
                              if (array, index) in recorded}
    return found


if __name__ == "__main__":
    sys.exit(main())
