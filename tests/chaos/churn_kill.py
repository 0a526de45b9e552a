#!/usr/bin/env python3
"""churn_kill.py TIDEMILL [--ends N] [--seed N]: churn.yaml, ended again and again and resumed.

Ends are kill -9 (two of three), SIGTERM and SIGINT at random moments. Then the result is the one
this file computes by itself; every task and index has one outcome; steps were entered once an
epoch; nothing is charged; after a kill no process of a tool is left, and after a drain nothing is
under way.
"""
import argparse
import pathlib
import random
import signal
import sys
import tempfile
import time

from engine import Engine

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS, WIDTH = 4, 24
SECONDS = 4.0  # that a run takes about
LOADING = 0.15  # a process so young may not have come to the point where it catches signals
INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tidemill", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--ends", type=int, default=9)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="tidemill-chaos-") as folder:
        engine = Engine(options.tidemill, pathlib.Path(folder), [str(HERE / "churn.yaml")])
        problems = churn(engine, random.Random(options.seed), options.ends)
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


def churn(engine: Engine, chance: random.Random, ends: int) -> list[str]:
    problems = []
    engine.start()
    for number in range(ends):
        age = chance.uniform(0, 2 * SECONDS / (ends + 1))
        time.sleep(age)
        if not engine.running():
            break
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        problems += [f"end {number + 1}, {how.name}: {p}" for p in end(engine, how, age)]
        if engine.done():  # recorded before the signal came: there is nothing to resume
            break
        engine.start_or_resume()
    else:
        engine.finish()
    engine.process.wait()
    result = engine.shown()["result"]
    if result != expected():
        problems.append(f"the result is {result}, expected {expected()}")
    return problems + check_store(engine)


def end(engine: Engine, how: signal.Signals, age: float) -> list[str]:
    code = engine.end(how)
    problems = [f"left over: {left}"] if (left := engine.left_over()) else []
    if how == signal.SIGKILL or code == 0:  # 0: it was done before the signal came
        return problems
    if code == -how and age < LOADING:
        return problems
    if code != INTERRUPTED:
        problems.append(f"exit code {code}")
    if "--resume" not in engine.log.read_text():
        problems.append("it does not say how to go on")
    with engine.store() as store:
        if out := store.rows("SELECT count(*) FROM hand_outs")[0][0]:
            problems.append(f"{out} hand-outs are out after a drain")
    return problems


def check_store(engine: Engine) -> list[str]:
    with engine.store() as store:
        outcomes = store.recorded()
        problems = [f"{unit} has outcomes {o}" for unit, o in outcomes.items() if o != ["done"]]
        states = store.rows("SELECT state, count(*) FROM executions GROUP BY state")
        if states != [("done", 1 + ROUNDS * WIDTH // 4)]:
            problems.append(f"executions: {states}")
        units = store.rows("SELECT count(*) FROM tasks WHERE indexes IS NULL")[0][0]
        units += store.rows("SELECT sum(done) FROM tasks WHERE indexes IS NOT NULL")[0][0]
        if units != len(outcomes):
            problems.append(f"the views know {units} outcomes, the tables {len(outcomes)}")
        open_tasks = store.rows("SELECT id, state FROM tasks WHERE state NOT IN "
                                "('done', 'array finished')")
        problems += [f"task {task} is {state}" for task, state in open_tasks]
        problems += [f"attempts ended as {how}" for how, in store.rows(
            "SELECT DISTINCT ended FROM attempts "
            "WHERE ended IN ('failed', 'crashed', 'timed out')")]
        root = store.rows("SELECT min(id) FROM executions")[0][0]
        epochs = store.rows("SELECT step, count(*), max(epoch), min(state), max(state) FROM steps "
                            "WHERE execution = ? GROUP BY step ORDER BY step", root)
        # By name: batches, draw, end, fold, scatter, start.
        wanted = [ROUNDS, ROUNDS, 1, ROUNDS, ROUNDS, 1]
        if [count for _, count, *_ in epochs] != wanted:
            problems.append(f"steps were entered {epochs}, expected {wanted}")
        return problems


def expected() -> dict:
    """What churn.yaml must give."""
    chain, steps = 7, 0
    for step_round in range(ROUNDS):
        numbers = [(step_round * 37 + i * i) % 101 for i in range(WIDTH)]
        values = [(number * 3 + 1) * 2 + at for at, number in enumerate(numbers)]
        for first in range(0, WIDTH, 4):
            child = step_round
            for number in numbers[first:first + 4]:
                child = (child * 17 + number) % 10007
            values.append(child)
        for value in values:
            chain, steps = (chain * 31 + value) % 1000003, steps + 1
    return {"rounds": ROUNDS, "steps": steps, "chain": chain}


if __name__ == "__main__":
    sys.exit(main())
