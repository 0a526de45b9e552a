"""Client: what producers and operators ask of a server, for code that blocks."""
from __future__ import annotations

import ssl
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Union

from . import _verbs as verbs
from ._address import Address
from ._answers import DEAF, Request
from ._http import Connection
from ._pauses import Budget, Pauses
from .errors import Unavailable
from .tasks import AnyTask, Outcome, Retry


class Client:
    """The verbs of producers and operators. May be used by any number of threads; each has a
    connection of its own, which is kept."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None,
                 patience: float = 30.0, *, ca: Optional[str] = None,
                 tls: Optional[ssl.SSLContext] = None) -> None:
        """`patience`: seconds for which requests that can be repeated are, when nobody answers.

        `url`, `token` and `ca` (a PEM file to trust the server by) are TIDEMILL_SERVER,
        TIDEMILL_TOKEN and TIDEMILL_TLS_CA when they are not given; `tls` is a context of your own.
        """
        self.address = Address.of(url, token, ca, tls)
        self.patience = patience
        self._budget = Budget()
        self._local = threading.local()

    @property
    def url(self) -> str:
        """The server's address."""
        return self.address.url

    # ---- tasks ----

    def spawn(self, kind: Union[str, Callable[..., Any]], input: Any = None, *,
              queue: Optional[str] = None, priority: Optional[int] = None,
              needs_slot: Optional[bool] = None, run_at: Any = None,
              delay_ms: Optional[float] = None, timeout_ms: Optional[float] = None,
              deadline: Any = None, retry: Optional[Retry] = None,
              after: Optional[Sequence[str]] = None, after_any_outcome: Optional[bool] = None,
              concurrency_key: Optional[str] = None, idempotency_key: Optional[str] = None) -> str:
        """Spawns one task, durably; its id. `kind`: its name, or the function decorated with it."""
        more = {key: value for key, value in locals().items()
                if key not in ("self", "kind", "input")}
        return self.run(verbs.spawn_many([verbs.task_of(kind, input, more)]))[0]

    def spawn_many(self, tasks: Iterable[AnyTask]) -> List[str]:
        """Spawns tasks as docs/protocol.md describes them (see TaskSpec); their ids, in order.

        Sent again when no answer came and every task has an idempotency key.
        """
        return self.run(verbs.spawn_many(tasks))

    def wait(self, id: str, timeout: Optional[float] = None) -> Outcome:
        """The outcome of one task. Raises TimeoutError."""
        return self.wait_all([id], timeout)[0]

    def wait_all(self, ids: Sequence[str], timeout: Optional[float] = None) -> List[Outcome]:
        """The outcomes of all, in order. Raises TimeoutError when one is still open."""
        return self.run(verbs.wait_all(ids, timeout))

    def spawn_array(self, kind: Union[str, Callable[..., Any]],
                    items: Optional[Sequence[Any]] = None, *, count: Optional[int] = None,
                    **more: Any) -> str:
        """Spawns many tasks of one shape as one record; its id. Each index gets its item as the
        input, or with `count` what they share, and its number as `ctx.index`. `more` as
        docs/protocol.md lists it: input, queue, priority, max_in_flight, max_failed, …"""
        return self.run(verbs.spawn_array(kind, items, count, more))

    def wait_array(self, id: str, timeout: Optional[float] = None) -> Dict[str, Any]:
        """How an array ended: done, failed, cancelled, … Raises TimeoutError."""
        return self.run(verbs.wait_array(id, timeout))

    def array_results(self, id: str) -> List[Any]:
        """The results in the order of the indexes; None where there is none."""
        return self.run(verbs.array_results(id))

    def task(self, id: str) -> Dict[str, Any]:
        """One task in full."""
        return self.run(verbs.task(id))

    def cancel(self, id: str, now: bool = False) -> bool:
        """True when it is cancelled already; False when its worker was asked."""
        return self.run(verbs.cancel(id, now))

    def retry(self, id: str) -> int:
        """Opens the next round of a task that has ended; its number."""
        return self.run(verbs.retry(id))

    # ---- queues ----

    def configure_queue(self, name: str, **policies: Any) -> None:
        """Policies as docs/protocol.md lists them; what is not named has its usual value."""
        self.run(verbs.configure_queue(name, policies))

    def pause_queue(self, name: str) -> None:
        """Nothing more of it is handed out, until resume_queue()."""
        self.run(verbs.pause_queue(name))

    def resume_queue(self, name: str) -> None:
        self.run(verbs.resume_queue(name))

    # ---- requests ----

    def request(self, method: str, target: str, body: Any = None, *, repeat: bool = False,
                timeout: float = DEAF) -> Any:
        """Any request of docs/protocol.md and the JSON of its answer; with `repeat` it is sent
        again, with growing pauses, until one answers or the client's patience is over."""
        return self._answer(Request(method, target, body, repeat, timeout))

    def close(self) -> None:
        """Closes the connection of this thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, verb: "verbs.Verb[verbs.T]") -> "verbs.T":
        """Carries out one of the package's verbs."""
        answer: Any = None
        while True:
            try:
                request = verb.send(answer)
            except StopIteration as end:
                result: verbs.T = end.value
                return result
            answer = self._answer(request)

    def _answer(self, request: Request) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = Connection(self.address)
        end = time.monotonic() + self.patience
        pauses = Pauses(self._budget)
        while True:
            try:
                return connection.ask(request)
            except Unavailable as error:
                pause = pauses.next(error.retry_after)
                if not request.repeat or time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
