"""Worker: runs tasks of a server with handlers of your own.

    exchange thread 1: asks for work, and waits at the server until there is some
    exchange thread 2: reports what has ended; answered when it is durable
    runners:           one thread for each slot, which runs a handler or has it run in a process

The server keeps what was handed out for this worker while one of the two reaches it; when it does
not for a lease time, the work runs elsewhere and its reports are refused (docs/protocol.md).
"""
from __future__ import annotations

import collections
import concurrent.futures
import concurrent.futures.process
import json
import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from .client import Client, ServerError, Unavailable

PLACES = 1024
INLINE = 64 * 1024  # bytes of a result that fit into a report


class Failure(Exception):
    """Raised by a handler: the attempt failed with this kind, and is tried again if retryable."""

    def __init__(self, kind: str, message: str = "", retryable: bool = True):
        super().__init__(message or kind)
        self.kind, self.message, self.retryable = kind, message or kind, retryable


@dataclass
class Attempt:
    """What a handler that takes two arguments is told beside the input."""

    task: str
    queue: str
    kind: str
    number: int
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Held:
    """A piece of work from its hand-out to the answer to its report."""

    assignment: dict
    received: float
    attempt: Attempt
    report: Optional[dict] = None

    @property
    def ref(self) -> dict:
        return {"task": self.assignment["task"], "epoch": self.assignment["epoch"]}


