"""What a request is, and what its answer means. No I/O: Client and AsyncClient share it."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Optional

from .errors import Malformed, ServerError, Unavailable

DEAF = 60.0  # seconds after which an answer that takes no time is missing


@dataclass(frozen=True)
class Request:
    """One request; with `repeat` it is sent again when no answer came."""

    method: str
    target: str
    body: Any = None  # bytes as they are, all else as JSON
    repeat: bool = False
    timeout: float = DEAF

    def content(self) -> Optional[bytes]:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, allow_nan=False, separators=(",", ":")).encode()


def understood(status: int, retry_after: Optional[str], content: bytes) -> Any:
    """The JSON of a good answer; raises ServerError, Unavailable or Malformed."""
    try:
        body = json.loads(content) if content else {}
    except ValueError as error:
        raise Malformed(f"an answer with status {status} that is no JSON: {error}; "
                        "is a Tidemill server at this address?", status) from None
    if 200 <= status < 300:
        return body
    told = body.get("error") if isinstance(body, dict) else None
    told = told if isinstance(told, dict) else {}
    message = str(told.get("message", f"status {status}"))
    if status in (502, 503, 504) and told.get("code") in (None, "unavailable"):
        raise Unavailable(message, status, _seconds(retry_after))
    if "code" not in told:
        raise Malformed(f"status {status} without a code; is a Tidemill server at this address?",
                        status)
    raise ServerError(str(told["code"]), message, status)


def _seconds(retry_after: Optional[str]) -> float:
    try:
        return min(60.0, max(0.0, float(retry_after or 0)))
    except ValueError:
        return 0.0
