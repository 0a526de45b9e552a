#!/usr/bin/env python3
"""layers.py ROOT: every include in ROOT/src is one that the tables in rooms.py allow.

Tests beside the code are free to reach further; they are not part of what is shipped."""
import pathlib
import re
import sys

from rooms import HEADERS, NARROW_DOORS, ROOMS, table

INCLUDE = re.compile(r'\s*#include ([<"])([^>"]+)[>"]')
DEPS = re.compile(r"tidemill_room\((\w+)([^)]*)\)")


def check(root: pathlib.Path) -> list[str]:
    findings = check_folders(root / "src") + check_document(root / "docs/architecture.md")
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".h", ".cc") and not is_test(path):
            findings += check_file(path, path.relative_to(root / "src"))
        elif path.name == "CMakeLists.txt":
            findings += check_links(path)
    return findings


def is_test(path: pathlib.Path) -> bool:
    return path.stem.endswith("_test") or "conformance" in path.parts


def check_folders(src: pathlib.Path) -> list[str]:
    return [f"{path}: no room of this name; the rooms are listed in tests/house/rooms.py"
            for path in sorted(src.iterdir()) if path.name not in ROOMS]


def check_document(path: pathlib.Path) -> list[str]:
    if path.exists() and f"```text\n{table()}```" in path.read_text():
        return []
    return [f"{path}: must quote the layer table; print it with `python3 tests/house/rooms.py`"]


def check_file(path: pathlib.Path, inside: pathlib.PurePath) -> list[str]:
    findings = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        if match[2].startswith("../") or "/../" in match[2]:
            reason = "includes are written from src/"
        elif match[1] == '"':
            reason = refused_room(inside.parts[0], match[2])
        else:
            reason = refused_header(inside.as_posix(), match[2])
        if reason:
            findings.append(f"{path}:{number}: {reason}")
    return findings


def refused_room(room: str, header: str) -> str | None:
    target = header.split("/")[0]
    if target == room or target not in ROOMS:
        return None
    allowed = ROOMS.get(room, "").split()
    if "*" not in allowed and target not in allowed:
        return f"{room} may not include {target}"
    if "/internal/" in header:
        return f"{target}/internal is private to {target}"
    if header not in NARROW_DOORS.get((room, target), {header}):
        return f"of {target}, {room} may include only {sorted(NARROW_DOORS[room, target])}"
    return None


def refused_header(inside: str, header: str) -> str | None:
    for prefix, places in HEADERS.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            if any(inside == place or inside.startswith(place + "/") for place in places.split()):
                return None
            return f"<{header}> may be included only in {places}"
    return None


def check_links(path: pathlib.Path) -> list[str]:
    findings = []
    for room, arguments in DEPS.findall(re.sub("#.*", "", path.read_text())):
        allowed = ROOMS.get(room, "").split()
        words = re.sub(r"\bLIBS\b.*?(?=\bDEPS\b|\bPURE\b|$)", "", arguments, flags=re.S).split()
        for word in words:
            if word not in ("DEPS", "PURE", *allowed) and "*" not in allowed:
                findings.append(f"{path}: {room} may not link {word}")
    return findings


if __name__ == "__main__":
    found = check(pathlib.Path(sys.argv[1]))
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
