"""The emitter: what an agent calls. It never raises into the agent, unless `strict` is asked for."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time as clock
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

from . import console
from .child_server import ChildServer, is_ready
from .connection import Connection
from .errors import InvalidEvent, NotDelivered, ServerAway
from .event import encode, new_id, stream_of
from .metrics import LocalMetrics, Metrics, as_figures, window_seconds
from .question import Questions
from .sender import Counts, Sender
from .settings import Settings

#: Longest waits for delivery, in seconds: of `flush`, before a question is asked, when the process ends.
FLUSH_SECONDS = 5.0
QUESTION_FLUSH_SECONDS = 2.0
EXIT_SECONDS = 2.0

#: The task that the last `agent_started` of this thread or coroutine named.
_task_at_work: ContextVar[str | None] = ContextVar("tachograph_task", default=None)
#: Attributes of the enclosing `agent` or `tool` block.
surroundings: ContextVar[Mapping[str, str] | None] = ContextVar("tachograph_surroundings", default=None)


@dataclass(frozen=True)
class _Composed:
    identity: str
    line: bytes
    data: Mapping[str, Any]
    at: float


class Emitter:
    """Records events. One instance serves all threads, coroutines and forked children of a program."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self._sender = Sender(self.settings)
        self._metrics = LocalMetrics()
        self._child_server: ChildServer | None = None
        self._echoes = self.settings.echo
        _emitters.add(self)

    def emit(
        self,
        type: str,
        payload: Mapping[str, Any] | None = None,
        *,
        subject: str | None = None,
        source: str | None = None,
        id: str | None = None,
        time: float | datetime | None = None,
        strict: bool | None = None,
        **attributes: str | int | float | bool | None,
    ) -> str | None:
        """Records an event; answers its id, or None when no server would take it.

        `subject` is the stream, `<category>/<id>`; without it a payload's `task_id` makes it `task/<task_id>`.
        `time` is when it happened, in seconds since 1970 or as a `datetime`; without it, now. Other attributes are
        those of the envelope, such as `actorid`, `sessionid`, `correlationid`, `causationid`, `severity`.
        With `strict`, raises `InvalidEvent` instead of answering None.
        """
        try:
            event = self._compose(type, payload, subject, source, id, time, attributes)
            self._sender.put(event.line)
            self._observe(type, event.data, event.at)
            return event.identity
        except Exception as error:
            if self.settings.strict if strict is None else strict:
                raise error if isinstance(error, InvalidEvent) else InvalidEvent(str(error)) from error
            return None

    def append(
        self,
        type: str,
        payload: Mapping[str, Any] | None = None,
        *,
        subject: str | None = None,
        source: str | None = None,
        id: str | None = None,
        time: float | datetime | None = None,
        **attributes: str | int | float | bool | None,
    ) -> str:
        """Records an event and waits until it is on the log, behind what was emitted before; answers its id.

        Raises `SchemaViolation` when it does not fit the schema of its type, and `InvalidEvent` for whatever else no
        server would take. Where no server acknowledges it within some 10 s, it waits in the spool like any other, its
        payload unchecked; in strict mode `NotDelivered` tells so.
        """
        try:
            event = self._compose(type, payload, subject, source, id, time, attributes)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidEvent(str(error)) from error
        is_on_log = self._sender.deliver(event.line, FLUSH_SECONDS)
        self._observe(type, event.data, event.at)
        if self.settings.strict and not is_on_log:
            raise NotDelivered(f"{self.settings.server} did not acknowledge the event {event.identity}: it is spooled")
        return event.identity

    def record_critic_decision(self, rejected: bool, task_id: str | None = None) -> str | None:
        """Records that a critic rejected or approved a task's result.

        Without `task_id` it is the task of the enclosing `agent` block, or of the last `agent_started` of this thread
        or coroutine: so the decision and the completion that follows it count once.
        """
        task = task_id if task_id is not None else _task_at_work.get()
        payload: dict[str, Any] = {"rejected": bool(rejected)}
        if task is not None:
            payload["task_id"] = task
        return self.emit("critic_decision", payload)

    def get_metrics(self, window: str = "1h") -> Metrics:
        """Key figures over a window such as `30m`, `1h`, `7d`; a figure without data is NaN.

        They are the server's, with all that was emitted here; while none answers, those of this process.
        """
        try:
            seconds = window_seconds(window)
        except ValueError:
            if self.settings.strict:
                raise
            window, seconds = "1h", 3600.0
        if self._sender.flush(QUESTION_FLUSH_SECONDS):
            connection = Connection(self.settings.server, self.settings.token)
            try:
                answer = connection.request("GET", f"/api/metrics?window={quote(window)}")
                figures = answer.json() if answer.status == 200 else None
                if isinstance(figures, dict):
                    return Metrics(as_figures(figures))
            except ServerAway:
                pass
            finally:
                connection.close()
        return self._metrics.figures(seconds, clock.time())

    def questions(self, wait_seconds: int = 0) -> Questions:
        """Questions to the server, whose answers know all that was emitted here before."""
        self._sender.flush(QUESTION_FLUSH_SECONDS)
        return Questions(self.settings, wait_seconds)

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Waits, at most `timeout` seconds, until all that was emitted is on the log; answers whether it is.

        What is not stays queued or spooled. In strict mode it raises `NotDelivered`, also for refused events.
        """
        is_done = self._sender.flush(timeout)
        refusals = self._sender.take_refusals()
        if self.settings.strict and (refusals or not is_done):
            why = f"refused: {', '.join(sorted(set(refusals)))}" if refusals else f"not acknowledged in {timeout} s"
            raise NotDelivered(f"events did not reach {self.settings.server}: {why}")
        return is_done and not refusals

    def counts(self) -> Counts:
        """What became of the events of this process."""
        return self._sender.counts()

    def open(self) -> bool:
        """Makes sure of a server: the one of the settings when it answers, else a child, `tacho up`.

        Answers whether there is one. Without one events are printed, counted here, and spooled until there is.
        """
        has_server = is_ready(self.settings)
        if not has_server:
            self._child_server = ChildServer.start(self.settings)
            has_server = self._child_server is not None or is_ready(self.settings)
        self._echoes = self.settings.echo or not has_server
        return has_server

    def close(self, timeout: float = EXIT_SECONDS) -> None:
        """Delivers or spools what waits, within about `timeout` seconds, and ends a server that `open` started."""
        self._sender.close(timeout)
        server, self._child_server = self._child_server, None
        if server is not None:
            server.stop()

    async def start(self) -> bool:
        """`open`, without blocking the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, self.open)

    async def stop(self) -> None:
        """`close`, without blocking the event loop."""
        await asyncio.get_running_loop().run_in_executor(None, self.close, FLUSH_SECONDS)

    def __enter__(self) -> Emitter:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(FLUSH_SECONDS)

    async def __aenter__(self) -> Emitter:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    def _compose(
        self,
        kind: str,
        payload: Mapping[str, Any] | None,
        subject: str | None,
        source: str | None,
        id: str | None,
        time: float | datetime | None,
        attributes: Mapping[str, str | int | float | bool | None],
    ) -> _Composed:
        data = {} if payload is None else payload
        if not isinstance(data, Mapping):
            raise InvalidEvent("the payload must be a mapping")
        at = _seconds(time)
        identity = new_id() if id is None else id
        named = {**(surroundings.get() or {}), **attributes}
        named["subject"] = subject or stream_of(data) or named.get("subject")
        line = encode(kind, data, identity=identity, source=source or self.settings.source, at=at, attributes=named)
        return _Composed(identity, line, data, at)

    def _observe(self, kind: str, payload: Mapping[str, Any], at: float) -> None:
        self._metrics.observe(kind, payload, at)
        if kind == "agent_started":
            task = payload.get("task_id")
            _task_at_work.set(None if task is None else str(task))
        if self._echoes:
            console.echo(kind, payload, at)

    def _after_fork_in_child(self) -> None:
        self._sender.after_fork_in_child()
        self._metrics = LocalMetrics()
        self._child_server = None


