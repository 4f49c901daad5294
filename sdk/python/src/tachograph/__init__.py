"""Tachograph: records what AI agents do, on one append-only log.

    from tachograph import agent, emit_event, get_emitter, tool

    with agent("scribe", task_id="t_1", model="sonnet") as scribe:
        with tool("Bash", command="make test"):
            ...
        scribe.cost_usd += 0.02

Nothing here waits for the server or raises into the agent, unless it is asked to; but what asks the server something
waits for its answer.
"""

from .blocks import agent, tool
from .emitter import Emitter, emit_event, get_emitter
from .errors import (
    InvalidEvent,
    NoAnswer,
    NoControlToken,
    NotDelivered,
    NotOffered,
    RequestRefused,
    SchemaViolation,
    StreamRefused,
    TachographError,
)
from .live import Event, stream
from .metrics import Metrics
from .orchestration import (
    AuditEvent,
    generate_audit_trail,
    log_event,
    query_events,
    reconstruct_state,
    replay_events,
    time_travel_query,
)
from .sender import Counts
from .settings import Settings

__version__ = "0.1.0"

__all__ = [
    "AuditEvent",
    "Counts",
    "Emitter",
    "Event",
    "InvalidEvent",
    "Metrics",
    "NoAnswer",
    "NoControlToken",
    "NotDelivered",
    "NotOffered",
    "RequestRefused",
    "SchemaViolation",
    "Settings",
    "StreamRefused",
    "TachographError",
    "agent",
    "emit_event",
    "generate_audit_trail",
    "get_emitter",
    "log_event",
    "query_events",
    "reconstruct_state",
    "replay_events",
    "stream",
    "time_travel_query",
    "tool",
]
