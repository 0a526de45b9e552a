"""Handlers: functions that run tasks of a kind, and how they are called.

    @task("resize", retry={"max_attempts": 5}, timeout=30)
    def resize(input, ctx):
        ...

A handler gets the input, and the Context too when its second parameter is required or is called
`ctx` or `context`. `retry`, `timeout` (seconds) and `queue` are what `client.spawn(resize, …)`
spawns it with; they travel with the task, so they hold for every worker.
"""
from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional, TypeVar

from .tasks import Retry

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__tidemill_task__"


@dataclass(frozen=True)
class Options:
    """What a decorator said: the kind, and fields of the tasks that are spawned by the function."""

    kind: str
    defaults: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """A function as a worker calls it."""

    kind: str
    function: Callable[..., Any]
    wants_context: bool
    is_async: bool

    @staticmethod
    def of(kind: str, function: Callable[..., Any]) -> "Handler":
        called = getattr(function, "__call__", None)
        is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
        return Handler(kind, function, _wants_context(function), is_async)


def task(kind: str, *, retry: Optional[Retry] = None, timeout: Optional[float] = None,
         queue: Optional[str] = None) -> Callable[[F], F]:
    """Marks a function as the handler of a kind; Worker.add() and `python -m tidemill worker
    MODULE` take it. The function itself stays as it is."""
    options = options_from(kind, retry, timeout, queue)

    def mark(function: F) -> F:
        setattr(function, MARK, options)
        return function

    return mark


def options_from(kind: str, retry: Optional[Retry], timeout: Optional[float],
                 queue: Optional[str]) -> Options:
    if not isinstance(kind, str) or not kind:
        raise ValueError("a handler needs the kind of its tasks: @task(KIND)")
    defaults: Dict[str, Any] = {}
    if retry is not None:
        defaults["retry"] = retry
    if timeout is not None:
        defaults["timeout_ms"] = timeout * 1000
    if queue is not None:
        defaults["queue"] = queue
    return Options(kind, defaults)


def options_of(function: Any) -> Optional[Options]:
    """What the decorator said of this function; None when there was none."""
    found = getattr(function, MARK, None)
    return found if isinstance(found, Options) else None


def _wants_context(function: Callable[..., Any]) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of some functions in C nobody knows
        return False
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(places) < 2:
        return False
    return places[1].default is inspect.Parameter.empty or places[1].name in ("ctx", "context")
