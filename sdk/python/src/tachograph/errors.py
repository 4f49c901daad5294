"""What is raised, and only where the caller asked for it."""

from __future__ import annotations


class TachographError(Exception):
    """Anything that this package raises."""


class InvalidEvent(TachographError):
    """An event that no server would take; raised by `append`, and by `emit` in strict mode."""


class SchemaViolation(InvalidEvent):
    """A payload that does not fit the schema of its type; its text names the field. Nothing was recorded."""


class NotDelivered(TachographError):
    """Events that did not reach the log; raised by `flush` and `append` in strict mode."""


class StreamRefused(TachographError):
    """The server refused a live stream: the request must change before it can succeed."""


class NoAnswer(TachographError):
    """A question without an answer: no server is there, or there is too much to tell."""


class RequestRefused(TachographError):
    """A question that the server does not answer so: an unknown issue, a time that cannot be read, a wrong token."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"the server answered {status} {code}: {detail}")
        #: Of the HTTP answer.
        self.status = status
        #: The stable code of the problem, such as `stream_not_found`; empty when the answer has none.
        self.code = code


class NoControlToken(TachographError):
    """A server cannot be controlled from here, and was not asked: the text says where its token was looked for."""


class NotOffered(TachographError, NotImplementedError):
    """What this server cannot do, or not yet."""


class ServerAway(TachographError):
    """No server answered, or one that cannot take events now. Never leaves the package."""
