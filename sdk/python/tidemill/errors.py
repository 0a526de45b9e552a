"""What can go wrong, each with a `code` to tell it by. Those of the server are in docs/errors/."""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tasks import Outcome


class TidemillError(Exception):
    """The base of all errors of this package; `code` is a word that programs can compare."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ServerError(TidemillError):
    """The server refused, and nothing was changed: `code` says why, the text what to do."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(code, message)
        self.status = status  # of HTTP; 0 when there was none


class Unavailable(ServerError):
    """Nobody there, too busy, or no answer: what was asked may have been done."""

    def __init__(self, message: str, status: int = 0, retry_after: float = 0.0,
                 code: str = "unavailable") -> None:
        super().__init__(code, message, status)
        self.retry_after = retry_after  # seconds the server asked to wait


class Malformed(Unavailable):
    """What came back is no answer of a Tidemill server (a proxy, another service)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message, status, code="malformed")


class TaskFailed(TidemillError):
    """A task ended, and not `done`; `code` is the kind of its error."""

    def __init__(self, outcome: "Outcome") -> None:
        said = f": {outcome.message}" if outcome.message else ""
        super().__init__(outcome.kind or outcome.outcome,
                         f"task {outcome.id} is {outcome.outcome}{said}")
        self.outcome = outcome


class TaskCancelled(TaskFailed):
    """A task was cancelled before it was done."""


class Failure(TidemillError):
    """Raised by a handler: the attempt failed with this kind, and is tried again if retryable."""

    def __init__(self, kind: str, message: str = "", retryable: bool = True) -> None:
        super().__init__(kind, message or kind)
        self.kind, self.message, self.retryable = kind, message or kind, retryable


class Cancelled(TidemillError):
    """Raised by Context.check() in a handler whose attempt is to stop; let it through."""


class NotSendable(TidemillError, TypeError):
    """An Executor was given a function or an argument that cannot travel to a worker."""

    def __init__(self, message: str) -> None:
        super().__init__("not_sendable", message)
