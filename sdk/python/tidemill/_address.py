"""Where the server is and how it knows us: address, token, TLS; from arguments or environment."""
from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Dict, Optional
from urllib.parse import urlsplit

from .errors import ServerError

PORT = 7117


@dataclass(frozen=True)
class Address:
    """One server; `tls` is None for plain HTTP. The token is in `headers` and nowhere else."""

    url: str
    host: str
    port: int
    tls: Optional[ssl.SSLContext]
    headers: Dict[str, str]

    @staticmethod
    def of(url: Optional[str], token: Optional[str], ca: Optional[str],
           tls: Optional[ssl.SSLContext]) -> "Address":
        """What is not given comes from TIDEMILL_SERVER, TIDEMILL_TOKEN and TIDEMILL_TLS_CA."""
        url = url or os.environ.get("TIDEMILL_SERVER") or f"http://127.0.0.1:{PORT}"
        token = token or os.environ.get("TIDEMILL_TOKEN")
        ca = ca or os.environ.get("TIDEMILL_TLS_CA")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} is no address of a server: {error}") from None
        if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/"):
            raise ValueError(f"{url!r} is no address of a server; http://HOST:PORT or "
                             "https://HOST:PORT is one")
        if parts.username is not None:
            raise ValueError("an address with a password in it is not used; give a token")
        headers = {"Content-Type": "application/json"}
        if token:
            if not token.isascii() or not token.isprintable() or " " in token:
                raise ValueError("the token has characters that cannot stand in a header")
            headers["Authorization"] = f"Bearer {token}"
        secure = parts.scheme == "https"
        return Address(url, host, port or PORT, _context(ca, tls) if secure else None, headers)

    def distrusted(self, error: ssl.SSLCertVerificationError) -> ServerError:
        """To try again would not help."""
        return ServerError("denied", f"the certificate of {self.url} is not trusted: "
                           f"{error.verify_message}; TIDEMILL_TLS_CA or `ca` names a PEM file "
                           "with what to trust")


def _context(ca: Optional[str], tls: Optional[ssl.SSLContext]) -> ssl.SSLContext:
    if tls is not None:
        return tls
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ValueError(f"certificates of {ca!r} cannot be read: {error}; TIDEMILL_TLS_CA or "
                         "`ca` names a PEM file") from error
