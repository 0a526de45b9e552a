#!/usr/bin/env python3
"""bench_smoke.py TIDEMILL SOURCE [NAME…]: every benchmark runs at its small size.

Each checks its own totals and says so by its exit code; its figures must be valid JSON. No time is
judged. The names are those of `tidemill bench --help`, so a new one is taken in by itself.
"""
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

SECONDS = 200  # only one that hangs takes so long
# What an option makes another benchmark of.
MORE = {"queue": ["--rate", "500", "--seconds", "0.5"]}


def main() -> int:
    tidemill, source = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    names = sys.argv[3:] or workloads(tidemill)
    bad = 0
    for name in names:
        problem = smoke(tidemill, source, name, [])
        if problem is None and name in MORE:
            problem = smoke(tidemill, source, name, MORE[name])
        print(f"{name}: {problem or 'ok'}", flush=True)
        bad += problem is not None
    print(f"{len(names) - bad} passed, {bad} failed")
    return 1 if bad or len(names) == 0 else 0


def workloads(tidemill: pathlib.Path) -> list[str]:
    said = subprocess.run([tidemill, "bench", "--help"], capture_output=True, text=True, check=True)
    return re.findall(r"^  (\w+) ", said.stdout.split("Subcommands:")[1], re.M)


def smoke(tidemill: pathlib.Path, source: pathlib.Path, name: str, more: list) -> str | None:
    with tempfile.NamedTemporaryFile(prefix="tidemill-bench-", suffix=".json") as file:
        ran = subprocess.run([tidemill, "bench", name, "--quick", "--json", file.name, *more],
                             cwd=source, capture_output=True, text=True, timeout=SECONDS)
        if ran.returncode != 0:
            return f"exit code {ran.returncode}\n{ran.stdout}{ran.stderr}"
        if not ran.stdout.strip():
            return "it printed no table"
        try:
            figures = json.loads(pathlib.Path(file.name).read_text(), parse_constant=refuse)
        except ValueError as error:
            return f"its figures are not JSON: {error}"
    return wrong_pft(figures) if name == "pft" else wrong_figures(figures, name)


def refuse(word: str):
    raise ValueError(f"{word} is no number of JSON")


def wrong_figures(figures: dict, name: str) -> str | None:
    rows = figures.get("figures", [])
    if figures.get("workload") != name or not rows:
        return f"no figures of {name}: {figures}"
    unsaid = [row for row in rows if not row["what"] or not math.isfinite(row["value"])]
    return f"figures that say nothing: {unsaid}" if unsaid else None


def wrong_pft(figures: dict) -> str | None:
    runs = figures.get("runs", [])
    if {run["who"] for run in runs} != {"bare loop", "tidemill"}:
        return f"not both ran: {runs}"
    inexact = [run for run in runs if not run["exact"] or run["saved"] != figures["expected"]]
    return f"totals are not exact: {inexact}" if inexact else None


if __name__ == "__main__":
    sys.exit(main())
