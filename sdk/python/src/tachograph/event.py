"""An event as it goes over the wire: one line of CloudEvents 1.0 JSON, complete when it is emitted."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import time
from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import PurePath
from typing import Any

from .errors import InvalidEvent

#: Largest event, in bytes of its JSON: the server's default limit.
EVENT_BYTES_MAX = 1 << 20
#: Deepest nesting of a payload; what lies deeper is replaced by the name of its type.
DEPTH_MAX = 90
#: Longest name of a task that has a stream of its own, in characters: with four bytes each it
#: still fits the server's limit of 1,024.
TASK_CHARACTERS_MAX = 250
#: Longest type and id, in bytes.
NAME_BYTES_MAX = 256

_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
_ATTRIBUTES_OWN = frozenset({"specversion", "id", "source", "type", "time", "data"})


def new_id() -> str:
    """A UUIDv7 (RFC 9562): made here, so that a repeated delivery is the same event."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def encode(
    kind: str,
    payload: Mapping[str, Any],
    *,
    identity: str,
    source: str,
    at: float,
    attributes: Mapping[str, str | int | float | bool | None],
) -> bytes:
    """The event's line, without a line break.

    Raises `InvalidEvent` when the envelope is wrong or the event is larger than `EVENT_BYTES_MAX`.
    """
    for name, value in (("type", kind), ("id", identity), ("source", source)):
        _check_name(name, value)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": identity,
        "source": source,
        "type": kind,
        "time": rfc3339(at),
    }
    for name, attribute in attributes.items():
        if name in _ATTRIBUTES_OWN or not _ATTRIBUTE.fullmatch(name):
            raise InvalidEvent(f"{name[:40]!r} is no attribute, of 1 to 20 characters a-z, 0-9: put it into the payload")
        if attribute is not None:
            event[name] = _one_line(attribute) if isinstance(attribute, str) else attribute
    event["data"] = payload
    line = _to_json(event)
    if len(line) > EVENT_BYTES_MAX:
        raise InvalidEvent(f"the event is {len(line)} bytes, the limit is {EVENT_BYTES_MAX}: send a reference instead")
    return line


def rfc3339(seconds: float) -> str:
    """A moment in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def stream_of(payload: Mapping[str, Any]) -> str | None:
    """The task's stream, for a payload that names its task."""
    task = payload.get("task_id")
    if isinstance(task, bool) or not isinstance(task, (str, int)) or not 0 < len(str(task)) <= TASK_CHARACTERS_MAX:
        return None
    return f"task/{task}"


def _check_name(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"`{name}` must be a string that is not empty")
    if len(value.encode("utf-8", "replace")) > NAME_BYTES_MAX:
        raise InvalidEvent(f"`{name}` is longer than {NAME_BYTES_MAX} bytes")
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value):
        raise InvalidEvent(f"`{name}` has control characters")


def _one_line(text: str) -> str:
    """The server takes no control characters in attributes: a name that has some is no reason to lose an event."""
    return "".join(" " if ord(letter) < 32 or 127 <= ord(letter) < 160 else letter for letter in text)


def _to_json(event: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError):
        # A NaN, a key that is no string, a circle: rare enough to pay for a second walk.
        text = json.dumps(_cleaned(event, DEPTH_MAX), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _plain(value: object) -> Any:
    """What stands in JSON for a value that JSON does not know."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: getattr(value, entry.name) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (date, PurePath)) or type(value).__module__ in ("uuid", "decimal", "fractions"):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    # Not its text: an object that nobody meant for a log may print a secret.
    return f"<{type(value).__name__}>"


def _cleaned(value: object, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if depth == 0:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {str(key): _cleaned(member, depth - 1) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(member, depth - 1) for member in value]
    return _cleaned(_plain(value), depth - 1)
