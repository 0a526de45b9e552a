"""Executor: concurrent.futures over durable tasks.

    with Executor(Client()) as executor:
        future = executor.submit(statistics.mean, [1, 2, 3])
        print(future.result(), list(executor.map(math.sqrt, range(100))))

When submit() returns, the call is durable: it will run even if this process ends. Any worker that
allows calls of that module runs it (Worker.allow_calls, python -m tidemill worker --calls).
"""
from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
import uuid
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, TypeVar

from . import _calls, _verbs as verbs
from .aio import AsyncClient
from .client import Client
from .errors import ServerError, TidemillError
from .handlers import options_of
from .tasks import Outcome, Retry

T = TypeVar("T")
GATHER = 0.005  # seconds in which new calls come together before the wait begins anew
LOOK = 30.0  # seconds that one wait takes
SHORT_LOOK = 0.2  # when it is for a part of them


class TaskFuture(concurrent.futures.Future[Any]):
    """The future of one task; `task` is its id. result() raises TaskFailed when it failed.

    cancel() is True when the task had not begun, or ended so; else its worker was asked to stop,
    and result() raises CancelledError when it did.
    """

    def __init__(self, task: str, client: Client, place: int) -> None:
        super().__init__()
        self.task = task
        self._client = client
        self._place = place  # of the call in its batch; -1: the result as it is
        self._ends = threading.Lock()  # taken by who ends it

    def cancel(self) -> bool:
        if self.done():
            return self.cancelled()
        try:
            at_once = self._client.cancel(self.task)
        except ServerError as error:
            if error.code != "not_found":  # it has ended meanwhile
                raise
            at_once = False
        if at_once:
            self.end_cancelled()
        return self.cancelled()

    def end_cancelled(self) -> None:
        if self._may_end():
            super().cancel()
            self.set_running_or_notify_cancel()

    def end(self, outcome: Outcome) -> None:
        """The task has ended; by the thread that waits for it."""
        if outcome.outcome == "cancelled":
            self.end_cancelled()
            return
        if not self._may_end():
            return
        try:
            value = outcome.result
            self.set_result(value if self._place < 0
                            else _calls.result_of(value)[self._place])
        except Exception as error:  # pylint: disable=broad-except
            self.set_exception(error)

    def lose(self, error: TidemillError) -> None:
        """Nobody answered for as long as the client is patient: the task may still run."""
        if self._may_end():
            self.set_exception(error)

    def _may_end(self) -> bool:
        """Once: a cancel and an outcome may come at the same time."""
        return self._ends.acquire(blocking=False)


class Executor(concurrent.futures.Executor):
    """See above. May be used by any number of threads."""

    def __init__(self, client: Optional[Client] = None, *, queue: Optional[str] = None,
                 pickle: bool = False, retry: Optional[Retry] = None,
                 timeout: Optional[float] = None) -> None:
        """`pickle`: functions and arguments travel pickled, not by name and as JSON; workers must
        allow it. `retry` and `timeout` (seconds of an attempt) are those of the tasks."""
        self._client = client or Client()
        self._send = _calls.pickled if pickle else _calls.by_name
        more: Dict[str, Any] = {"queue": queue, "retry": retry,
                                "timeout_ms": None if timeout is None else timeout * 1000}
        self._more = {name: value for name, value in more.items() if value is not None}
        self._lock = threading.Lock()
        self._open: Dict[str, List[TaskFuture]] = {}
        self._closed = False
        self._watch: Optional[_Watch] = None

    def submit(self, fn: Callable[..., Any], /, *args: Any,
               **kwargs: Any) -> TaskFuture:
        """Spawns fn(*args, **kwargs) as a task, durably. A function that is decorated with
        @task(KIND) is spawned as such, with its one argument as the input. Raises NotSendable."""
        if options_of(fn) is not None:
            if len(args) != 1 or kwargs:
                raise TypeError("a handler is submitted with its input, and nothing else")
            return self._spawn([dict(verbs.task_of(fn, args[0], self._more))], [-1])[0]
        return self._spawn([self._task(fn, [(args, kwargs)])], [0])[0]

    def map(self, fn: Callable[..., T], *iterables: Iterable[Any],
            timeout: Optional[float] = None, chunksize: int = 1) -> Iterator[T]:
        """As the built-in map(); all is spawned at once, `chunksize` calls in a task."""
        if chunksize < 1:
            raise ValueError(f"chunksize={chunksize}; 1 or more it can be")
        calls: List[Tuple[Tuple[Any, ...], Dict[str, Any]]] = [
            (args, {}) for args in zip(*iterables)]
        chunks = [calls[at:at + chunksize] for at in range(0, len(calls), chunksize)]
        futures: List[TaskFuture] = []
        for at in range(0, len(chunks), verbs.BATCH):
            some = chunks[at:at + verbs.BATCH]
            futures += self._spawn([self._task(fn, chunk) for chunk in some],
                                   [len(chunk) for chunk in some], spread=True)
        return _results(futures, timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more calls. Without `wait` the futures still get their results, as long as this
        process lives; the tasks run in any case, unless cancel_futures."""
        with self._lock:
            self._closed = True
            watch = self._watch
            futures = [future for some in self._open.values() for future in some]
        if cancel_futures:
            for future in futures:
                future.cancel()
        if watch is not None:
            watch.nudge()
            if wait:
                watch.thread.join()

    def _task(self, fn: Callable[..., Any], batch: _calls.Batch) -> Dict[str, Any]:
        return {"kind": _calls.KIND, "input": self._send(fn, batch), **self._more}

    def _spawn(self, tasks: List[Dict[str, Any]], places: List[int],
               spread: bool = False) -> List[TaskFuture]:
        """The futures of these tasks; with `spread` places[n] of them for task n."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the executor was shut down and takes no more calls")
        for task in tasks:
            task["idempotency_key"] = f"executor-{uuid.uuid4().hex}"  # so that it can be repeated
        ids = self._client.spawn_many(tasks)
        made: List[TaskFuture] = []
        with self._lock:
            for id, place in zip(ids, places):
                some = range(place) if spread else (place,)
                futures = [TaskFuture(id, self._client, n) for n in some]
                self._open[id] = futures
                made += futures
            if self._watch is None and self._open:
                self._watch = _Watch(self._client, self._open, self._lock, lambda: self._closed)
            if self._watch is not None:
                self._watch.nudge()
        return made


