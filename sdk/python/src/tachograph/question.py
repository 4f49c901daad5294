"""Questions to the server, which are waited for and may fail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from .connection import Connection
from .errors import NoAnswer, NotOffered, RequestRefused, ServerAway
from .settings import Settings

#: Longest wait for an answer, in seconds: the server itself waits up to 5 s for what was just recorded.
QUESTION_SECONDS = 30.0
#: Largest answer, in bytes: four times a full page of events.
QUESTION_BYTES_MAX = 64 << 20


class Questions:
    """As many as there are to ask, over one connection, in one thread."""

    def __init__(self, settings: Settings) -> None:
        self._server = settings.server
        self._connection = Connection(
            settings.server,
            settings.token,
            timeout_seconds=QUESTION_SECONDS,
            # One more, so that an answer that is too large is not taken for a whole one.
            answer_bytes_max=QUESTION_BYTES_MAX + 1,
        )

    def get(self, path: str, parameters: Iterable[tuple[str, str | int | None]] = ()) -> bytes:
        """The body of the answer. Parameters that are None are left out.

        Raises `NoAnswer`, `RequestRefused`, and `NotOffered` for a path that this server does not have.
        """
        query = urlencode([(name, value) for name, value in parameters if value is not None])
        try:
            answer = self._connection.request("GET", f"{path}?{query}" if query else path)
        except ServerAway as away:
            raise NoAnswer(f"{self._server} gave no answer: is `tacho up` running? ({away})") from away
        if answer.code == "not_found":
            raise NotOffered(f"{self._server} does not offer {path}: a newer server may")
        if answer.status != 200:
            raise RequestRefused(answer.status, answer.code, answer.detail)
        if len(answer.body) > QUESTION_BYTES_MAX:
            raise NoAnswer(f"the answer to {path} is larger than {QUESTION_BYTES_MAX} bytes: ask for less")
        return answer.body

    def get_object(self, path: str, parameters: Iterable[tuple[str, str | int | None]] = ()) -> dict[str, Any]:
        """As `get`, for an answer that is a JSON object."""
        try:
            value = json.loads(self.get(path, parameters))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise NoAnswer(f"{self._server} is no Tachograph: its answer to {path} is no JSON object")
        return value

    def __enter__(self) -> Questions:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
