"""Context: what a handler may know of its attempt beside the input."""
from __future__ import annotations

import threading
from typing import Optional

from .errors import Cancelled

_making = threading.Lock()  # of events: one for all contexts, held for a moment


class Context:
    """One attempt, as its handler sees it. Any thread of the handler may use it.

    The worker renews the lease while the handler runs, however long. When the attempt is to stop
    (somebody cancelled the task, its time is over, its lease was lost) `cancelled` turns true: a
    handler in a thread should look now and then, one in a process is ended after a grace, an
    asyncio handler gets CancelledError.
    """

    def __init__(self, task: str, queue: str, kind: str, attempt: int,
                 index: Optional[int] = None) -> None:
        self.task = task  # id; of the array when there is an index
        self.index = index  # in an array
        self.queue = queue
        self.kind = kind
        self.attempt = attempt  # number of this try, from 1
        self._reason = ""
        self._event: Optional[threading.Event] = None  # made when somebody waits for it

    @property
    def cancelled(self) -> bool:
        """Whether the attempt is to stop."""
        return self._reason != ""

    @property
    def reason(self) -> str:
        """Why: `cancelled`, `timeout`, `lease_lost`; empty when it may go on."""
        return self._reason

    def check(self) -> None:
        """Raises Cancelled when the attempt is to stop. To be called now and then in long work."""
        if self._reason:
            raise Cancelled(self._reason, f"task {self.task}: {self._reason}")

    def wait(self, seconds: Optional[float] = None) -> bool:
        """Waits so long, or until the attempt is to stop; whether it is."""
        with _making:
            if self._event is None:
                self._event = threading.Event()
                if self._reason:
                    self._event.set()
        return self._event.wait(seconds)

    def stop(self, reason: str) -> None:
        """Called by the worker."""
        with _making:
            self._reason = self._reason or reason
            if self._event is not None:
                self._event.set()
