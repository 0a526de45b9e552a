#!/usr/bin/env python3
"""check.py [RING [TEST]]: build and run the rings of tools/rings.txt, one line for each.

Without arguments every ring runs that is not on request. TEST is a regular expression on the names
of ctest. Quiet when all goes well; of a failure it shows the output and the command that runs it again. The last line is
`N passed, N failed`. Called by ./check, which installs the packages first."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = os.environ.get("TIDEMILL_JOBS") or str(os.cpu_count() or 2)
SANITIZERS = {
    "ASAN_OPTIONS": "strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
SHOWN_LINES = 60  # of each failing test


@dataclass
class Ring:
    name: str
    preset: str
    select: list[str]  # options of ctest, or `build` and what ninja is to build
    env: dict[str, str]
    always: bool = True


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)  # what to print about each


def main(arguments: list[str]) -> int:
    rings = read_rings((ROOT / "tools/rings.txt").read_text())
    if arguments:
        chosen = [ring for ring in rings if ring.name == arguments[0]]
        if not chosen or len(arguments) > 2:
            print("usage: ./check [RING [TEST]]; the rings:", *(ring.name for ring in rings))
            return 2
        rings = chosen
    else:
        rings = [ring for ring in rings if ring.always]
    total = Outcome()
    configured: set[str] = set()
    for ring in rings:
        started = time.monotonic()
        outcome = configure(ring, configured) or run_ring(ring, *arguments[1:])
        report(ring, outcome, time.monotonic() - started)
        total.passed += outcome.passed
        total.failed += outcome.failed
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


def read_rings(text: str) -> list[Ring]:
    rings, always = [], True
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("[on request]"):
            always = False
            continue
        # A `|` inside a regular expression has no spaces around it.
        name, preset, select, env, _ = (part.strip() for part in re.split(r"(?<=\s)\|(?=\s)", line))
        rings.append(Ring(name, preset, select.split(),
                          dict(word.split("=") for word in env.split()), always))
    return rings


def configure(ring: Ring, configured: set[str]) -> Outcome | None:
    """Each preset once. None when all is well."""
    if ring.preset in configured:
        return None
    if ring.preset == "clang":
        failed = run([str(ROOT / "tools/install_packages"), "lint"])
        if failed:
            return build_failure(failed, "tools/install_packages lint")
    failed = run(["cmake", "--preset", ring.preset])
    if failed:
        return build_failure(failed, f"cmake --preset {ring.preset}")
    configured.add(ring.preset)
    return None


def run_ring(ring: Ring, only: str | None = None) -> Outcome:
    build = ROOT / "build" / ring.preset
    if ring.select[0] == "build":
        return build_files(ring, ring.select[1:]) or Outcome(passed=1)
    select = ring.select + (["-R", only] if only else [])
    tests = json.loads(subprocess.check_output(
        ["ctest", "--test-dir", str(build), "--show-only=json-v1", *select], text=True))["tests"]
    if not tests:
        return Outcome()
    # Some files are there once the preset is configured; ninja does not know those.
    files = sorted(needed_files(tests, build) & ninja_targets(build))
    return build_files(ring, files) or run_tests(ring, build, select)


def build_files(ring: Ring, files: list[str]) -> Outcome | None:
    """None when all is well."""
    failed = run(["ninja", "-C", str(ROOT / "build" / ring.preset), "-j", JOBS, *files])
    if failed:
        return build_failure(failed, f"ninja -C build/{ring.preset} {' '.join(files)}")
    return None


def needed_files(tests: list[dict], build: pathlib.Path) -> set[str]:
    """What ninja must build for these tests: the files of the build that they run or require."""
    files = set()
    for test in tests:
        required = [p["value"] for p in test.get("properties", []) if p["name"] == "REQUIRED_FILES"]
        for path in test.get("command", []) + sum(required, []):
            if path.startswith(f"{build}/"):
                files.add(path.removeprefix(f"{build}/"))
    return files


def ninja_targets(build: pathlib.Path) -> set[str]:
    listed = subprocess.check_output(["ninja", "-C", str(build), "-t", "targets", "all"], text=True)
    return {line.rsplit(": ", 1)[0] for line in listed.splitlines()}


def run_tests(ring: Ring, build: pathlib.Path, select: list[str]) -> Outcome:
    report_file = build / f"check-{ring.name}.xml"
    report_file.unlink(missing_ok=True)
    sizes = ["--test-output-size-passed", "10000000", "--test-output-size-failed", "10000000"]
    subprocess.run(
        ["ctest", "--test-dir", str(build), "-j", JOBS, "--output-junit", str(report_file), *sizes,
         *select],
        env={**SANITIZERS, **os.environ, **ring.env}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    if not report_file.exists():
        return Outcome(failed=1, failures=[f"ctest left no report for {ring.name}"])
    outcome = Outcome()
    for case in ElementTree.parse(report_file).getroot().iter("testcase"):
        add_test(outcome, ring, case.get("name", ""), case.get("status") == "run",
                 case.findtext("system-out") or "")
    return outcome


def add_test(outcome: Outcome, ring: Ring, name: str, good: bool, output: str) -> None:
    """Count the tests inside one program: GoogleTest's lines, or a closing `N passed, N failed`."""
    passed = len(re.findall(r"^\[       OK \] ", output, re.M))
    failed = len(re.findall(r"^\[  FAILED  \] .*\(\d+ ms\)$", output, re.M))
    outcome.skipped += len(re.findall(r"^\[  SKIPPED \] .*\(\d+ ms\)$", output, re.M))
    counted = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.M)
    if counted:
        passed, failed = (int(number) for number in counted[-1])
    elif not passed and not failed and good:
        passed = 1
    if not good:
        failed = max(failed, 1)
        tail = "\n".join(output.splitlines()[-SHOWN_LINES:])
        outcome.failures.append(
            f"--- {name}\n{tail}\n--- run it again: ./check {ring.name} '^{name}$'")
    outcome.passed += passed
    outcome.failed += failed


def build_failure(output: str, command: str) -> Outcome:
    lines = output.splitlines()
    errors = [line for line in lines if re.search(r"\berror\b:|undefined|^FAILED", line)]
    text = "\n".join((errors or lines)[:SHOWN_LINES])
    return Outcome(failed=1, failures=[f"--- build\n{text}\n--- run it again: {command}"])


def run(command: list[str]) -> str | None:
    """None when the command succeeded, else all it said."""
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return None if done.returncode == 0 else done.stdout or "no output"


def report(ring: Ring, outcome: Outcome, seconds: float) -> None:
    notes = f"  ({outcome.skipped} skipped)" if outcome.skipped else ""
    if outcome.passed + outcome.failed == 0:
        notes = "  no tests"
    verdict = "FAILED" if outcome.failed else "ok"
    print(f"{ring.name:<12} {verdict:<7}{outcome.passed:>6} passed {outcome.failed:>4} failed "
          f"{seconds:>7.1f} s{notes}", flush=True)
    for failure in outcome.failures:
        print(failure, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
