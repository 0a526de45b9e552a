#!/usr/bin/env python3
"""tidy.py ROOT: the rules of the house that a machine can hold; CONTRIBUTING.md says them in words.

Old offences stand in ratchet.txt as `rule path count`; the list may only shrink: more is a failure,
and so is an entry that allows more than there is. `tidy.py ROOT --list` prints what is right now."""
import ast
import os
import pathlib
import re
import sys
from collections import Counter
from dataclasses import dataclass

from bans import BANS
from functions import blank, functions
from rooms import PURE

FUNCTION_LINES, FILE_LINES, COLUMNS, README_LINES = 70, 800, 100, 60
CODE = (".h", ".cc", ".py", ".sh", ".cmake")
SKIPPED_FOLDERS = {".git", "build", ".tidemill", ".cache", "__pycache__"}


@dataclass(frozen=True)
class Finding:
    rule: str
    path: str
    line: int
    text: str


def check(root: pathlib.Path) -> list[Finding]:
    findings = []
    for path in source_files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(errors="replace")
        findings += check_size(name, text) + check_bans(name, text)
        if path.suffix in (".h", ".cc"):
            findings += check_cpp(name, text, root)
        if text.startswith("#!") and not os.access(path, os.X_OK):
            findings.append(Finding("executable", name, 1, "has a #! line and may not be executed"))
    return (findings + check_rooms(root) + check_names(root) + check_labels(root)
            + check_hash_order(root) + check_links(root) + check_error_pages(root))


def source_files(root: pathlib.Path) -> list[pathlib.Path]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            path = pathlib.Path(folder) / name
            if path.suffix in CODE or name == "CMakeLists.txt" or is_script(path):
                found.append(path)
    return found


