"""Handlers in processes of their own: each slot has one, which is used again and again.

    parent, the slot's thread                        child
      work pipe:     (n, kind, input, …)      ──▶      runs the handler in its main thread
                     ◀──      (n, report, memory)
      control pipe:  (n, reason)              ──▶      a thread of it stops the Context; at the
                                                       pipe's end (the parent is gone) it exits

A child that ends costs the attempt it ran, which is reported as a crash, and no other. One whose
attempt is to stop has a grace for it and is then killed; at once when the lease was lost or the
time is over. After many attempts, or above a mark of memory, a child is replaced.
"""
from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ._exchange import Held
from ._reports import Report, failed, of_call, stopped
from .context import Context
from .handlers import Handler

Pipe = Any  # multiprocessing.connection.Connection, generic in some versions only
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
START = 60.0  # seconds for a child to import what it needs
GUARD = ('a process of the pool ended before it could work (exit code {}). It imports the module '
         'of the handlers: what that does beside definitions, such as worker.run(), belongs under '
         'if __name__ == "__main__":')


@dataclass(frozen=True)
class PoolOptions:
    """How the processes of a worker are kept."""

    method: str = ""  # spawn or forkserver; empty: forkserver where there is one
    grace: float = 2.0  # seconds between a cancel and a kill
    recycle_calls: int = 10_000
    recycle_bytes: int = 512 << 20  # of resident memory after a call


class CannotStart(RuntimeError):
    """No process can be started, so that no handler can run."""


def check_sendable(handlers: Mapping[str, Handler]) -> None:
    """Raises ValueError, naming the handler, when one cannot be run by another process."""
    for handler in handlers.values():
        if handler.is_async:
            continue
        try:
            pickle.dumps(handler.function)
        except Exception as error:
            raise ValueError(
                f"the handler of {handler.kind!r} cannot run in another process: {error}; it must "
                "be a function at the top of a module that can be imported") from error


def is_being_imported() -> bool:
    """Whether this is a child that only wants the definitions of the main module."""
    return bool(getattr(multiprocessing.current_process(), "_inheriting", False))


