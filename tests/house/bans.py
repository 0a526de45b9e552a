"""What nobody may write, and why: patterns that tidy.py looks for, line by line."""
from dataclasses import dataclass

OURS = ("src/", "include/", "sim/", "tests/", "bench/", "fuzz/")


@dataclass(frozen=True)
class Ban:
    """`where` are the path prefixes it holds in, `but` those it does not."""
    rule: str
    pattern: str
    why: str
    where: tuple[str, ...] = OURS
    but: tuple[str, ...] = ("tests/house/",)
    in_text: bool = False  # also looked for in comments and literals


BANS = [
    Ban("marker", r"\b(TODO|FIXME|HACK|XXX)\b|not (yet )?implemented", "finish it", in_text=True),
    Ban("place", r"/(root|home)/\w", "no path of one person's machine", in_text=True),
    Ban("elsewhere", r"\b(DESIGN|STYLE|PLAYBOOK|WORKLOADS)(\.md| §)", "not in this tree",
        in_text=True),
    Ban("throw", r"\bthrow\b", "errors are values", where=("src/",)),
    Ban("clock", r"\b(system|steady|high_resolution)_clock\b|\bclock_gettime\b",
        "only os/ reads a clock", where=("src/",), but=("src/os/",)),
    Ban("sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\(", "wait for the thing itself",
        but=("src/os/", "tests/house/", "tests/chaos/")),
    Ban("coroutine", r"\bco_(await|return|yield)\b", "g++ 12 destroys lambda captures twice"),
    Ban("using", r"\busing namespace\b", "write the name", where=("src/", "include/")),
    Ban("lock", r"\bstd::(mutex|scoped_lock|lock_guard|unique_lock|condition_variable|j?thread)\b",
        "threads and locks come from os/", where=("src/",), but=("src/os/",)),
    Ban("sql", r'"\s*(SELECT|INSERT INTO|INSERT OR|UPDATE|DELETE FROM|CREATE TABLE) ',
        "SQL belongs to store/ and the SQL tools", where=("src/",),
        but=("src/store/", "src/worker/tools/"), in_text=True),
    Ban("dead-code", r"^\s*//\s*(if|for|while|return|auto|const|std::)\b.*[;{]$",
        "no commented-out code", in_text=True),
    Ban("flag", r"\(\s*(const )?bool \w+\s*,|,\s*(const )?bool \w+\s*[,)=]",
        "a boolean parameter says nothing where it is called: an enum or an options struct",
        where=("src/", "include/")),
]
