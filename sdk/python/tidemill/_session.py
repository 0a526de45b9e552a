"""One session with the server as docs/protocol.md describes it: numbers, and what replies mean.

No I/O and no lock: the exchange threads of a worker use it under theirs.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from .errors import Malformed

Key = Tuple[str, int]  # the epoch of a hand-out, and the index in it; 0 of a task
MOST = 1 << 20  # indexes of one hand-out
NUMBERS = re.compile(r"\d+\.\d+ \d+ \d+ \d+ \d+$", re.ASCII)


def ref_of(work: Dict[str, Any], index: Optional[int]) -> bytes:
    """The JSON of what names the work in a report, without its braces."""
    # keys_of() has seen that there is nothing to escape in them.
    if index is None:
        return b'"task":"%s","epoch":"%s"' % (str(work["task"]).encode(), work["epoch"].encode())
    return b'"array":"%s","first":%d,"count":1,"epoch":"%s"' % (
        str(work["array"]).encode(), index, work["epoch"].encode())


def keys_of(work: Dict[str, Any]) -> List[Key]:
    """One for each index of a range, one for a task."""
    epoch, first, count = work["epoch"], work.get("first", 0), work.get("count", 1)
    if not NUMBERS.match(f"{epoch} {work.get('task', 0)} {work.get('array', 0)} {first} {count}"):
        raise ValueError(f"no piece of work: {work!r:.100}")
    if not 0 < count <= MOST:
        raise ValueError(f"{count} indexes")
    return [(epoch, first + n) for n in range(count)]


def runs_of(keys: Iterable[Key]) -> List[Tuple[str, int, int]]:
    """Epoch, first index and count of what lies side by side."""
    runs: List[Tuple[str, int, int]] = []
    for epoch, index in sorted(keys):
        last = runs[-1] if runs else ("", 0, 0)
        if last[0] == epoch and last[1] + last[2] == index:
            runs[-1] = (epoch, last[1], last[2] + 1)
        else:
            runs.append((epoch, index, 1))
    return runs


@dataclass
class Reply:
    """What the server answered to an exchange, its shape checked."""

    session: str
    unknown: bool
    incarnation: int
    answers: List[str]
    assignments: List[Dict[str, Any]]
    recalls: List[Key]
    cancels: List[Key]

    @staticmethod
    def of(body: Any) -> "Reply":
        """Raises Malformed: such a reply is not acted upon in part."""
        try:
            reply = Reply(str(body["session"]), bool(body.get("session_unknown", False)),
                          int(body.get("incarnation", 0)), list(body.get("answers", [])),
                          list(body.get("assignments", [])),
                          [key for work in body.get("recalls", []) for key in keys_of(work)],
                          [key for work in body.get("cancels", []) for key in keys_of(work)])
            for work in reply.assignments:
                keys_of(work)
                if not (isinstance(work["epoch"], str) and isinstance(work["kind"], str)
                        and isinstance(work["queue"], str) and ("task" in work or "array" in work)):
                    raise ValueError(f"no assignment: {work!r:.100}")
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise Malformed(f"a reply to an exchange: {error!r}") from None
        return reply


class Session:
    """Numbers of exchanges, and which of them have no reply."""

    def __init__(self) -> None:
        self.life = 0  # what belongs to an earlier life is not listened to
        self.begin()

    def begin(self) -> None:
        """A new one; the server gives it an id with its first reply."""
        self.life += 1
        self.id: Optional[str] = None
        self._number = 0
        self._pending: Set[int] = set()

    def may_send(self) -> bool:
        """One exchange may be overtaken by one other at most, and none before there is an id."""
        if self.id is None:
            return not self._pending
        return not self._pending or self._number + 1 <= min(self._pending) + 1

    def waits_for(self, number: int) -> bool:
        """Whether the reply to this exchange or to one before it has not arrived."""
        return any(pending <= number for pending in self._pending)

    def next(self) -> Tuple[int, int]:
        """The numbers of the next exchange: its own, and up to which all replies have arrived."""
        self._number += 1
        last_reply = min(self._pending) - 1 if self._pending else self._number - 1
        self._pending.add(self._number)
        return self._number, last_reply

    def replied(self, number: int, session: str) -> None:
        self.id = session
        self._pending.discard(number)

    @staticmethod
    def is_lost(epoch: str, incarnation: int) -> bool:
        """Of work that is held while the server does not know the session: a server that was not
        started anew has ended the session with all its leases."""
        return epoch.partition(".")[0] == str(incarnation)