def _results(futures: List[TaskFuture], timeout: Optional[float]) -> Iterator[Any]:
    """Each in its turn; what is left is cancelled when the caller goes away or one fails."""
    end = None if timeout is None else time.monotonic() + timeout
    left = list(reversed(futures))
    try:
        while left:
            # Not held on to while the caller looks at its result.
            yield left.pop().result(None if end is None else end - time.monotonic())
    finally:
        for future in {future.task: future for future in left}.values():
            future.cancel()


class _Watch:
    """The thread that waits for outcomes: one question to the server for all that are open, asked
    anew when there are more."""

    def __init__(self, client: Client, open_: Dict[str, List[TaskFuture]], lock: threading.Lock,
                 closed: Callable[[], bool]) -> None:
        self._client, self._open, self._lock, self._closed = client, open_, lock, closed
        self._nudged: Optional[asyncio.Event] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True,
                                       name="tidemill-executor")
        self.thread.start()
        self._ready.wait()

    def nudge(self) -> None:
        """There is more to wait for, or no more to come. Any thread."""
        assert self._loop is not None and self._nudged is not None
        try:
            self._loop.call_soon_threadsafe(self._nudged.set)
        except RuntimeError:
            pass  # it has ended: there was nothing open

    async def _main(self) -> None:
        self._loop, self._nudged = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        turn = 0
        async with AsyncClient.like(self._client) as client:
            while True:
                self._nudged.clear()
                with self._lock:
                    ids = list(self._open)
                    if not ids and self._closed():
                        return
                if not ids:
                    await self._nudged.wait()
                    continue
                # Too many for one question: some after the others, so that all have their turn.
                first = turn % len(ids) if len(ids) > verbs.BATCH else 0
                some = ids[first:first + verbs.BATCH]
                turn = first + len(some)
                look = LOOK if len(some) == len(ids) else SHORT_LOOK
                for id, outcome in (await self._ended(client, some, look)).items():
                    self._end(id, outcome)

    async def _ended(self, client: AsyncClient, ids: List[str],
                     seconds: float) -> Dict[str, Outcome]:
        """Those of these that have ended; none when there are more to ask for."""
        assert self._nudged is not None
        asked = asyncio.ensure_future(client.run(verbs.wait_some(ids, "any", seconds)))
        nudged = asyncio.ensure_future(self._nudged.wait())
        await asyncio.wait({asked, nudged}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            await asyncio.wait({asked}, timeout=GATHER)
        nudged.cancel()
        if not asked.done():
            asked.cancel()
            return {}
        try:
            return asked.result()
        except TidemillError as error:
            self._lose(ids, error)
            return {}

    def _end(self, id: str, outcome: Outcome) -> None:
        with self._lock:
            futures = self._open.pop(id, [])
        for future in futures:
            future.end(outcome)

    def _lose(self, ids: Iterable[str], error: TidemillError) -> None:
        for id in ids:
            with self._lock:
                futures = self._open.pop(id, [])
            for future in futures:
                future.lose(error)
