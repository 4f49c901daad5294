"""An event on the console: `[HH:MM:SS] TASK_QUEUED`, then its fields, indented."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from . import redact

#: Longest value that is shown, in characters.
VALUE_CHARACTERS_MAX = 500

_COLOURS = {
    "task_queued": 36,
    "agent_started": 34,
    "agent_completed": 32,
    "validation_complete": 35,
    "critic_decision": 35,
    "hitl_escalated": 31,
    "budget_warning": 33,
    "budget_exceeded": 31,
}


def echo(kind: str, payload: Mapping[str, Any], at: float, out: TextIO | None = None) -> None:
    """Prints to standard error unless told otherwise; in colour on a terminal without `NO_COLOR`."""
    target = sys.stderr if out is None else out
    if target is None:
        return
    is_coloured = target.isatty() and not os.environ.get("NO_COLOR")
    try:
        target.write(render(kind, payload, at, is_coloured))
        target.flush()
    except (OSError, ValueError):
        pass  # A closed console stops nobody.


def render(kind: str, payload: Mapping[str, Any], at: float, is_coloured: bool = False) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    name = _printable(kind.upper())
    if is_coloured:
        name = f"\x1b[{_COLOURS.get(kind, 37)}m{name}\x1b[0m"
    lines = [f"[{clock}] {name}"]
    for key, value in payload.items():
        shown = _shown(redact.value(value, redact.named(str(key))))
        lines.append(f"  {_printable(str(key))}: {shown}")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value) if isinstance(value, (bool, int, float)) else _json(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        text = f"{text[:VALUE_CHARACTERS_MAX]}… ({len(text)} characters)"
    return _printable(text)


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_type_of)
    except (TypeError, ValueError, RecursionError):
        return _type_of(value)


def _type_of(value: object) -> str:
    return f"<{type(value).__name__}>"


def _printable(text: str) -> str:
    """A payload is foreign text: it moves no cursor and forges no line."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
