"""One session with the server as docs/protocol.md describes it: numbers, and what replies mean.

No I/O and no lock: the exchange threads of a worker use it under theirs.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

from .errors import Malformed

PARTS = ("task", "array", "first", "count", "epoch")  # of what names a piece of work


def ref_of(work: Dict[str, Any]) -> bytes:
    """The JSON of what names the work in a report, without its braces."""
    return json.dumps({name: work[name] for name in PARTS if name in work})[1:-1].encode()


@dataclass
class Reply:
    """What the server answered to an exchange, its shape checked."""

    session: str
    unknown: bool
    incarnation: int
    answers: List[str]
    assignments: List[Dict[str, Any]]
    recalls: List[str]  # epochs
    cancels: List[str]

    @staticmethod
    def of(body: Any) -> "Reply":
        """Raises Malformed: such a reply is not acted upon in part."""
        try:
            reply = Reply(str(body["session"]), bool(body.get("session_unknown", False)),
                          int(body.get("incarnation", 0)), list(body.get("answers", [])),
                          list(body.get("assignments", [])),
                          [str(work["epoch"]) for work in body.get("recalls", [])],
                          [str(work["epoch"]) for work in body.get("cancels", [])])
            for work in reply.assignments:
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
