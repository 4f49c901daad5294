"""`with agent(…)` and `with tool(…)`: a start and an end for every piece of work, whatever becomes of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar

from .emitter import Emitter, get_emitter, surroundings
from .event import stream_of

#: Longest message of an exception in an event, in characters.
ERROR_CHARACTERS_MAX = 1_000

_Self = TypeVar("_Self", bound="_Block")
_agent_at_work: ContextVar[agent | None]


class _Block:
    """What both kinds do. Works with `with` and with `async with`; enter it once."""

    _started = ""
    _completed = ""

    def __init__(self, emitter: Emitter | None) -> None:
        self._emitter = emitter
        self._begun = 0.0
        self._cause: str | None = None
        self._status: str | None = None
        self._error: str | None = None
        self._outer: Token[Any] | None = None

    def fail(self, error: str | None = None) -> None:
        """Ends as failed, without an exception."""
        self._status = "failed"
        self._error = error

    def __enter__(self: _Self) -> _Self:
        self._begun = time.monotonic()
        self._cause = self._emit(self._started, self._beginning())
        self._outer = surroundings.set({**(surroundings.get() or {}), **self._inside(), **self._caused()})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._outer is not None:
            surroundings.reset(self._outer)
            self._outer = None
        if error is not None:
            self.fail(_described(error))
        ending: dict[str, Any] = self._ending()
        ending["duration_ms"] = round(1000 * (time.monotonic() - self._begun), 3)
        if self._error:
            ending["error"] = self._error[:ERROR_CHARACTERS_MAX]
        self._emit(self._completed, ending, **{**self._inside(), **self._caused()})

    async def __aenter__(self: _Self) -> _Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, at)

    def _emit(self, kind: str, payload: dict[str, Any], **attributes: Any) -> str | None:
        return (self._emitter or get_emitter()).emit(kind, payload, **attributes)

    def _caused(self) -> dict[str, str]:
        return {} if self._cause is None else {"causationid": self._cause}

    def _inside(self) -> dict[str, str]:
        """Attributes of every event in the block."""
        return {}

    def _beginning(self) -> dict[str, Any]:
        raise NotImplementedError

    def _ending(self) -> dict[str, Any]:
        raise NotImplementedError


def _described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # Its own words are not worth a second failure.
        return type(error).__name__


class agent(_Block):
    """An agent at work on a task: `agent_started`, then `agent_completed` with its status, time and cost.

    The status is `success`, or what `approve`, `reject` or `fail` said, or `failed` when an exception passes through.
    The exception goes on to the caller.
    """

    _started = "agent_started"
    _completed = "agent_completed"

    def __init__(
        self,
        name: str,
        *,
        task_id: str | None = None,
        model: str | None = None,
        tools: Sequence[str] = (),
        emitter: Emitter | None = None,
    ) -> None:
        super().__init__(emitter)
        self.name = str(name)
        outer = _agent_at_work.get()
        #: That of the enclosing agent when none is given, else a new one.
        self.task_id: str = str(task_id or "") or (outer.task_id if outer else f"t_{os.urandom(4).hex()}")
        self.model = model
        self.tools = list(tools)
        #: What the work cost so far, in US dollars; add to it as the bills come in.
        self.cost_usd = 0.0
        self._outer_agent: Token[agent | None] | None = None

    def approve(self) -> None:
        """A critic's verdict: the decision is recorded, and the block ends as approved."""
        self._decide(rejected=False)

    def reject(self) -> None:
        """A critic's verdict: the decision is recorded, and the block ends as rejected."""
        self._decide(rejected=True)

    def __enter__(self) -> agent:
        super().__enter__()
        self._outer_agent = _agent_at_work.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._outer_agent is not None:
            _agent_at_work.reset(self._outer_agent)
            self._outer_agent = None
        super().__exit__(kind, error, at)

    def _decide(self, rejected: bool) -> None:
        self._status = "rejected" if rejected else "approved"
        (self._emitter or get_emitter()).record_critic_decision(rejected, self.task_id)

    def _inside(self) -> dict[str, str]:
        attributes = {"subject": stream_of({"task_id": self.task_id}), "actortype": "agent", "actorid": self.name}
        return {name: text for name, text in {**attributes, "actormodel": self.model}.items() if text}

    def _beginning(self) -> dict[str, Any]:
        payload: dict[str, Any] = {"agent": self.name, "task_id": self.task_id}
        if self.model:
            payload["model"] = self.model
        return {**payload, "tools": self.tools}

    def _ending(self) -> dict[str, Any]:
        status = self._status or "success"
        return {"agent": self.name, "task_id": self.task_id, "status": status, "cost_usd": self.cost_usd}


class tool(_Block):
    """A tool at work: `tool_started`, then `tool_completed` with its status and time.

    Inside an `agent` block it names that agent and its task.
    """

    _started = "tool_started"
    _completed = "tool_completed"

    def __init__(self, name: str, *, emitter: Emitter | None = None, **details: Any) -> None:
        super().__init__(emitter)
        self.name = name
        #: Further fields of both events.
        self.details = details

    def _beginning(self) -> dict[str, Any]:
        at_work = _agent_at_work.get()
        whose = {"agent": at_work.name, "task_id": at_work.task_id} if at_work else {}
        return {**self.details, "tool": self.name, **whose}

    def _ending(self) -> dict[str, Any]:
        return {**self._beginning(), "status": self._status or "success"}


_agent_at_work = ContextVar("tachograph_agent", default=None)
