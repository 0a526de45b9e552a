"""AsyncClient: what producers and operators ask of a server, for asyncio."""
from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Union

from . import _verbs as verbs
from ._address import Address
from ._aio_http import Connections
from ._answers import DEAF, Request
from ._pauses import Budget, Pauses
from .client import Client
from .errors import Unavailable
from .tasks import AnyTask, Outcome, Retry


class AsyncClient:
    """The verbs of Client as coroutines. Of one event loop; any number may be under way at once,
    each on a connection of its own, which is kept. Cancelling one ends its request.

        async with AsyncClient() as client:
            print((await client.wait(await client.spawn("resize", {"file": "a.png"}))).result)
    """

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None,
                 patience: float = 30.0, *, ca: Optional[str] = None,
                 tls: Optional[ssl.SSLContext] = None) -> None:
        """As that of Client."""
        self._begin(Address.of(url, token, ca, tls), patience)

    def _begin(self, address: Address, patience: float) -> None:
        self.address = address
        self._connections = Connections(address)
        self._patience = patience
        self._budget = Budget()

    @classmethod
    def like(cls, client: Client) -> "AsyncClient":
        """To the same server, in the same way."""
        made = cls.__new__(cls)
        made._begin(client.address, client.patience)
        return made

    @property
    def url(self) -> str:
        """The server's address."""
        return self.address.url

    async def spawn(self, kind: Union[str, Callable[..., Any]], input: Any = None, *,
                    queue: Optional[str] = None, priority: Optional[int] = None,
                    needs_slot: Optional[bool] = None, run_at: Any = None,
                    delay_ms: Optional[float] = None, timeout_ms: Optional[float] = None,
                    deadline: Any = None, retry: Optional[Retry] = None,
                    after: Optional[Sequence[str]] = None,
                    after_any_outcome: Optional[bool] = None,
                    concurrency_key: Optional[str] = None,
                    idempotency_key: Optional[str] = None) -> str:
        """Spawns one task, durably; its id. `kind`: its name, or the function decorated with it."""
        more = {key: value for key, value in locals().items()
                if key not in ("self", "kind", "input")}
        return (await self.run(verbs.spawn_many([verbs.task_of(kind, input, more)])))[0]

    async def spawn_many(self, tasks: Iterable[AnyTask]) -> List[str]:
        """Spawns tasks as docs/protocol.md describes them (see TaskSpec); their ids, in order."""
        return await self.run(verbs.spawn_many(tasks))

    async def wait(self, id: str, timeout: Optional[float] = None) -> Outcome:
        """The outcome of one task. Raises TimeoutError."""
        return (await self.wait_all([id], timeout))[0]

    async def wait_all(self, ids: Sequence[str],
                       timeout: Optional[float] = None) -> List[Outcome]:
        """The outcomes of all, in order. Raises TimeoutError when one is still open."""
        return await self.run(verbs.wait_all(ids, timeout))

    async def spawn_array(self, kind: Union[str, Callable[..., Any]],
                    items: Optional[Sequence[Any]] = None, *, count: Optional[int] = None,
                    **more: Any) -> str:
        """Spawns many tasks of one shape as one record; its id. Each index gets its item as the
        input, or with `count` what they share, and its number as `ctx.index`. `more` as
        docs/protocol.md lists it: input, queue, priority, max_in_flight, max_failed, …"""
        return await self.run(verbs.spawn_array(kind, items, count, more))

    async def wait_array(self, id: str, timeout: Optional[float] = None) -> Dict[str, Any]:
        """How an array ended: done, failed, cancelled, … Raises TimeoutError."""
        return await self.run(verbs.wait_array(id, timeout))

    async def array_results(self, id: str) -> List[Any]:
        """The results in the order of the indexes; None where there is none."""
        return await self.run(verbs.array_results(id))

    async def task(self, id: str) -> Dict[str, Any]:
        """One task in full."""
        return await self.run(verbs.task(id))

    async def cancel(self, id: str, now: bool = False) -> bool:
        """True when it is cancelled already; False when its worker was asked."""
        return await self.run(verbs.cancel(id, now))

    async def retry(self, id: str) -> int:
        """Opens the next round of a task that has ended; its number."""
        return await self.run(verbs.retry(id))

    async def configure_queue(self, name: str, **policies: Any) -> None:
        """Policies as docs/protocol.md lists them; what is not named has its usual value."""
        await self.run(verbs.configure_queue(name, policies))

    async def pause_queue(self, name: str) -> None:
        """Nothing more of it is handed out, until resume_queue()."""
        await self.run(verbs.pause_queue(name))

    async def resume_queue(self, name: str) -> None:
        await self.run(verbs.resume_queue(name))

    async def request(self, method: str, target: str, body: Any = None, *, repeat: bool = False,
                      timeout: float = DEAF) -> Any:
        """Any request of docs/protocol.md and the JSON of its answer; with `repeat` it is sent
        again, with growing pauses, until one answers or the client's patience is over."""
        return await self._answer(Request(method, target, body, repeat, timeout))

    async def close(self) -> None:
        """Closes what is kept open."""
        await self._connections.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def run(self, verb: "verbs.Verb[verbs.T]") -> "verbs.T":
        """Carries out one of the package's verbs."""
        answer: Any = None
        while True:
            try:
                request = verb.send(answer)
            except StopIteration as end:
                result: verbs.T = end.value
                return result
            answer = await self._answer(request)

    async def _answer(self, request: Request) -> Any:
        end = time.monotonic() + self._patience
        pauses = Pauses(self._budget)
        while True:
            try:
                return await self._connections.ask(request)
            except Unavailable as error:
                pause = pauses.next(error.retry_after)
                if not request.repeat or time.monotonic() + pause > end:
                    raise
            await asyncio.sleep(pause)