def is_script(path: pathlib.Path) -> bool:
    if path.suffix or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def check_size(name: str, text: str) -> list[Finding]:
    lines = text.splitlines()
    findings = [Finding("columns", name, number, f"{len(line)} columns")
                for number, line in enumerate(lines, 1) if len(line) > COLUMNS]
    if len(lines) > FILE_LINES:
        findings.append(Finding("file", name, 1, f"{len(lines)} lines"))
    lengths = []
    if name.endswith((".h", ".cc")):
        lengths = functions(text)
    elif name.endswith(".py"):
        lengths = [(node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
                   for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return findings + [Finding("function", name, line, f"a function of {length} lines")
                       for line, length in lengths if length > FUNCTION_LINES]


def check_bans(name: str, text: str) -> list[Finding]:
    findings, blanked = [], blank(text) if name.endswith((".h", ".cc")) else text
    for ban in BANS:
        if not name.startswith(ban.where) or (ban.but and name.startswith(ban.but)):
            continue
        if ban.rule == "flag" and not name.endswith(".h"):
            continue
        for number, line in enumerate((text if ban.in_text else blanked).splitlines(), 1):
            match = re.search(ban.pattern, line)
            if match:
                findings.append(Finding(ban.rule, name, number, f"'{match[0].strip()}': {ban.why}"))
    return findings


def check_cpp(name: str, text: str, root: pathlib.Path) -> list[Finding]:
    findings, lines = [], text.splitlines()
    if name.endswith(".h"):
        if "#pragma once" not in lines:
            findings.append(Finding("pragma", name, 1, "no #pragma once"))
        head = [line for line in lines[:20] if line.startswith("//")]
        if len(head) < 2:
            findings.append(Finding("header", name, 1, "begin with a few lines: what it is for, who "
                                    "owns it, which thread may call it"))
    asserts = re.search(r"\b(EXPECT|ASSERT)_|\bADD_FAILURE|_SUITE_P", text)
    if name.endswith("_test.cc") and not asserts:
        findings.append(Finding("test", name, 1, "a test that asserts nothing"))
    return findings + check_includes(name, lines, root)


def check_includes(name: str, lines: list[str], root: pathlib.Path) -> list[Finding]:
    includes = [(number, match[1]) for number, line in enumerate(lines, 1)
                if (match := re.match(r'#include ([<"].*[>"])', line))]
    findings = []
    own = name.removeprefix("src/").removesuffix(".cc").removesuffix("_test") + ".h"
    if name.endswith(".cc") and includes:
        own_exists = (root / "src" / own).exists() and not name.endswith("_test.cc")
        if own_exists and includes[0][1] != f'"{own}"':
            findings.append(Finding("include", name, includes[0][0], f'first include "{own}"'))
        # The header whose functions a file defines comes first, also when it is named otherwise.
        includes = includes[1:]
    seen_ours = False
    for number, include in includes:
        if include.startswith("<") and seen_ours:
            findings.append(Finding("include", name, number, f"{include} goes before our headers"))
        seen_ours = seen_ours or include.startswith('"')
    return findings


def check_rooms(root: pathlib.Path) -> list[Finding]:
    findings = []
    for room in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        name = f"src/{room.name}/README.md"
        if not (root / name).exists():
            findings.append(Finding("readme", name, 1, "each room says in a page what it is"))
        elif len((root / name).read_text().splitlines()) > README_LINES:
            findings.append(Finding("readme", name, 1, f"more than {README_LINES} lines"))
    return findings


def check_names(root: pathlib.Path) -> list[Finding]:
    vague = re.compile(r"^(utils?|common|helpers?|misc|stuff)(\.(h|cc|py))?$")
    findings = []
    for folder in ("src", "include", "sim", "tests", "bench"):
        for path in sorted((root / folder).rglob("*")):
            shouts = path.suffix in (".h", ".cc") and path.name.lower() != path.name
            if vague.match(path.name) or shouts:
                name = path.relative_to(root).as_posix()
                findings.append(Finding("name", name, 1, "snake_case, named after what it does"))
    return findings


def check_labels(root: pathlib.Path) -> list[Finding]:
    """Every label of ctest is run by a ring."""
    rings = (root / "tools/rings.txt").read_text()
    findings = []
    for path in source_files(root):
        if path.name == "CMakeLists.txt":
            for label in re.findall(r"\bLABELS? ([a-z][\w-]*)", path.read_text()):
                if label not in rings:
                    name = path.relative_to(root).as_posix()
                    findings.append(Finding("label", name, 1, f"no ring runs the label {label}"))
    return findings


def check_hash_order(root: pathlib.Path) -> list[Finding]:
    """In a pure room nobody walks a hash table: its order is not the same twice."""
    findings = []
    for room in sorted(PURE):
        paths = [path for path in sorted((root / "src" / room).rglob("*.[hc]*")) if path.is_file()]
        texts = {path.relative_to(root).as_posix(): blank(path.read_text()) for path in paths}
        every = "\n".join(texts.values())
        tables = set(re.findall(r"unordered_(?:map|set)<[^;]*>\s+(\w+)", every))
        # A name that an ordered container bears too says nothing.
        tables -= set(re.findall(r"std::(?:map|set|vector)<[^;]*>\s+(\w+)", every))
        for name, text in texts.items():
            for number, line in enumerate(text.splitlines(), 1):
                match = re.search(r"\bfor \(.*:\s*[\w.>-]*?(\w+)\)|(\w+)\.c?begin\(\)", line)
                if match and (match[1] or match[2]) in tables:
                    findings.append(Finding("hash-order", name, number, line.strip()))
    return findings


def check_links(root: pathlib.Path) -> list[Finding]:
    """What a document links to exists, and so does a file of ours that it names in backticks."""
    findings = []
    for path in documents(root):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", line)
            files = re.findall(r"`((?:src|docs|tests|tools|examples|sim|bench)/[\w./-]+)`", line)
            for target, base in [(t, path.parent) for t in links] + [(t, root) for t in files]:
                if not (base / target).exists():
                    findings.append(Finding("link", name, number, f"{target} does not exist"))
    return findings


def check_error_pages(root: pathlib.Path) -> list[Finding]:
    codes = root / "src/base/result.h"
    text = codes.read_text() if codes.exists() else ""
    return [Finding("error-page", f"docs/errors/{code}.md", 1, "each error code has its page")
            for code in re.findall(r"^ +X\((\w+), \d+\)", text, re.M)
            if not (root / f"docs/errors/{code}.md").exists()]


def documents(root: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in root.rglob("*.md")
                  if not SKIPPED_FOLDERS.intersection(path.relative_to(root).parts))


def judge(findings: list[Finding], ratchet: str) -> list[str]:
    """What is worse than the ratchet says, and what the ratchet still lists without need."""
    allowed = Counter()
    for line in ratchet.splitlines():
        if line and not line.startswith("#"):
            rule, path, count = line.split()
            allowed[rule, path] = int(count)
    actual = Counter((finding.rule, finding.path) for finding in findings)
    worse = [f"{found.path}:{found.line}: {found.rule}: {found.text}" for found in findings
             if actual[found.rule, found.path] > allowed[found.rule, found.path]]
    better = [f"ratchet.txt: {rule} {path} is down to {actual[rule, path]}; write that there"
              for (rule, path), count in allowed.items() if actual[rule, path] < count]
    return worse + better


if __name__ == "__main__":
    found_now = check(pathlib.Path(sys.argv[1]))
    if sys.argv[2:] == ["--list"]:
        counts = Counter((found.rule, found.path) for found in found_now)
        print(*(f"{rule} {path} {count}" for (rule, path), count in sorted(counts.items())),
              sep="\n")
        sys.exit(0)
    problems = judge(found_now, (pathlib.Path(__file__).parent / "ratchet.txt").read_text())
    print(*problems, sep="\n")
    sys.exit(1 if problems else 0)
