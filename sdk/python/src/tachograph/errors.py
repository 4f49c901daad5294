"""What is raised, and only where the caller asked for it."""

from __future__ import annotations


class TachographError(Exception):
    """Anything that this package raises."""


class InvalidEvent(TachographError):
    """An event that no server would take; raised by `emit` in strict mode."""


class NotDelivered(TachographError):
    """Events that did not reach the log; raised by `flush` in strict mode."""


class StreamRefused(TachographError):
    """The server refused a live stream: the request must change before it can succeed."""


class ServerAway(TachographError):
    """No server answered, or one that cannot take events now. Never leaves the package."""
