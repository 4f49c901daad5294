"""One HTTP connection to the server, kept open, used by one thread at a time."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .errors import ServerAway

#: Longest wait for the server to accept or to answer, in seconds.
TIMEOUT_SECONDS = 5.0
#: Largest answer that is read, in bytes.
ANSWER_BYTES_MAX = 16 << 20


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        """The body, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def code(self) -> str:
        """The stable code of a problem (RFC 9457), or an empty string."""
        problem = self.json()
        return str(problem.get("code", "")) if isinstance(problem, dict) else ""

    @property
    def detail(self) -> str:
        """What a problem says of this occurrence, or an empty string."""
        problem = self.json()
        return str(problem.get("detail", "")) if isinstance(problem, dict) else ""


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int
    prefix: str
    is_tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises `ServerAway` for what is no URL of a server."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ServerAway("the server's URL cannot be read: write http://HOST:PORT") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServerAway("the server's URL cannot be read: write http://HOST:PORT")
        is_tls = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if is_tls else 80), parts.path.rstrip("/"), is_tls)

    @property
    def is_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Connection:
    """Connects when it is first used and again after a fault."""

    def __init__(
        self,
        server: str,
        token: str | None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self._server = server
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._answer_bytes_max = answer_bytes_max
        self._open: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises `ServerAway` when no answer came. A request may arrive twice: send what is idempotent."""
        sent = {**({} if body is None else {"Content-Type": content_type}), **(headers or {})}
        reused = self._open is not None
        try:
            return self._request(method, path, body, sent)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            if not reused or isinstance(error, socket.timeout):
                raise ServerAway(f"no answer: {type(error).__name__}") from error
        # The server may close a connection that was idle; a fresh one tells whether it is there.
        try:
            return self._request(method, path, body, sent)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise ServerAway(f"no answer: {type(error).__name__}") from error

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        address = Address.parse(self._server)
        if self._open is None:
            self._open = _connect(address, self._timeout_seconds)
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        self._open.request(method, address.prefix + path, body, {**headers, **authorization})
        response = self._open.getresponse()
        answer = Answer(response.status, response.read(self._answer_bytes_max))
        if response.will_close or not response.isclosed():
            self.close()
        return answer


def _connect(address: Address, timeout_seconds: float) -> http.client.HTTPConnection:
    if address.is_tls:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_seconds, context=context)
    return http.client.HTTPConnection(address.host, address.port, timeout=timeout_seconds)