class InProcess:
    """The process of one slot. call() by the slot's thread; what stops it by any."""

    def __init__(self, handlers: Mapping[str, Handler], options: PoolOptions,
                 on_broken: Callable[[BaseException], None]) -> None:
        self._functions = {kind: (handler.function, handler.wants_context)
                           for kind, handler in handlers.items() if not handler.is_async}
        self._options, self._on_broken = options, on_broken
        method = options.method
        if not method:
            has = multiprocessing.get_all_start_methods()
            method = "forkserver" if "forkserver" in has else "spawn"
        self._processes: Any = multiprocessing.get_context(method)
        self._process: Any = None
        self._lock = threading.Lock()  # of what follows: who stops must not hit the next attempt
        self._current: Optional[Held] = None
        self._number = 0
        self._reason = ""
        self.calls = 0  # of the child there is

    def start(self) -> None:
        """Raises CannotStart. Called before there is work, so that mistakes show at once."""
        work, its_work = multiprocessing.Pipe()
        its_control, control = multiprocessing.Pipe(duplex=False)
        process = self._processes.Process(target=child_main, name="tidemill-child",
                                          args=(its_work, its_control, self._functions))
        try:
            process.start()
        except (ConnectionError, EOFError) as error:
            raise CannotStart(GUARD.format("unknown")) from error  # of whom children are forked
        except (OSError, RuntimeError) as error:
            raise CannotStart(f"no process could be started: {error}") from error
        its_work.close()
        its_control.close()
        try:
            ready = work.poll(START) and work.recv() == "ready"
        except (EOFError, OSError):
            ready = False
        if not ready:
            process.kill()
            process.join()
            raise CannotStart(GUARD.format(process.exitcode))
        self._process, self._work, self._control, self.calls = process, work, control, 0

    def call(self, held: Held) -> Report:
        began = time.monotonic()
        try:
            if self._process is not None and not self._process.is_alive():
                self._discard()
            if self._process is None:
                self.start()
        except CannotStart as error:
            self._on_broken(error)
            return Report("returned")
        with self._lock:
            self._current, self._reason = held, ""
            self._number += 1
            held.on_stop = lambda reason: self._stop(held, reason)
            if held.context.cancelled:
                self._current = None
                return stopped(held.context.reason)
        answer = self._answer(held)
        with self._lock:
            self._current = None
        if answer is None:
            report = self._crash()
            report.ran = (began, time.monotonic(), 0.0)
            return report
        report, memory = answer
        self.calls += 1
        if self.calls >= self._options.recycle_calls or memory > self._options.recycle_bytes:
            self.close()
        stops = report.kind == "failed" and held.context.cancelled
        return stopped(held.context.reason) if stops else report

    def kill(self) -> None:
        """Ends what runs, at once."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """The process ends by itself, as it does nothing now."""
        if self._process is not None:
            self._control.close()
            self._work.close()
            self._process.join(self._options.grace)
            self._discard()

    # ---- the slot's thread ----

    def _answer(self, held: Held) -> Optional[Tuple[Report, int]]:
        context = held.context
        try:
            self._work.send((self._number, context.kind, held.input,
                             (context.task, context.queue, context.kind, context.attempt,
                              context.index)))
            if held.timeout is not None and not self._work.poll(held.timeout):
                held.stop("timeout")
            answer: Tuple[Report, int] = self._work.recv()
            return answer
        except (EOFError, OSError):
            return None

    def _crash(self) -> Report:
        process, reason = self._process, self._reason
        process.join(self._options.grace)  # its pipe has ended, so that it is about to
        code = process.exitcode
        self._discard()
        if reason:
            return stopped(reason)
        return failed("crash", f"the process that ran it {_ended_by(code)}")

    def _discard(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        process.kill()
        process.join()
        process.close()
        self._work.close()
        self._control.close()

    # ---- any thread ----

    def _stop(self, held: Held, reason: str) -> None:
        with self._lock:
            if self._current is not held:
                return
            self._reason = reason
            if reason != "cancelled":
                self._process.kill()
                return
            try:
                self._control.send((self._number, reason))
            except OSError:
                return  # it has ended
        timer = threading.Timer(self._options.grace, self._stop_now, (held,))
        timer.daemon = True
        timer.start()

    def _stop_now(self, held: Held) -> None:
        with self._lock:
            if self._current is held:
                self._process.kill()


def _ended_by(code: Optional[int]) -> str:
    if code is None:
        return "closed its pipe"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


# ---- in the child ----


def child_main(work: Pipe, control: Pipe,
               functions: Dict[str, Tuple[Callable[..., Any], bool]]) -> None:
    """Runs what comes through the pipe, until it ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # The parent drains when a whole group gets a signal. Not SIG_IGN, which programs that a
        # handler starts would inherit.
        signal.signal(number, lambda *_: None)
    running: Dict[int, Context] = {}
    threading.Thread(target=_watch, args=(control, running), daemon=True).start()
    statm = _statm()
    work.send("ready")
    while True:
        try:
            n, kind, given, told = work.recv()
        except (EOFError, OSError):
            return
        context = running[n] = Context(*told)
        function, wants_context = functions[kind]
        if wants_context:
            report = of_call(lambda: function(given, context))
        else:
            report = of_call(lambda: function(given))
        del running[n]
        work.send((report, _memory(statm)))


def _watch(control: Pipe, running: Dict[int, Context]) -> None:
    while True:
        try:
            n, reason = control.recv()
        except (EOFError, OSError):
            os._exit(1)  # the parent is gone: nobody wants the result
        context = running.get(n)
        if context is not None:
            context.stop(reason)


def _statm() -> int:
    """A descriptor that tells the memory; -1 where there is none."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _memory(statm: int) -> int:
    """Bytes that are resident; 0 where nobody says so."""
    return int(os.pread(statm, 100, 0).split()[1]) * PAGE if statm >= 0 else 0
