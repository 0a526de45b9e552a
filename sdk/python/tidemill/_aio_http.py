"""A small HTTP/1.1 client over asyncio streams: what a Tidemill server needs, and no more.

Connections are kept and used again; each carries one request at a time. A request that is given up
(cancelled, out of time) closes its connection, which the server notices at once.
"""
from __future__ import annotations

import asyncio
import select
import ssl
import time
from typing import Any, Dict, List, Optional, Tuple

from ._address import Address
from ._answers import Request, understood
from .errors import Malformed, Unavailable

IDLE = 45.0  # seconds; the server closes connections that were idle for 60
CONNECT = 10.0
HEAD = 64 * 1024  # bytes
BODY = 1 << 30
KEPT = 64  # idle connections


class _Broken(Exception):
    """What came is no HTTP/1.1."""


class Connections:
    """All connections to one server; of one event loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: List[_Stream] = []
        self._closed = False

    async def ask(self, request: Request) -> Any:
        """The JSON of the answer. Raises Unavailable when there is none, or another ServerError."""
        try:
            status, headers, content = await asyncio.wait_for(
                self._exchange(request), request.timeout)
        except asyncio.TimeoutError:
            raise Unavailable(f"{self._address.url}: no answer in {request.timeout:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise self._address.distrusted(error) from error
        except (_Broken, asyncio.LimitOverrunError, ValueError) as error:
            raise Malformed(f"{self._address.url}: {error}") from error
        except (OSError, EOFError) as error:
            raise Unavailable(f"{self._address.url}: {error or type(error).__name__}") from error
        return understood(status, headers.get("retry-after"), content)

    async def close(self) -> None:
        self._closed = True
        idle, self._idle = self._idle, []
        for stream in idle:
            stream.close()
        await asyncio.gather(*(stream.closed() for stream in idle))

    async def _exchange(self, request: Request) -> Tuple[int, Dict[str, str], bytes]:
        stream = await self._stream()
        keep = False
        try:
            stream.send(request, self._address)
            await stream.writer.drain()
            status, headers, content = await stream.receive()
            keep = headers.get("connection", "").lower() != "close" and not stream.ended
        finally:
            if keep and not self._closed and len(self._idle) < KEPT:
                stream.used = time.monotonic()
                self._idle.append(stream)
            else:
                stream.close()
        return status, headers, content

    async def _stream(self) -> "_Stream":
        while self._idle:
            stream = self._idle.pop()
            if not stream.is_stale():
                return stream
            stream.close()
        at = self._address
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(at.host, at.port, ssl=at.tls, limit=HEAD), CONNECT)
        return _Stream(reader, writer)


class _Stream:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.used = time.monotonic()
        self.ended = False  # the body went to the end of the connection

    def is_stale(self) -> bool:
        if self.reader.at_eof() or self.writer.is_closing():
            return True
        return time.monotonic() - self.used > IDLE or self._has_news()

    def _has_news(self) -> bool:
        """Whether the loop has not seen yet that the server closed it; nothing else comes unasked
        (but for what TLS says to itself, and then a new connection does no harm)."""
        socket = self.writer.get_extra_info("socket")
        if socket is None or not hasattr(select, "poll"):
            return False
        look = select.poll()
        look.register(socket.fileno(), select.POLLIN | select.POLLHUP)
        return bool(look.poll(0))

    def close(self) -> None:
        self.writer.close()

    async def closed(self) -> None:
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 1)
        except (OSError, asyncio.TimeoutError):
            pass  # it is gone in any case

    def send(self, request: Request, address: Address) -> None:
        content = request.content()
        host = f"[{address.host}]" if ":" in address.host else address.host
        lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {host}:{address.port}"]
        lines += [f"{name}: {value}" for name, value in address.headers.items()]
        if content is not None or request.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(content or b'')}")
        self.writer.write("\r\n".join(lines + ["", ""]).encode("ascii") + (content or b""))

    async def receive(self) -> Tuple[int, Dict[str, str], bytes]:
        while True:
            status, headers = _head(await self.reader.readuntil(b"\r\n\r\n"))
            if status >= 200:  # those before are interim answers
                return status, headers, await self._body(status, headers)

    async def _body(self, status: int, headers: Dict[str, str]) -> bytes:
        if status in (204, 304):
            return b""
        coding = headers.get("transfer-encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise _Broken(f"the transfer coding {coding!r} is not known")
            return await self._chunks()
        length = _length(headers.get("content-length"))
        if length is None:
            self.ended = True
            return await self._rest()
        return await self.reader.readexactly(length)

    async def _chunks(self) -> bytes:
        parts: List[bytes] = []
        left = BODY
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0].strip(), 16)
            left -= size
            if size < 0 or left < 0:
                raise _Broken("the answer is too large")
            if size == 0:
                while await self.reader.readuntil(b"\r\n") != b"\r\n":
                    pass  # fields behind the body say nothing to us
                return b"".join(parts)
            parts.append(await self.reader.readexactly(size))
            if await self.reader.readexactly(2) != b"\r\n":
                raise _Broken("a chunk is longer than it says")

    async def _rest(self) -> bytes:
        parts: List[bytes] = []
        left = BODY
        while True:
            part = await self.reader.read(1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise _Broken("the answer is too large")


def _head(text: bytes) -> Tuple[int, Dict[str, str]]:
    lines = text.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise _Broken(f"{lines[0][:80]!r} is no answer of HTTP/1.1")
    headers: Dict[str, str] = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon:
            raise _Broken(f"{line[:80]!r} is no field of a header")
        if name.lower() == "content-length" and headers.get("content-length") is not None:
            raise _Broken("two lengths")
        headers[name.lower()] = value.strip()
    return int(words[1]), headers


def _length(said: Optional[str]) -> Optional[int]:
    if said is None:
        return None
    if not (said.isascii() and said.isdigit()) or int(said) > BODY:
        raise _Broken(f"{said[:80]!r} is no length of a body")
    return int(said)
