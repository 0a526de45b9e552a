"""The two exchange threads of a worker: what is held, what is to be reported, what is to stop.

    one asks for work, and waits at the server until there is some: it is always under way, also
        while all slots are busy and while the worker drains, as exchanges renew the leases
    one reports what has ended, and is answered when that is durable

The server keeps what was handed out for this worker while one of the two reaches it. When none did
for a lease time the work runs elsewhere; what still runs here is told to stop as soon as the server
says so, and its reports are refused.
"""
from __future__ import annotations

import json
import logging
import re
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Tuple

from ._address import Address
from ._answers import Request
from ._http import Connection
from ._pauses import Budget, Pauses
from ._reports import Report, failed, returned
from ._session import Key, Reply, Session, keys_of, ref_of, runs_of
from .context import Context
from .errors import ServerError, Unavailable
from .handlers import Handler

PLACES = 1024
LOT = 10_000  # reports of one exchange
LOT_BYTES = 8 << 20
log = logging.getLogger("tidemill")


class Held:
    """A task, or one index of an array, from its hand-out to the answer to its report."""

    def __init__(self, work: Dict[str, Any], key: Key, handler: Optional[Handler]) -> None:
        index = key[1] if "array" in work else None
        self.key = key
        self.name: str = work["array"] if index is not None else work["task"]
        self.ref = ref_of(work, index)
        self.handler = handler
        self.input: Any = work.get("input")
        if index is not None and work.get("items"):
            self.input = work["items"][index - work["first"]]
        self.needs_slot: bool = work.get("needs_slot", True)
        self.received = time.monotonic()
        timeout = work.get("timeout_ms")
        self.timeout: Optional[float] = timeout / 1000 if timeout else None  # seconds
        self.context = Context(self.name, work["queue"], work["kind"], work.get("attempt", 1),
                               index)
        self.on_stop: Optional[Callable[[str], None]] = None  # of who runs it; under the mutex
        self.report: Optional[bytes] = None

    def stop(self, reason: str) -> None:
        self.context.stop(reason)
        if self.on_stop is not None:
            self.on_stop(reason)


class Runners(Protocol):
    """Who runs what was handed out. All called under the mutex of Exchanges."""

    def begin(self, held: Held) -> None:
        """Runs it in its turn; Exchanges.finish() is called at its end."""

    def take_back(self, held: Held) -> bool:
        """Whether it had not begun; then it will not."""

    def take_all(self) -> List[Held]:
        """Takes back all that has not begun."""


