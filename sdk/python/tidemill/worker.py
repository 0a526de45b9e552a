"""Worker: runs tasks of a server with handlers of your own."""
from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import os
import signal
import threading
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, TypeVar, Union

from . import _calls
from ._children import InProcess, PoolOptions, check_sendable, is_being_imported
from ._exchange import Exchanges, Held
from ._reports import Report, failed
from ._runners import Both, Caller, InThread, Loop, Slots
from .client import Client
from .errors import ServerError
from .handlers import MARK, Handler, options_from, options_of
from .tasks import Retry

F = TypeVar("F", bound=Callable[..., Any])


class Worker:
    """Handlers by kind, and the loop that runs them.

    A handler that is a coroutine function runs on an event loop, others in threads or, with
    `processes`, in processes of their own; then they must be functions at the top of a module.
    """

    def __init__(self, client: Optional[Client] = None, slots: Optional[int] = None,
                 processes: Union[bool, str] = False, *, patience: Optional[float] = None,
                 grace: float = 2.0, recycle_calls: int = 10_000,
                 recycle_bytes: int = 512 << 20) -> None:
        """`client`: default Client(), which asks the environment. `slots`: handlers at once;
        default: cores. `processes`: True, or how they are made: "forkserver", "spawn".

        `patience`: seconds without an answer after which run() gives up; default: never. `grace`:
        seconds between a cancel and the kill of a process. A process is replaced after
        `recycle_calls` attempts, or when it holds more than `recycle_bytes`.
        """
        if slots is not None and slots < 1:
            raise ValueError(f"a worker needs a slot, not {slots}")
        if processes not in (True, False, "forkserver", "spawn"):
            raise ValueError(f"processes={processes!r}: it is True, \"forkserver\" or \"spawn\"")
        self.client = client
        self.slots = slots
        self.processes = processes
        self.patience = patience
        self._pool = PoolOptions("", grace, recycle_calls, recycle_bytes)
        self._handlers: Dict[str, Handler] = {}
        self._lock = threading.RLock()
        self._exchanges: Optional[Exchanges] = None
        self._stops = 0  # calls of stop()
        self._stop_now = threading.Event()

    @property
    def kinds(self) -> List[str]:
        """What it can run."""
        return list(self._handlers)

    def task(self, kind: str, *, retry: Optional[Retry] = None, timeout: Optional[float] = None,
             queue: Optional[str] = None) -> Callable[[F], F]:
        """Decorator: this function runs tasks of that kind. It gets the input, and the Context too
        when its second parameter is required; what it returns, as JSON, is the result.

        `retry`, `timeout` (seconds) and `queue` are what client.spawn(function, …) spawns it with.
        """
        options = options_from(kind, retry, timeout, queue)

        def register(function: F) -> F:
            try:
                setattr(function, MARK, options)
            except AttributeError:
                pass  # built in: it can be run, and be spawned by its kind
            self._handlers[kind] = Handler.of(kind, function)
            return function

        return register

    def add(self, *decorated: Union[Callable[..., Any], ModuleType]) -> "Worker":
        """Takes functions that were decorated with @task(KIND), or all there are of a module."""
        for one in decorated:
            found = [value for value in vars(one).values() if options_of(value) is not None] \
                if isinstance(one, ModuleType) else [one]
            if not found:
                raise ValueError(f"no function of {one!r} is decorated with @task(KIND)")
            for function in found:
                options = options_of(function)
                if options is None:
                    raise ValueError(f"{function!r} is not decorated with @task(KIND)")
                self._handlers[options.kind] = Handler.of(options.kind, function)
        return self

    def allow_calls(self, *modules: str, pickle: bool = False) -> "Worker":
        """Runs what an Executor submits: functions of these modules and of those below them, by
        name. With `pickle` arguments may come pickled, which lets every producer run any code
        here: only where all of them may."""
        if not modules:
            raise ValueError("allow_calls() needs the modules whose functions may be called")
        call = functools.partial(_calls.run_call, tuple(modules), pickle)
        self._handlers[_calls.KIND] = Handler(_calls.KIND, call, False, False)
        return self

    def run(self, handle_signals: bool = True) -> None:
        """Works until stop(), SIGTERM or SIGINT: what runs is then finished, the rest goes back.
        A second signal ends it at once. Raises ServerError when the server refuses it."""
        restore: Dict[int, Any] = {}
        if handle_signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                restore[int(number)] = signal.signal(number, lambda *_: self.stop())
        try:
            self._run(None)
        finally:
            for taken, before in restore.items():
                signal.signal(taken, before)

    async def run_async(self) -> None:
        """run() beside other things of an event loop, on which its asyncio handlers then run. To
        cancel it is to stop(): what runs is finished first."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, self._run, loop)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self.stop()
            await work
            raise

    def stop(self) -> None:
        """Wants no more work; run() ends when all it held is reported. A second call ends it at
        once: what was not reported runs elsewhere. Any thread; also from a signal handler."""
        self._stops += 1
        # Whoever was interrupted by a signal may hold the lock.
        threading.Thread(target=self._pass_on_stop, name="tidemill-stop").start()

    def _pass_on_stop(self) -> None:
        with self._lock:
            exchanges, stops = self._exchanges, self._stops
        if exchanges is not None and stops == 1:
            exchanges.drain()
        elif exchanges is not None:
            exchanges.end()

    def _run(self, loop: Optional[asyncio.AbstractEventLoop]) -> None:
        if is_being_imported():
            raise RuntimeError("worker.run() is called while a process of its pool imports the "
                               'main module; put it under if __name__ == "__main__":')
        if not self._handlers:
            raise ValueError("a worker needs a handler: @worker.task(KIND)")
        slots = self.slots or os.cpu_count() or 1
        client = self.client or Client()
        exchanges = Exchanges(client.address, self._handlers, slots, self.patience)

        def done(held: Held, report: Report) -> None:
            exchanges.finish(held, _fitting(client, report))

        callers = self._callers(slots, exchanges.fail)
        loops = None
        if any(handler.is_async for handler in self._handlers.values()):
            loops = Loop(exchanges.mutex, done, loop)
        runners = Both(Slots(exchanges.mutex, callers, done), loops)
        with self._lock:
            self._exchanges = exchanges
            if self._stops:
                exchanges.ended = True
        try:
            exchanges.run(runners)
        finally:
            with self._lock:
                self._exchanges, self._stops = None, 0
            for caller in callers if exchanges.ended else ():
                if isinstance(caller, InProcess):
                    caller.kill()
            runners.close(wait=not exchanges.ended)

    def _callers(self, slots: int, on_broken: Callable[[BaseException], None]) -> List[Caller]:
        if not self.processes:
            return [InThread() for _ in range(slots)]
        check_sendable(self._handlers)
        method = self.processes if isinstance(self.processes, str) else ""
        options = PoolOptions(method, self._pool.grace, self._pool.recycle_calls,
                              self._pool.recycle_bytes)
        children = [InProcess(self._handlers, options, on_broken) for _ in range(slots)]
        try:
            with concurrent.futures.ThreadPoolExecutor(min(slots, 8)) as starters:
                list(starters.map(InProcess.start, children))
        except BaseException:
            for child in children:
                child.close()
            raise
        return list(children)


def _fitting(client: Client, report: Report) -> Report:
    """A large result is stored beside the report, before it."""
    if not report.is_large:
        return report
    try:
        blob = client.request("POST", "/v1/blobs", report.result, repeat=True)
        report.blob, report.result = _calls.to_json(blob), b""
    except ServerError as error:
        return failed("result", f"the result could not be stored: {error}")
    return report
