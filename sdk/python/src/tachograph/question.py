"""Questions to the server, which are waited for and may fail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Tuple, Union
from urllib.parse import urlencode

from .connection import Connection
from .errors import NoAnswer, NotOffered, RequestRefused, ServerAway
from .settings import Settings

#: Longest wait for an answer, in seconds: the server itself waits up to 5 s for what was just recorded.
QUESTION_SECONDS = 30.0
#: Largest answer, in bytes: four times a full page of events.
QUESTION_BYTES_MAX = 64 << 20
#: Longest that a server works on an answer because it is asked to, in seconds.
WAIT_SECONDS_MAX = 600

#: Names and values of a query; what is None is left out.
Parameters = Iterable[Tuple[str, Union[str, int, None]]]


class Questions:
    """As many as there are to ask, over one connection, in one thread."""

    def __init__(self, settings: Settings, wait_seconds: int = 0) -> None:
        """`wait_seconds`: how long the server may work on an answer, up to `WAIT_SECONDS_MAX`."""
        self._server = settings.server
        self._connection = Connection(
            settings.server,
            settings.token,
            timeout_seconds=QUESTION_SECONDS + min(max(wait_seconds, 0), WAIT_SECONDS_MAX),
            # One more, so that an answer that is too large is not taken for a whole one.
            answer_bytes_max=QUESTION_BYTES_MAX + 1,
        )

    def get(self, path: str, parameters: Parameters = ()) -> bytes:
        """The body of the answer. Parameters that are None are left out.

        Raises `NoAnswer`, `RequestRefused`, and `NotOffered` for a path that this server does not have.
        """
        return self._ask("GET", path, parameters)

    def get_object(self, path: str, parameters: Parameters = ()) -> dict[str, Any]:
        """As `get`, for an answer that is a JSON object."""
        return self._object(path, self._ask("GET", path, parameters))

    def post_object(
        self, path: str, parameters: Parameters, order: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """As `get_object`, with something to do: the order may arrive twice."""
        return self._object(path, self._ask("POST", path, parameters, json.dumps(order).encode(), headers))

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Parameters,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        query = urlencode([(name, value) for name, value in parameters if value is not None])
        try:
            answer = self._connection.request(method, f"{path}?{query}" if query else path, body, headers=headers)
        except ServerAway as away:
            raise NoAnswer(f"{self._server} gave no answer: is `tacho up` running? ({away})") from away
        if answer.code in ("not_found", "method_not_allowed"):
            what = path if method == "GET" else f"{method} {path}"
            raise NotOffered(f"{self._server} does not offer {what}: a newer server may")
        if answer.status != 200:
            raise RequestRefused(answer.status, answer.code, answer.detail)
        if len(answer.body) > QUESTION_BYTES_MAX:
            raise NoAnswer(f"the answer to {path} is larger than {QUESTION_BYTES_MAX} bytes: ask for less")
        return answer.body

    def _object(self, path: str, body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise NoAnswer(f"{self._server} is no Tachograph: its answer to {path} is no JSON object")
        return value

    def __enter__(self) -> Questions:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
