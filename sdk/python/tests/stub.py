"""A server that gives the answers it is told to, for what a real one does rarely or not yet."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Tuple
from unittest import TestCase
from urllib.parse import parse_qs, urlsplit

from recorder import PACKAGE

from tachograph import Emitter, Settings

#: A status and a body: bytes as they are, anything else as JSON.
Reply = Tuple[int, Any]


class Stub:
    """Listens until the test ends."""

    def __init__(self, case: TestCase, replies: dict[str, Reply]) -> None:
        #: By path, without the query.
        self.replies = replies
        #: What was asked: the path and its parameters.
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        #: Bodies and headers of POST requests.
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        case.addCleanup(self.close)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def emitter(self, case: TestCase, spool: Path = PACKAGE / "no-spool", **settings: Any) -> Emitter:
        emitter = Emitter(Settings(server=self.url, spool=spool, source="/test", **settings))
        case.addCleanup(emitter.close, 0.1)
        return emitter

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                stub.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                stub.headers.append(dict(self.headers.items()))
                self._answer()

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                stub.asked.append((parts.path, parse_qs(parts.query)))
                nothing = (404, {"status": 404, "code": "not_found", "detail": "nothing is at this path"})
                status, body = stub.replies.get(parts.path, nothing)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