#: All of them: one that nobody refers to may still have events to deliver.
_emitters: set[Emitter] = set()
_emitter: Emitter | None = None
_mutex = threading.Lock()


def get_emitter() -> Emitter:
    """The program's emitter, made from the environment when it is first asked for."""
    global _emitter
    if _emitter is None:
        with _mutex:
            if _emitter is None:
                _emitter = Emitter()
    return _emitter


def emit_event(
    type: str,
    payload: Mapping[str, Any] | None = None,
    *,
    subject: str | None = None,
    source: str | None = None,
    id: str | None = None,
    time: float | datetime | None = None,
    strict: bool | None = None,
    **attributes: str | int | float | bool | None,
) -> str | None:
    """`get_emitter().emit(…)`: records an event and answers its id."""
    return get_emitter().emit(
        type, payload, subject=subject, source=source, id=id, time=time, strict=strict, **attributes
    )


def _seconds(time: float | datetime | None) -> float:
    if time is None:
        return clock.time()
    return time.timestamp() if isinstance(time, datetime) else float(time)


def _close_all() -> None:
    for emitter in list(_emitters):
        emitter.close(EXIT_SECONDS)
        emitter._sender.end()


def _after_fork_in_child() -> None:
    global _mutex
    _mutex = threading.Lock()
    for emitter in list(_emitters):
        emitter._after_fork_in_child()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
