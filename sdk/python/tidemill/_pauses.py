"""Pauses between tries: they grow, are uneven so that many clients do not come back at once, and
keep to a budget. Any thread."""
from __future__ import annotations

import random
import threading
import time
from typing import Optional

FIRST, LONGEST = 0.02, 2.0  # seconds


class Budget:
    """What all requests of one client may repeat together: `rate` a second, `burst` at once."""

    def __init__(self, rate: float = 20.0, burst: int = 20) -> None:
        self._every = 1.0 / rate
        self._ahead = burst * self._every
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self, now: Optional[float] = None) -> float:
        """Takes one; the seconds until it may be used."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self._next = max(self._next, now - self._ahead) + self._every
            return max(0.0, self._next - now)


class Pauses:
    """The pauses of one request that is tried again and again."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pause = FIRST

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait before the next try; `at_least` is what the server asked for."""
        uneven = random.uniform(self._pause / 2, self._pause)
        self._pause = min(LONGEST, self._pause * 2)
        return max(uneven, at_least, self._budget.take())
