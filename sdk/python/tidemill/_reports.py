"""How an attempt ended, on its way from a handler to the server.

A result is encoded once, where it was made (in a process of the pool when there is one), and
travels as text.
"""
from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass
from typing import Any, Callable, Optional, Tuple

from ._results import Unrepresentable, to_json
from .errors import Cancelled, Failure

INLINE = 64 * 1024  # bytes of a result that fit into a report
SAID = 16 * 1024  # bytes of an error that are worth keeping


@dataclass
class Report:
    """`kind` as in docs/protocol.md; `ran` is when it began and ended, by time.monotonic(), and
    the CPU time it took."""

    kind: str
    result: bytes = b""  # JSON
    blob: bytes = b""  # JSON: where a large result lies
    error_kind: str = ""
    message: str = ""
    retryable: bool = True
    ran: Optional[Tuple[float, float, float]] = None

    @property
    def is_large(self) -> bool:
        """Whether the result must be stored beside the report, before it."""
        return len(self.result) > INLINE

    def text(self, ref: bytes, received: float) -> bytes:
        """The JSON of the report; `ref` is that of what names the work, without its braces."""
        parts = [b'{"kind":"', self.kind.encode(), b'",', ref]
        if self.kind == "failed":
            said = {"kind": self.error_kind, "message": self.message, "retryable": self.retryable}
            parts += [b',"error":', json.dumps(said).encode()]
        elif self.kind == "done":
            parts += [b',"blob":', self.blob] if self.blob else [b',"result":', self.result]
        if self.ran is not None:
            began, ended, cpu = self.ran
            parts.append(b',"trace":{"started_us":%d,"finished_us":%d,"cpu_us":%d}' % (
                max(0.0, began - received) * 1e6, max(0.0, ended - received) * 1e6, cpu * 1e6))
        parts.append(b"}")
        return b"".join(parts)


def returned() -> Report:
    return Report("returned")


def failed(kind: str, message: str, retryable: bool = True) -> Report:
    text = message.encode("utf-8", "replace")
    if len(text) > SAID:
        message = "…" + text[-SAID:].decode("utf-8", "ignore")
    else:
        message = text.decode()
    return Report("failed", error_kind=kind or "error", message=message, retryable=retryable)


def stopped(reason: str) -> Report:
    """Of an attempt that was to stop, and did."""
    if reason == "timeout":
        return failed("timeout", "the attempt took longer than its timeout")
    return failed("cancelled", "the handler stopped", retryable=False)


def of_result(value: Any) -> Report:
    try:
        return Report("done", to_json(value))
    except Unrepresentable as error:
        return failed("result", str(error))


def of_exception(error: BaseException) -> Report:
    if isinstance(error, Cancelled):
        return stopped(error.code)
    if isinstance(error, Failure):
        return failed(error.kind, error.message, error.retryable)
    return failed("python", "".join(
        traceback.format_exception(type(error), error, error.__traceback__, limit=-20)))


def of_call(call: Callable[[], Any]) -> Report:
    """Calls, and says how it went. SystemExit of a handler is a failure, too: one handler must
    not end the others."""
    began, cpu = time.monotonic(), time.thread_time()
    try:
        report = of_result(call())
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except
        report = of_exception(error)
    report.ran = (began, time.monotonic(), time.thread_time() - cpu)
    return report
