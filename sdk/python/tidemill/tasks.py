"""The words of the protocol as types: what a task is spawned with, and how it ends."""
from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Mapping, Sequence, TypedDict, Union

from .errors import TaskCancelled, TaskFailed


class Retry(TypedDict, total=False):
    """When and how often a failed attempt is tried again (docs/protocol.md)."""

    max_attempts: int
    max_crashes: int
    backoff: str  # none, fixed, linear, exponential
    delay_ms: float
    delay_cap_ms: float
    jitter_percent: float
    fatal_kinds: Sequence[str]


class _Kind(TypedDict):
    kind: str


class TaskSpec(_Kind, total=False):
    """A task to be spawned; only `kind` must be there. docs/protocol.md says what each means."""

    input: Any
    queue: str
    priority: int
    needs_slot: bool
    run_at: Union[str, datetime.datetime]
    delay_ms: float
    timeout_ms: float
    deadline: Union[str, datetime.datetime]
    retry: Retry
    after: Sequence[str]
    after_any_outcome: bool
    concurrency_key: str
    idempotency_key: str


# Also what a newer server knows may be said: unknown fields are refused by the server, by name.
AnyTask = Union[TaskSpec, Mapping[str, Any]]


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
        if self.outcome == "cancelled":
            raise TaskCancelled(self)
        if self.outcome != "done":
            raise TaskFailed(self)
        return self.value


def instant_text(when: Union[str, datetime.datetime]) -> str:
    """As the protocol writes instants. A datetime without a zone is local time, as in Python."""
    if isinstance(when, str):
        return when
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
