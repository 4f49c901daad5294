"""Tachograph: records what AI agents do, on one append-only log.

    from tachograph import agent, emit_event, get_emitter, tool

    with agent("scribe", task_id="t_1", model="sonnet") as scribe:
        with tool("Bash", command="make test"):
            ...
        scribe.cost_usd += 0.02

Nothing here waits for the server or raises into the agent, unless it is asked to.
"""

from .blocks import agent, tool
from .emitter import Emitter, emit_event, get_emitter
from .errors import InvalidEvent, NotDelivered, StreamRefused, TachographError
from .live import Event, stream
from .metrics import Metrics
from .sender import Counts
from .settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Counts",
    "Emitter",
    "Event",
    "InvalidEvent",
    "Metrics",
    "NotDelivered",
    "Settings",
    "StreamRefused",
    "TachographError",
    "agent",
    "emit_event",
    "get_emitter",
    "stream",
    "tool",
]