class Worker:
    """Handlers by kind, and the loop that runs them."""

    def __init__(self, client: Client, slots: Optional[int] = None, processes: bool = False):
        """`slots`: handlers at once; default: cores. `processes`: each in a process of a pool."""
        self._client = client
        self._slots = slots or os.cpu_count() or 1
        self._processes = processes
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._mutex = threading.RLock()
        self._lock = threading.Condition(self._mutex)
        self._life = 0  # of the session; what belongs to an earlier one is not listened to
        self._forget_session()
        self._held: dict[str, _Held] = {}  # by epoch, which names a hand-out
        self._waiting: collections.deque[_Held] = collections.deque()  # for a runner
        self._work_came = threading.Condition(self._mutex)  # for runners only
        self._reports: list[_Held] = []
        self._draining = False
        self._told_draining = False
        self._ended = False

    def task(self, kind: str) -> Callable[[Callable], Callable]:
        """Decorator: this function runs tasks of that kind. It gets the input, and the Attempt too
        when it takes two arguments; what it returns, as JSON, is the result."""

        def register(function: Callable) -> Callable:
            self._handlers[kind] = function
            return function

        return register

    def run(self, handle_signals: bool = True) -> None:
        """Works until stop(), SIGTERM or SIGINT: what runs is then finished, the rest goes back."""
        if not self._handlers:
            raise ValueError("a worker needs a handler: @worker.task(KIND)")
        in_main = threading.current_thread() is threading.main_thread()
        if handle_signals and in_main:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
        self._pool = self._new_pool() if self._processes else None
        threads = [threading.Thread(target=self._report_loop, name="tidemill-report")]
        threads += [threading.Thread(target=self._run_loop, name=f"tidemill-{n}")
                    for n in range(self._slots)]
        for thread in threads:
            thread.start()
        try:
            self._work_loop()
        finally:
            with self._lock:
                self._ended = True
                self._lock.notify_all()
                self._work_came.notify_all()
            for thread in threads:
                thread.join()
            if self._pool is not None:
                self._pool.shutdown()

    def _new_pool(self) -> concurrent.futures.ProcessPoolExecutor:
        return concurrent.futures.ProcessPoolExecutor(self._slots)

    def stop(self) -> None:
        """Wants no more work; run() ends when all it held is reported. A second call ends it at
        once: what was not reported runs elsewhere. Any thread; also from a signal handler."""
        if self._draining:
            self._ended = True
        self._draining = True
        threading.Thread(target=self._wake).start()  # the lock may be held by who was interrupted

    def _wake(self) -> None:
        with self._lock:
            while self._waiting:
                self._finish(self._waiting.pop(), {"kind": "returned"})
            self._lock.notify_all()
            self._work_came.notify_all()

    # ---- the session; all under the lock ----

    def _forget_session(self) -> None:
        self._life += 1
        self._session: Optional[str] = None
        self._number = 0
        self._advertised = 0  # free slots, as the newest exchange told them
        self._pending: set[int] = set()  # sent, and no reply yet

    def _may_send(self) -> bool:
        """One may be overtaken by one other at most."""
        if self._session is None:
            return not self._pending
        return not self._pending or self._number + 1 <= min(self._pending) + 1

    def _free_slots(self) -> int:
        return max(0, self._slots - len(self._held))

    def _has_news(self) -> bool:
        """What the exchange that waits at the server does not know, and must."""
        if self._draining:
            return not self._told_draining
        return self._advertised == 0 and self._free_slots() > 0

    def _message(self, reports: list[_Held]) -> dict:
        self._number += 1
        last_reply = min(self._pending) - 1 if self._pending else self._number - 1
        self._pending.add(self._number)
        left = self._free_slots()
        self._advertised = left
        message: dict = {"number": self._number, "last_reply": last_reply,
                         "free_slots": 0 if self._draining else left,
                         "free_places": 0 if self._draining else PLACES - len(self._held),
                         "draining": self._draining}
        self._told_draining = self._draining
        if self._session is None:
            message["kinds"] = list(self._handlers)
            message["held"] = [held.ref for held in self._held.values()]
        else:
            message["session"] = self._session
        if reports:
            message["reports"] = [held.report for held in reports]
        return message

    def _send(self, message: dict, life: int) -> Optional[dict]:
        """The reply, however long it takes; None when the session has begun anew meanwhile."""
        pause = 0.02
        while life == self._life:
            try:
                return self._client.request("POST", "/v1/exchange", message, timeout=60)
            except Unavailable:
                time.sleep(pause)
                pause = min(1.0, pause * 2)
                if self._ended or (self._draining and not self._held):
                    break
        return None

    def _exchange(self, reports: list[_Held], wait: bool = True) -> None:
        """Called with the lock held; lets go of it while the server is asked."""
        message, life = self._message(reports), self._life
        message["wait"] = wait and not self._draining
        self._lock.release()
        try:
            reply = self._send(message, life)
        finally:
            self._lock.acquire()
        if reply is None or life != self._life:
            return
        if reply.get("session_unknown"):
            self._begin_again()
            return
        self._session = reply["session"]
        self._pending.discard(message["number"])
        for held in reports:
            self._held.pop(held.assignment["epoch"], None)
        for assignment in reply.get("assignments", []):
            self._take(assignment)
        for work in reply.get("cancels", []):
            self._cancel(work)
        for work in reply.get("recalls", []):
            self._recall(work)
        self._lock.notify_all()

    def _begin_again(self) -> None:
        """The server was started anew: a new session, with all that is held."""
        self._forget_session()
        waiting = {held.assignment["epoch"] for held in self._reports}
        self._reports += [held for epoch, held in self._held.items()
                          if held.report is not None and epoch not in waiting]
        self._lock.notify_all()

    # ---- the two loops ----

    def _work_loop(self) -> None:
        with self._lock:
            while not (self._draining and not self._held) and not self._ended:
                if not self._may_send():
                    self._lock.wait()
                    continue
                if self._draining:  # nothing to ask for; reports end what is held
                    self._lock.wait()
                    continue
                first = self._reports if self._session is None else []
                self._reports = [] if first else self._reports
                self._exchange(first)

    def _report_loop(self) -> None:
        with self._lock:
            while not self._ended:
                to_tell = self._reports or self._has_news()
                if not to_tell or self._session is None or not self._may_send():
                    self._lock.wait()
                    continue
                reports, self._reports = self._reports, []
                self._exchange(reports, wait=False)

    # ---- work; under the lock ----

    def _take(self, assignment: dict) -> None:
        attempt = Attempt(assignment.get("task", ""), assignment["queue"], assignment["kind"],
                          assignment.get("attempt", 1))
        held = _Held(assignment, time.monotonic(), attempt)
        self._held[assignment["epoch"]] = held
        if assignment["kind"] not in self._handlers or "task" not in assignment or self._draining:
            self._finish(held, {"kind": "returned"})
            return
        self._waiting.append(held)
        self._work_came.notify()

    def _run_loop(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._ended:
                    self._work_came.wait()
                if self._ended:
                    return
                held = self._waiting.popleft()
            report = self._fitting(self._run(held))
            with self._lock:
                self._finish(held, report)

    def _run(self, held: _Held) -> dict:
        handler, input = self._handlers[held.assignment["kind"]], held.assignment.get("input")
        if self._pool is None:
            return _run(handler, input, held.attempt)
        pool = self._pool
        try:
            return pool.submit(_run_plain, handler, input).result()
        except concurrent.futures.process.BrokenProcessPool as error:
            with self._lock:  # its other calls end like this, too
                if self._pool is pool:
                    self._pool = self._new_pool()
            return _failed("crash", f"a process of the pool ended: {error}")
        except Exception as error:  # pylint: disable=broad-except
            return _failed("python", f"the call could not be handed to a process: {error}")

    def _fitting(self, report: dict) -> dict:
        """Large results are stored beside the report, before it."""
        if report["kind"] != "done":
            return report
        if report.pop("size") <= INLINE // 4:  # the server counts the bytes of UTF-8
            return report
        try:
            blob = self._client.request("POST", "/v1/blobs", report.pop("result"), repeat=True)
        except ServerError as error:
            return _failed("result", str(error))
        return {"kind": "done", "blob": blob, "ran": report["ran"]}

    def _finish(self, held: _Held, report: dict) -> None:
        if held.report is not None or held.assignment["epoch"] not in self._held:
            return
        if "ran" in report:  # by the same clock as `received`, also in another process
            began, ended, cpu = report.pop("ran")
            report["trace"] = {"started_us": int((began - held.received) * 1e6),
                               "finished_us": int((ended - held.received) * 1e6),
                               "cpu_us": int(cpu * 1e6)}
        held.report = {**report, **held.ref}
        self._reports.append(held)
        if len(self._reports) == 1:  # who reports takes all there are
            self._lock.notify_all()

    def _cancel(self, work: dict) -> None:
        held = self._held.get(work["epoch"])
        if held is None:
            return
        held.attempt.cancelled.set()
        if held in self._waiting:
            self._waiting.remove(held)
            self._finish(held, _failed("cancelled", "cancelled before it began", retryable=False))

    def _recall(self, work: dict) -> None:
        held = self._held.get(work["epoch"])
        if held in self._waiting:
            self._waiting.remove(held)
            self._finish(held, {"kind": "returned"})


def _failed(kind: str, message: str, retryable: bool = True) -> dict:
    return {"kind": "failed",
            "error": {"kind": kind, "message": message, "retryable": retryable}}


def _run_plain(handler: Callable, input: Any) -> dict:
    """In a process of the pool, which knows nothing of the attempt."""
    return _report_of(lambda: handler(input))


def _run(handler: Callable, input: Any, attempt: Attempt) -> dict:
    wants_attempt = handler.__code__.co_argcount > 1 if hasattr(handler, "__code__") else False
    report = _report_of(lambda: handler(input, attempt) if wants_attempt else handler(input))
    if attempt.cancelled.is_set() and report["kind"] == "failed":
        report["error"] = {"kind": "cancelled", "message": "the handler stopped",
                           "retryable": False}
    return report


def _report_of(call: Callable[[], Any]) -> dict:
    began, cpu = time.monotonic(), time.thread_time()
    try:
        result = call()
        report = {"kind": "done", "result": result, "size": len(json.dumps(result))}
    except Failure as failure:
        report = _failed(failure.kind, failure.message, failure.retryable)
    except Exception:  # pylint: disable=broad-except
        report = _failed("python", traceback.format_exc(limit=-20))
    report["ran"] = (began, time.monotonic(), time.thread_time() - cpu)
    return report
