#!/usr/bin/env python3
"""purity.py LIST: the pure rooms' libraries ask the machine for nothing.

LIST has a line `room library` for each. What a file needs all the same stands in purity_allowed.txt
with its reason. (The idea is that of duckdb's banned_symbols_check.py.)"""
import pathlib
import re
import subprocess
import sys

from rooms import PURE

INEXACT = "|".join(
    "exp exp2 exp10 expm1 log log2 log10 log1p pow sin cos tan sincos asin acos atan atan2 "
    "sinh cosh tanh asinh acosh atanh cbrt hypot erf erfc tgamma lgamma".split())
BANNED = re.compile(
    r"(open(at)?(64)?|creat|read|write|p?readv?(64)?|p?writev?(64)?|fsync|fdatasync|close|socket|"
    r"connect|accept4?|send(to|msg)?|recv(from|msg)?|poll|select|epoll_\w+|ioctl|mmap(64)?|"
    r"f(open|dopen|read|write|puts|printf|flush)(64)?|printf|puts|putchar|stdout|stderr|stdin|"
    r"time|gettimeofday|clock(_gettime)?|localtime(_r)?|mktime|nanosleep|usleep|sleep|"
    r"pthread_\w+|sem_\w+|syscall|getenv|secure_getenv|setlocale|getpid|gethostname|"
    r"getrandom|getentropy|s?rand(om)?(_r)?|[dlm]rand48|system|v?fork|exec\w*|"
    rf"({INEXACT})[fl]?|"
    r"std::chrono::_V2::.*::now\(\)|std::random_device::.*|std::thread::.*|"
    r"std::condition_variable::.*|std::basic_(i|o)?fstream.*|std::basic_filebuf.*|"
    r"std::(w?cout|w?cerr|w?clog|w?cin)|std::ios_base::Init::.*|"
    r"std::filesystem::(?!__cxx11::path).*)")


def check(rooms: dict[str, str], allowed: list[tuple[str, str]]) -> list[str]:
    findings = [f"{room} must be declared PURE in its CMakeLists.txt"
                for room in sorted(PURE - rooms.keys()) if room_has_code(room)]
    used = set()
    for room, library in rooms.items():
        for member, symbol in undefined_symbols(library):
            if not BANNED.fullmatch(symbol):
                continue
            excuse = (f"{room}/{member}", symbol)
            if excuse in allowed:
                used.add(excuse)
            else:
                findings.append(f"{room}: {member} needs {symbol}")
    return findings + [f"purity_allowed.txt: {place} {symbol} is no longer needed"
                       for place, symbol in allowed if (place, symbol) not in used]


def room_has_code(room: str) -> bool:
    folder = pathlib.Path(__file__).parents[2] / "src" / room
    return any(not path.stem.endswith("_test") for path in folder.rglob("*.cc"))


def undefined_symbols(library: str) -> list[tuple[str, str]]:
    """(object file, demangled name) of all that a library's objects expect from elsewhere."""
    lines = subprocess.check_output(["nm", "-AuC", library], text=True).splitlines()
    matches = (re.match(r".*?:(\S+?)\.o: +U (.*?)(@.*)?$", line) for line in lines)
    return sorted({(match[1], match[2]) for match in matches if match})


def read_allowed(text: str) -> list[tuple[str, str]]:
    """Lines `room/file.cc SYMBOL -- reason`."""
    lines = (line.split(" -- ") for line in text.splitlines() if line and not line.startswith("#"))
    return [(what.split(None, 1)[0], what.split(None, 1)[1].strip()) for what, _ in lines]


if __name__ == "__main__":
    listed = dict(line.split() for line in pathlib.Path(sys.argv[1]).read_text().splitlines())
    here = pathlib.Path(__file__).parent
    found = check(listed, read_allowed((here / "purity_allowed.txt").read_text()))
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
