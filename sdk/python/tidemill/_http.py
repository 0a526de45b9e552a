"""One connection to the server, for code that blocks: http.client, made safe to keep alive."""
from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from typing import Any, Optional

from ._address import Address
from ._answers import Request, understood
from .errors import Unavailable

IDLE = 45.0  # seconds; the server closes connections that were idle for 60
CONNECT = 10.0  # seconds for a connection to be made


class Connection:
    """One request at a time, from one thread; abort() from any."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._http: Optional[http.client.HTTPConnection] = None
        self._used = 0.0
        self._aborted = False
        self._lock = threading.Lock()

    def ask(self, request: Request) -> Any:
        """The JSON of the answer. Raises Unavailable when there is none, or another ServerError."""
        http_ = self._http
        try:
            if http_ is None or self._is_stale(http_):
                self.close()
                http_ = self._connect()
            assert http_.sock is not None
            http_.sock.settimeout(request.timeout)
            http_.request(request.method, request.target, request.content(),
                          self._address.headers)
            answer = http_.getresponse()
            content = answer.read()
            if answer.will_close:
                self.close()
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise self._address.distrusted(error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            said = str(error) or type(error).__name__
            raise Unavailable(f"{self._address.url}: {said}") from error
        self._used = time.monotonic()
        return understood(answer.status, answer.getheader("Retry-After"), content)

    def abort(self) -> None:
        """Ends the request that waits, and refuses all later ones."""
        with self._lock:
            self._aborted = True
            sock = self._http.sock if self._http is not None else None
            if sock is not None:
                try:
                    # Of the socket below TLS, which must not be used by two threads at once.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended already

    def close(self) -> None:
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None

    def __del__(self) -> None:
        self.close()  # its thread has ended

    def _connect(self) -> http.client.HTTPConnection:
        at = self._address
        if at.tls is not None:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                at.host, at.port, timeout=CONNECT, context=at.tls)
        else:
            made = http.client.HTTPConnection(at.host, at.port, timeout=CONNECT)
        made.connect()
        with self._lock:
            if self._aborted:
                made.close()
                raise Unavailable("the connection was given up")
            self._http = made
        return made

    def _is_stale(self, http_: http.client.HTTPConnection) -> bool:
        """Whether the server has closed it, or is about to: a request would be lost on it."""
        if http_.sock is None or time.monotonic() - self._used > IDLE:
            return True
        http_.sock.settimeout(0)
        try:
            http_.sock.recv(1)  # either its end, or an answer that nobody asked for
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            pass
        return True
