"""Client: what producers ask of a server. Each thread has a connection of its own."""
from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Iterable, Optional, Sequence
from urllib.parse import quote, urlsplit

BATCH = 10_000  # tasks of one request
WAIT = 60.0  # seconds that one question waits at the server


class ServerError(Exception):
    """The server refused: `code` says why, the text what to do."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Unavailable(ServerError):
    """Nobody there, or no answer: what was asked may have been done."""

    def __init__(self, message: str):
        super().__init__("unavailable", message)


class TaskFailed(Exception):
    """A task ended, and not `done`."""

    def __init__(self, outcome: "Outcome"):
        super().__init__(f"task {outcome.id} is {outcome.outcome}: {outcome.message}")
        self.outcome = outcome


@dataclass(frozen=True)
class Outcome:
    """How a task ended; `outcome` is open, done, failed or cancelled."""

    id: str
    outcome: str
    value: Any = None
    kind: str = ""  # of the error
    message: str = ""

    @property
    def result(self) -> Any:
        """Of a task that is done. Raises TaskFailed for one that is not."""
        if self.outcome != "done":
            raise TaskFailed(self)
        return self.value


class Client:
    """The verbs of producers and operators. May be used by any number of threads."""

    def __init__(self, url: str = "http://127.0.0.1:7117", token: Optional[str] = None,
                 patience: float = 30.0):
        """`patience`: seconds for which requests that can be repeated are, when nobody answers."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ValueError(f"{url!r} is no address of a server; http://HOST:PORT is one")
        self.url = url
        self._host, self._port = parts.hostname, parts.port
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._patience = patience
        self._local = threading.local()

    # ---- tasks ----

    def spawn(self, kind: str, input: Any = None, **more: Any) -> str:
        """Spawns one task, durably; its id. `more`: queue, priority, delay_ms, after, retry, …"""
        return self.spawn_many([{"kind": kind, "input": input, **more}])[0]

    def spawn_many(self, tasks: Iterable[dict]) -> list[str]:
        """Spawns tasks as docs/protocol.md describes them; their ids, in order.

        Sent again when no answer came and every task has an idempotency key.
        """
        waiting = list(tasks)
        ids: list[str] = []
        for at in range(0, len(waiting), BATCH):
            some = waiting[at:at + BATCH]
            once = all("idempotency_key" in task for task in some)
            body = self.request("POST", "/v1/tasks", {"tasks": some}, repeat=once)
            ids += [task["id"] for task in body["tasks"]]
        return ids

    def wait(self, id: str, timeout: Optional[float] = None) -> Outcome:
        """The outcome of one task. Raises TimeoutError."""
        return self.wait_all([id], timeout)[0]

    def wait_all(self, ids: Sequence[str], timeout: Optional[float] = None) -> list[Outcome]:
        """The outcomes of all, in order. Raises TimeoutError when one is still open."""
        end = None if timeout is None else time.monotonic() + timeout
        found: dict[str, Outcome] = {}
        while True:
            left = [id for id in ids if id not in found][:BATCH]
            if not left:
                return [found[id] for id in ids]
            seconds = WAIT if end is None else min(WAIT, end - time.monotonic())
            if seconds <= 0:
                raise TimeoutError(f"{len(left)} of {len(ids)} tasks have not ended")
            body = self.request("POST", "/v1/tasks/wait",
                                {"ids": left, "timeout_ms": seconds * 1000}, repeat=True,
                                timeout=seconds + 30)
            for one in body["outcomes"]:
                if one.get("unknown"):
                    raise ServerError("not_found", f"there is no task {one['id']}")
                if one["outcome"] != "open":
                    found[one["id"]] = self._outcome(one)

    def task(self, id: str) -> dict:
        """One task in full."""
        return self.request("GET", f"/v1/tasks/{id}", repeat=True)

    def cancel(self, id: str, now: bool = False) -> bool:
        """True when it is cancelled already; False when its worker was asked."""
        return self.request("POST", f"/v1/tasks/{id}/cancel" + "?now=true" * now)["at_once"]

    def retry(self, id: str) -> int:
        """Opens the next round of a task that has ended; its number."""
        return self.request("POST", f"/v1/tasks/{id}/retry")["round"]

    # ---- queues ----

    def configure_queue(self, name: str, **policies: Any) -> None:
        self.request("PUT", f"/v1/queues/{quote(name, safe='')}", policies, repeat=True)

    def pause_queue(self, name: str) -> None:
        self.request("POST", f"/v1/queues/{quote(name, safe='')}/pause", repeat=True)

    def resume_queue(self, name: str) -> None:
        self.request("POST", f"/v1/queues/{quote(name, safe='')}/resume", repeat=True)

    # ---- requests ----

    def request(self, method: str, target: str, body: Any = None, *, repeat: bool = False,
                timeout: float = 60.0) -> Any:
        """One request and its JSON; with `repeat` again, with growing pauses, until one answers."""
        text = None if body is None else json.dumps(body)
        end = time.monotonic() + self._patience
        pause = 0.02
        while True:
            try:
                return self._ask(method, target, text, timeout)
            except Unavailable:
                if not repeat or time.monotonic() > end:
                    raise
            time.sleep(pause)
            pause = min(1.0, pause * 2)

    def _ask(self, method: str, target: str, text: Optional[str], timeout: float) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self._host, self._port)
        try:
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            connection.request(method, target, text, self._headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._local.connection = None
            raise Unavailable(f"{self.url}: {error or type(error).__name__}") from error
        return self._understood(answer.status, content)

    @staticmethod
    def _understood(status: int, content: bytes) -> Any:
        body = json.loads(content) if content else {}
        if 200 <= status < 300:
            return body
        error = body.get("error", {})
        message = error.get("message", f"status {status}")
        if status == 503:
            raise Unavailable(message)
        raise ServerError(error.get("code", "io"), message)

    def _outcome(self, one: dict) -> Outcome:
        error = one.get("error", {})
        value = one.get("result")
        if "blob" in one:
            value = self.request("GET", f"/v1/tasks/{one['id']}/result", repeat=True)
        return Outcome(one["id"], one["outcome"], value, error.get("kind", ""),
                       error.get("message", ""))
