"""The verbs of producers and operators, once for both clients.

Each is a generator: it yields requests, is sent the JSON of their answers, and returns what the
caller wants. So Client drives it with sockets that block, AsyncClient with asyncio.
"""
from __future__ import annotations

import time
from typing import (Any, Callable, Dict, Generator, Iterable, List, Optional, Sequence, TypeVar,
                    Union)
from urllib.parse import quote

from ._answers import Request
from .errors import Malformed, ServerError
from .handlers import options_of
from .tasks import AnyTask, Outcome, instant_text

BATCH = 10_000  # tasks of one request
WAIT = 60.0  # seconds that one question waits at the server
T = TypeVar("T")
Verb = Generator[Request, Any, T]


def task_of(kind: Union[str, Callable[..., Any]], input: Any, more: Dict[str, Any]) -> AnyTask:
    """A task by its kind, or by the function that was decorated as its handler."""
    said: Dict[str, Any] = {name: value for name, value in more.items() if value is not None}
    if isinstance(kind, str):
        said.update(kind=kind, input=input)
        return said
    options = options_of(kind)
    if options is None:
        raise ValueError(f"{kind!r} is no handler; decorate it with @task(KIND), or name the kind")
    defaults = dict(options.defaults)
    defaults.update(said, kind=options.kind, input=input)
    return defaults


def spawn_many(tasks: Iterable[AnyTask]) -> Verb[List[str]]:
    waiting = [_sent(task) for task in tasks]
    ids: List[str] = []
    for at in range(0, len(waiting), BATCH):
        some = waiting[at:at + BATCH]
        once = all("idempotency_key" in task for task in some)
        body = yield Request("POST", "/v1/tasks", {"tasks": some}, repeat=once)
        try:
            got = [str(task["id"]) for task in body["tasks"]]
        except (TypeError, KeyError, IndexError) as error:
            raise Malformed(f"the answer to a spawn: {error!r}") from None
        if len(got) != len(some):
            raise Malformed(f"the answer to a spawn of {len(some)} tasks names {len(got)}")
        ids += got
    return ids


def _sent(task: AnyTask) -> Dict[str, Any]:
    sent = dict(task)
    for name in ("run_at", "deadline"):
        if sent.get(name) is not None:
            sent[name] = instant_text(sent[name])
    return sent


def wait_all(ids: Sequence[str], timeout: Optional[float]) -> Verb[List[Outcome]]:
    end = None if timeout is None else time.monotonic() + timeout
    found: Dict[str, Outcome] = {}
    left = list(dict.fromkeys(ids))
    while left:
        seconds = WAIT if end is None else min(WAIT, end - time.monotonic())
        if seconds <= 0:
            raise TimeoutError(f"{len(left)} of {len(ids)} tasks have not ended")
        found.update((yield from wait_some(left[:BATCH], "all", seconds)))
        left = [id for id in left if id not in found]
    return [found[id] for id in ids]


def wait_some(ids: Sequence[str], which: str, seconds: float) -> Verb[Dict[str, Outcome]]:
    """The outcomes of those that have ended when all (or any) have, or the time is over."""
    body = yield Request("POST", "/v1/tasks/wait",
                         {"ids": list(ids), "for": which, "timeout_ms": int(seconds * 1000)},
                         repeat=True, timeout=seconds + 30)
    found: Dict[str, Outcome] = {}
    try:
        for one in body["outcomes"]:
            if one.get("unknown"):
                raise ServerError("not_found", f"there is no task {one['id']}", 404)
            if one["outcome"] != "open":
                found[one["id"]] = yield from _outcome(one)
    except (TypeError, KeyError, AttributeError) as error:
        raise Malformed(f"the answer to a wait: {error!r}") from None
    return found


def _outcome(one: Dict[str, Any]) -> Verb[Outcome]:
    error = one.get("error", {})
    value = one.get("result")
    if "blob" in one:
        value = yield Request("GET", f"/v1/tasks/{one['id']}/result", repeat=True)
    return Outcome(one["id"], one["outcome"], value, error.get("kind", ""),
                   error.get("message", ""))


def spawn_array(kind: Union[str, Callable[..., Any]], items: Optional[Sequence[Any]],
                count: Optional[int], more: Dict[str, Any]) -> Verb[str]:
    array = dict(task_of(kind, None, more))
    if (items is None) == (count is None):
        raise ValueError("an array has items, or a count")
    array.pop("input")
    if more.get("input") is not None:
        array["input"] = more["input"]
    if items is None:
        array["count"] = count
    else:
        array["items"] = list(items)
    body = yield Request("POST", "/v1/arrays", array)
    return str(_field(body, "id"))


def wait_array(id: str, timeout: Optional[float]) -> Verb[Dict[str, Any]]:
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        seconds = WAIT if end is None else min(WAIT, max(0.0, end - time.monotonic()))
        body = yield Request("GET", f"{_array(id)}?wait_ms={int(seconds * 1000)}", repeat=True,
                             timeout=seconds + 30)
        if _field(body, "finished"):
            found: Dict[str, Any] = body
            return found
        if end is not None and time.monotonic() >= end:
            raise TimeoutError(f"array {id} has not ended")


def array_results(id: str) -> Verb[List[Any]]:
    found: List[Any] = yield Request("GET", f"{_array(id)}/result", repeat=True)
    return found


def _array(id: str) -> str:
    return f"/v1/arrays/{quote(id, safe='')}"


def task(id: str) -> Verb[Dict[str, Any]]:
    found: Dict[str, Any] = yield Request("GET", _task(id), repeat=True)
    return found


def cancel(id: str, now: bool) -> Verb[bool]:
    body = yield Request("POST", f"{_task(id)}/cancel" + "?now=true" * now)
    return bool(_field(body, "at_once"))


def retry(id: str) -> Verb[int]:
    body = yield Request("POST", f"{_task(id)}/retry")
    return int(_field(body, "round"))


def configure_queue(name: str, policies: Dict[str, Any]) -> Verb[None]:
    yield Request("PUT", f"/v1/queues/{quote(name, safe='')}", policies, repeat=True)


def pause_queue(name: str) -> Verb[None]:
    yield Request("POST", f"/v1/queues/{quote(name, safe='')}/pause", repeat=True)


def resume_queue(name: str) -> Verb[None]:
    yield Request("POST", f"/v1/queues/{quote(name, safe='')}/resume", repeat=True)


def _task(id: str) -> str:
    return f"/v1/tasks/{quote(id, safe='')}"


def _field(body: Any, name: str) -> Any:
    if not isinstance(body, dict) or name not in body:
        raise Malformed(f"an answer without `{name}`")
    return body[name]