class Exchanges:
    """See above. The runners' threads call finish(); fail(), drain() and end() may be called by
    any thread, but not by one that was interrupted while it held the mutex."""

    def __init__(self, address: Address, handlers: Mapping[str, Handler], slots: int,
                 patience: Optional[float]) -> None:
        self.mutex = threading.RLock()
        self.error: Optional[BaseException] = None  # why it cannot go on
        self.draining = False
        self.ended = False
        self._changed = threading.Condition(self.mutex)
        self._handlers, self._slots, self._patience = handlers, slots, patience
        self._work, self._told = Connection(address), Connection(address)
        self._budget = Budget()
        self._hurry = threading.Event()  # no pause any more
        self._session = Session()
        self._held: Dict[Key, Held] = {}
        self._slots_used = 0
        self._reports: List[Held] = []
        self._started: List[bytes] = []  # answers to recalls
        self._advertised = (0, 0)  # free slots and places, as the newest exchange told them
        self._drain_number: Optional[int] = None  # of the exchange that told it
        self._drain_known = False
        self._given_up = False
        self._draining_since = 0.0
        self._lease = 30.0

    def run(self, runners: Runners) -> None:
        """Works until drained or ended; raises what made it impossible to go on."""
        self._runners = runners
        teller = threading.Thread(target=self._guarded, args=(self._report_loop,),
                                  name="tidemill-report", daemon=True)
        teller.start()
        self._guarded(self._work_loop)
        teller.join()
        self._work.close()
        self._told.close()
        if self.error is not None:
            raise self.error

    # ---- from outside ----

    def finish(self, held: Held, report: Report) -> None:
        """The end of an attempt. What was lost meanwhile is not reported."""
        text = report.text(held.ref, held.received)
        with self.mutex:
            self._finish(held, text)

    def drain(self) -> None:
        """Wants no more: what has not begun goes back, what runs is finished and reported."""
        with self.mutex:
            self.draining, self._draining_since = True, time.monotonic()
            for held in self._runners.take_all():
                self._finish(held, returned().text(held.ref, held.received))
            self._look()

    def end(self) -> None:
        """Ends at once: what was not reported runs elsewhere, after a while."""
        with self.mutex:
            self.draining = self.ended = True
            self._look()

    def fail(self, error: BaseException) -> None:
        """Drains, and run() then raises this."""
        with self.mutex:
            self.error = self.error or error
            self.drain()

    # ---- under the mutex ----

    def _finish(self, held: Held, text: bytes) -> None:
        if held.report is not None:
            return
        held.report = text
        self._slots_used -= held.needs_slot
        if held.key not in self._held:  # lost; its slot is free now
            self._changed.notify_all()
            return
        self._reports.append(held)
        if len(self._reports) == 1:  # who reports takes all there are
            self._changed.notify_all()

    def _look(self) -> None:
        """Wakes who waits when there is nothing to wait for any more."""
        if self._over():
            self._hurry.set()
            self._work.abort()
            if self.ended:
                self._told.abort()
        self._changed.notify_all()

    def _over(self) -> bool:
        if self.ended or self._given_up:
            return True
        if not self.draining or self._held or self._started:
            return False
        return self._session.id is None or self._drain_known

    def _free(self) -> Tuple[int, int]:
        if self.draining:
            return 0, 0
        return max(0, self._slots - self._slots_used), max(0, PLACES - len(self._held))

    def _has_news(self) -> bool:
        """What the exchange that waits at the server does not know, and must."""
        if self.draining:
            return self._drain_number is None
        return any(was == 0 and now > 0 for was, now in zip(self._advertised, self._free()))

    def _head(self, wait: bool) -> Tuple[int, Dict[str, Any]]:
        number, last_reply = self._session.next()
        self._advertised = self._free()
        head: Dict[str, Any] = {"number": number, "last_reply": last_reply, "wait": wait,
                                "free_slots": self._advertised[0],
                                "free_places": self._advertised[1], "draining": self.draining}
        if self.draining and self._drain_number is None:
            self._drain_number = number
        if self._session.id is not None:
            head["session"] = self._session.id
        else:
            head["kinds"] = list(self._handlers)
            head["held"] = self._all_held()
        return number, head

    def _all_held(self) -> List[Dict[str, Any]]:
        """As the first exchange of a session names it: indexes side by side as one range."""
        named: List[Dict[str, Any]] = []
        for epoch, first, count in runs_of(self._held):
            ref: Dict[str, Any] = json.loads(b"{%s}" % self._held[(epoch, first)].ref)
            if "array" in ref:
                ref["count"] = count
            named.append(ref)
        return named

    def _take_lot(self) -> List[Held]:
        size, end = 0, 0
        for end, held in enumerate(self._reports, 1):
            size += len(held.report or b"")
            if size > LOT_BYTES or end == LOT:
                break
        lot, self._reports = self._reports[:end], self._reports[end:]
        return lot

    # ---- the two loops ----

    def _guarded(self, loop: Callable[[], None]) -> None:
        try:
            with self.mutex:
                loop()
        except BaseException as error:  # pylint: disable=broad-except
            with self.mutex:
                self.error = self.error or error
                self.end()

    def _work_loop(self) -> None:
        while not self._over():
            if not self._session.may_send():
                self._changed.wait()
                continue
            # Until there is a session there is nothing to overtake.
            self._exchange(self._work, self._session.id is None, wait=True)

    def _report_loop(self) -> None:
        while not self._over():
            to_tell = self._reports or self._started or self._has_news()
            if not to_tell or self._session.id is None or not self._session.may_send():
                self._changed.wait()
                continue
            self._exchange(self._told, True, wait=False)

    def _exchange(self, connection: Connection, with_reports: bool, wait: bool) -> None:
        """Called with the mutex held; lets go of it while the server is asked."""
        number, head = self._head(wait)
        lot = self._take_lot() if with_reports else []
        started, self._started = (self._started, []) if with_reports else ([], self._started)
        life = self._session.life
        reply = self._reply(connection, head, lot, started, life)
        if reply is None or life != self._session.life:
            if life == self._session.life:
                self._look()
            return
        if reply.unknown:
            self._begin_again(reply.incarnation)
            return
        self._session.replied(number, reply.session)
        for held in lot:
            self._held.pop(held.key, None)
        for work in reply.assignments:
            self._take(work)
        for key in reply.cancels:
            self._cancel(key)
        for key in reply.recalls:
            self._recall(key)
        self._know_drain()
        self._look()

    def _know_drain(self) -> None:
        """Once all that came before the server knew of the drain has arrived."""
        if self._drain_number is not None:
            self._drain_known = not self._session.waits_for(self._drain_number)

    def _reply(self, connection: Connection, head: Dict[str, Any], lot: List[Held],
               started: List[bytes], life: int) -> Optional[Reply]:
        """However long it takes. None when there will be none, or the session began anew."""
        text = json.dumps(head)[:-1].encode()
        pauses, since = Pauses(self._budget), time.monotonic()
        said = False
        while life == self._session.life and not self._over():
            reports = started + [held.report for held in lot if held.report is not None]
            body = text + b',"reports":[' + b",".join(reports) + b"]}"
            timeout = self._lease / 3 + 20 if head["wait"] else 60
            self.mutex.release()
            try:
                reply = Reply.of(connection.ask(
                    Request("POST", "/v1/exchange", body, timeout=timeout)))
                if said:
                    log.info("%s answers again", self._session.id)
                return reply
            except Unavailable as error:
                waited = time.monotonic() - since
                if self._patience is not None and waited > self._patience:
                    raise
                if not said and not self._hurry.is_set():
                    log.warning("no answer, trying again: %s", error)
                    said = True
                self._hurry.wait(pauses.next(error.retry_after))
            except ServerError as error:
                if error.code == "conflict" and self._session.id is not None:
                    with self.mutex:
                        if life == self._session.life:
                            self._begin_again(None)
                    return None
                if not self._amend(lot, error):
                    raise
            finally:
                self.mutex.acquire()
            if self.draining:
                self._give_up_after(since)
        return None

    def _give_up_after(self, since: float) -> None:
        """Nobody has answered since then, and the worker is to end. What has run and cannot be
        reported for a lease time runs elsewhere in any case."""
        deaf = time.monotonic() - max(since, self._draining_since)
        if any(held.report is None for held in self._held.values()):
            return
        if self._held and deaf < self._lease:
            return
        if self._held and not self._given_up:
            log.warning("%d results could not be reported", len(self._held))
        self._given_up = True

    @staticmethod
    def _amend(lot: List[Held], error: ServerError) -> bool:
        """The server cannot read a report (a number beyond 64 bits in a result): it then says that
        the attempt failed. Whether there was one to change."""
        if error.code not in ("invalid", "too_large"):
            return False
        named = re.search(r"reports: \[(\d+)\]", str(error))
        at = int(named[1]) if named else -1
        some = lot[at:at + 1] if 0 <= at < len(lot) else lot
        bad = [held for held in some if held.report and held.report.startswith(b'{"kind":"done"')]
        for held in bad:
            held.report = failed("result", str(error)).text(held.ref, held.received)
        return bool(bad)

    def _begin_again(self, incarnation: Optional[int]) -> None:
        """The server does not know the session: a new one, with all that is held."""
        self._session.begin()
        self._drain_number, self._drain_known = None, False
        for held in list(self._held.values()):
            if incarnation is not None and Session.is_lost(held.key[0], incarnation):
                self._lose(held)
        self._reports = [held for held in self._held.values() if held.report is not None]
        self._look()

    # ---- work; under the mutex ----

    def _take(self, work: Dict[str, Any]) -> None:
        handler = self._handlers.get(work["kind"])
        for key in keys_of(work):
            if key in self._held:
                continue
            held = self._held[key] = Held(work, key, handler)
            self._slots_used += held.needs_slot
            if handler is None or self.draining:
                self._finish(held, returned().text(held.ref, held.received))
            else:
                self._runners.begin(held)

    def _lose(self, held: Held) -> None:
        log.warning("the lease of task %s was lost", held.context.task)
        del self._held[held.key]
        if held.report is None:
            if self._runners.take_back(held):
                self._finish(held, b"")
            else:
                held.stop("lease_lost")

    def _cancel(self, key: Key) -> None:
        held = self._held.get(key)
        if held is None or held.report is not None:
            return
        late = held.timeout is not None and time.monotonic() - held.received >= held.timeout
        reason = "timeout" if late else "cancelled"
        if self._runners.take_back(held):
            report = failed(reason, f"{reason} before it began", retryable=False)
            self._finish(held, report.text(held.ref, held.received))
        else:
            held.stop(reason)

    def _recall(self, key: Key) -> None:
        held = self._held.get(key)
        if held is None or held.report is not None:
            return
        if self._runners.take_back(held):
            self._finish(held, returned().text(held.ref, held.received))
        else:
            self._started.append(Report("started").text(held.ref, held.received))
