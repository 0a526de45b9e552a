"""Who runs handlers: threads for the slots, threads for work that only waits, an event loop."""
from __future__ import annotations

import asyncio
import collections
import threading
import time
from typing import Callable, Deque, List, Optional, Protocol, Set

from ._exchange import Held
from ._reports import Report, failed, of_call, of_exception, of_result, stopped

Done = Callable[[Held, Report], None]


class Caller(Protocol):
    """Runs one attempt after another, on the thread of a slot."""

    def call(self, held: Held) -> Report:
        """Runs it, in this thread or in a process of its own."""

    def close(self) -> None:
        """There will be no more."""


class InThread:
    """The handler runs in the thread of its slot."""

    def call(self, held: Held) -> Report:
        assert held.handler is not None
        function = held.handler.function
        if held.handler.wants_context:
            report = of_call(lambda: function(held.input, held.context))
        else:
            report = of_call(lambda: function(held.input))
        if report.kind == "failed" and held.context.cancelled:
            ran, report = report.ran, stopped(held.context.reason)
            report.ran = ran
        return report

    def close(self) -> None:
        pass


class Slots:
    """One thread for each slot, and one for each attempt that needs none."""

    def __init__(self, mutex: threading.RLock, callers: List[Caller], done: Done) -> None:
        self._mutex, self._done = mutex, done
        self._came = threading.Condition(mutex)
        self._waiting: Deque[Held] = collections.deque()
        self._ended = False
        self._threads = [threading.Thread(target=self._run, args=(caller,), daemon=True,
                                          name=f"tidemill-slot-{n}")
                         for n, caller in enumerate(callers)]
        for thread in self._threads:
            thread.start()

    def begin(self, held: Held) -> None:
        if held.needs_slot:
            self._waiting.append(held)
            self._came.notify()
        else:
            threading.Thread(target=lambda: self._done(held, InThread().call(held)), daemon=True,
                             name="tidemill-place").start()

    def take_back(self, held: Held) -> bool:
        try:
            self._waiting.remove(held)
        except ValueError:
            return False
        return True

    def take_all(self) -> List[Held]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def close(self, wait: bool) -> None:
        with self._mutex:
            self._ended = True
            self._came.notify_all()
        for thread in self._threads if wait else ():
            thread.join()

    def _run(self, caller: Caller) -> None:
        try:
            while True:
                with self._mutex:
                    while not self._waiting and not self._ended:
                        self._came.wait()
                    if self._ended:
                        return
                    held = self._waiting.popleft()
                self._done(held, caller.call(held))
        finally:
            caller.close()


class Loop:
    """Handlers that are coroutines, on an event loop: one of its own in a thread, or yours. Apart
    from the exchanges, so that a handler that blocks the loop does not cost the others' leases."""

    def __init__(self, mutex: threading.RLock, done: Done,
                 loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        self._mutex, self._done = mutex, done
        self._new: Deque[Held] = collections.deque()
        self._running: Set["asyncio.Task[None]"] = set()
        self._thread: Optional[threading.Thread] = None
        self._loop = loop or asyncio.new_event_loop()
        if loop is None:
            self._thread = threading.Thread(target=self._serve, daemon=True, name="tidemill-loop")
            self._thread.start()

    def begin(self, held: Held) -> None:
        self._new.append(held)
        if len(self._new) == 1:
            self._loop.call_soon_threadsafe(self._start)

    def take_back(self, held: Held) -> bool:
        try:
            self._new.remove(held)
        except ValueError:
            return False
        return True

    def take_all(self) -> List[Held]:
        taken = list(self._new)
        self._new.clear()
        return taken

    def close(self, wait: bool) -> None:
        def end() -> None:
            for task in self._running:
                task.cancel()
            if self._thread is not None:
                self._loop.call_later(1 if self._running else 0, self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        if self._thread is not None and wait:
            self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _start(self) -> None:
        with self._mutex:
            some = list(self._new)
            self._new.clear()
        for held in some:
            task = self._loop.create_task(self._run(held))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, held: Held) -> None:
        began = time.monotonic()
        report = await self._report(held)
        report.ran = (began, time.monotonic(), 0.0)
        # It may have to store a large result first, which blocks.
        if report.is_large:
            await self._loop.run_in_executor(None, self._done, held, report)
        else:
            self._done(held, report)

    async def _report(self, held: Held) -> Report:
        task, runs = asyncio.current_task(), True

        def stop(reason: str) -> None:
            held.context.stop(reason)
            if runs and task is not None:
                task.cancel()

        # Who stops it sets the context first and then looks for this: one of us sees the other.
        held.on_stop = lambda reason: self._threadsafe(stop, reason)
        if held.context.cancelled:
            return stopped(held.context.reason)
        timer = None
        if held.timeout is not None:
            timer = self._loop.call_later(held.timeout, stop, "timeout")
        try:
            report = await _call(held)
        except asyncio.CancelledError:
            report = failed("cancelled", "the handler was cancelled by itself or with its loop")
        finally:
            runs = False
            if timer is not None:
                timer.cancel()
        stops = report.kind == "failed" and held.context.cancelled
        return stopped(held.context.reason) if stops else report

    def _threadsafe(self, call: Callable[[str], None], reason: str) -> None:
        try:
            self._loop.call_soon_threadsafe(call, reason)
        except RuntimeError:
            pass  # the loop has ended, and the handler with it


async def _call(held: Held) -> Report:
    assert held.handler is not None
    try:
        if held.handler.wants_context:
            return of_result(await held.handler.function(held.input, held.context))
        return of_result(await held.handler.function(held.input))
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except
        return of_exception(error)


class Both:
    """Each to whom its handler belongs."""

    def __init__(self, slots: Slots, loop: Optional[Loop]) -> None:
        self._slots, self._loop = slots, loop

    def begin(self, held: Held) -> None:
        if self._loop is not None and held.handler is not None and held.handler.is_async:
            self._loop.begin(held)
        else:
            self._slots.begin(held)

    def take_back(self, held: Held) -> bool:
        return self._slots.take_back(held) or (self._loop is not None
                                               and self._loop.take_back(held))

    def take_all(self) -> List[Held]:
        return self._slots.take_all() + (self._loop.take_all() if self._loop is not None else [])

    def close(self, wait: bool) -> None:
        self._slots.close(wait)
        if self._loop is not None:
            self._loop.close(wait)
