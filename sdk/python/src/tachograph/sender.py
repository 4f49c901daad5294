"""From the agent's thread to the server: a bounded queue, one thread behind it, the spool when nobody answers.

Order is kept: what is spooled is older than what is queued, so the queue is sent only while the spool is empty.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from . import redact
from .connection import Answer, Connection
from .errors import InvalidEvent, SchemaViolation, ServerAway
from .settings import Settings
from .spool import Spool

#: Events that wait in memory. At the limit the waiting ones go to the spool, so that no caller ever waits.
QUEUE_EVENTS_MAX = 10_000
#: Events and bytes of one request: half of what the server takes by default.
BATCH_EVENTS_MAX = 500
BATCH_BYTES_MAX = 2 << 20
#: Pause before the first and the longest before any further attempt to reach a server that is away, in seconds.
RETRY_SECONDS_FIRST = 0.25
RETRY_SECONDS_MAX = 10.0
#: Wait for a thread that may be in a request nobody answers, in seconds.
STUCK_SECONDS = 0.1
#: Refusals whose reasons are kept for `flush`.
REFUSALS_KEPT_MAX = 100

_LOGGER = logging.getLogger("tachograph")
_LOGGER.addHandler(logging.NullHandler())
_ACCEPTING_STATUS = frozenset({200, 201, 202})
_REFUSING_STATUS = frozenset({400, 409, 413, 415, 422})


@dataclass(frozen=True)
class Counts:
    """What became of the events of this process."""

    emitted: int = 0
    #: Acknowledged by the server, spooled ones of earlier processes included.
    delivered: int = 0
    #: Went to the disk; they are delivered from there.
    spooled: int = 0
    #: Lost: the spool was full or could not be written.
    dropped: int = 0
    #: Lost: the server does not take such events.
    refused: int = 0


class Sender:
    """Delivers lines in the background. `put` never waits for the server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spool = Spool(settings.spool_of_server)
        self._forget()

    def _forget(self) -> None:
        self._connection = Connection(self._settings.server, self._settings.token)
        # Reentrant: a log handler or a finalizer that runs under it may emit.
        self._changed = threading.Condition(threading.RLock())
        self._delivering = threading.Lock()
        self._thread: threading.Thread | None = None
        self._queue: deque[bytes] = deque()
        self._in_flight: list[bytes] = []
        self._counts: Counter[str] = Counter()
        self._settled = 0
        self._refusals: deque[str] = deque(maxlen=REFUSALS_KEPT_MAX)
        self._told: set[str] = set()
        self._is_closed = False
        self._is_ending = False
        self._is_urgent = False
        self._has_adopted = False
        self._is_away = False
        self._retry_at = 0.0
        self._retry_pause = RETRY_SECONDS_FIRST
        self._rounds_begun = 0
        self._round_failed = 0

    def after_fork_in_child(self) -> None:
        """What waits is the parent's to deliver; its thread is not here."""
        self._spool.forget()
        self._connection.close()
        self._forget()

    def put(self, line: bytes) -> None:
        # Before anything else: what was sent and what is spooled must be the same bytes, or the server takes the
        # second for another event of the same id.
        self._enqueue(redact.line(line))

    def deliver(self, line: bytes, timeout_seconds: float) -> bool:
        """Sends an event behind all that was put before and waits; answers whether the server acknowledged it.

        One that was not acknowledged is put. Raises `InvalidEvent` for one that the server refuses: it is nowhere then.
        """
        line = redact.line(line)
        answer = self._send_alone(line) if self._is_drained(timeout_seconds) else None
        if answer is None or not (answer.status in _ACCEPTING_STATUS or _refuses(answer)):
            # A server that took it without saying so knows the same bytes again.
            self._enqueue(line)
            return False
        is_taken = answer.status in _ACCEPTING_STATUS
        with self._changed:
            self._counts["emitted"] += 1
            self._counts["delivered" if is_taken else "refused"] += 1
            self._settled += 1
            self._changed.notify_all()
        if not is_taken:
            kind = SchemaViolation if answer.code == "schema_violation" else InvalidEvent
            raise kind(f"the server refuses the event: {answer.code or answer.status}: {answer.detail}")
        return True

    def _is_drained(self, timeout_seconds: float) -> bool:
        with self._changed:
            if self._is_away and time.monotonic() < self._retry_at:
                return False
        return self.flush(timeout_seconds)

    def _send_alone(self, line: bytes) -> Answer | None:
        # A connection of its own: the other one is the thread's.
        connection = Connection(self._settings.server, self._settings.token)
        try:
            return connection.request("POST", "/api/events?validate=strict", line, "application/cloudevents+json")
        except ServerAway:
            return None
        finally:
            connection.close()

    def _enqueue(self, line: bytes) -> None:
        with self._changed:
            self._counts["emitted"] += 1
            if len(self._queue) >= QUEUE_EVENTS_MAX:
                self._spill()
            self._queue.append(line)
            self._is_closed = False
            if self._thread is None:
                self._start_thread()
            if self._thread is None:
                # Nobody will come for it any more in this process.
                self._spill()
            self._changed.notify_all()

    def flush(self, timeout_seconds: float) -> bool:
        """Whether all events emitted so far, and all spooled ones, reached the server in time."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            target, since = self._counts["emitted"], self._rounds_begun

            def is_over() -> bool:
                return (self._settled >= target and self._spool.is_empty()) or self._round_failed > since

            self._is_urgent = True
            self._is_closed = False
            if self._thread is None:
                self._start_thread()
            has_thread = self._thread is not None
            self._changed.notify_all()
            if has_thread:
                self._changed.wait_for(is_over, timeout_seconds)
        if not has_thread:
            # The interpreter is ending and starts no more threads: this one does the work.
            while not is_over() and time.monotonic() < deadline:
                self._round()
        with self._changed:
            return self._settled >= target and self._spool.is_empty()

    def close(self, timeout_seconds: float) -> bool:
        """Flushes, then leaves what could not be delivered on the disk. A later `put` opens it again."""
        is_flushed = self.flush(timeout_seconds)
        with self._changed:
            # A request may still be under way: its events are spooled too, their ids make them the same events.
            self._keep(self._in_flight, in_front=True)
            self._in_flight = []
            self._spill()
            self._is_closed = True
            self._has_adopted = False
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            # One that hangs in a request ends with the process.
            thread.join(timeout_seconds if is_flushed else STUCK_SECONDS)
        if thread is None or not thread.is_alive():
            self._connection.close()
        self._spool.close()
        return is_flushed

    def end(self) -> None:
        """The interpreter stops: what comes from now on goes to the disk."""
        with self._changed:
            self._is_ending = True

    def counts(self) -> Counts:
        with self._changed:
            return Counts(**self._counts)

    def take_refusals(self) -> list[str]:
        """Why events were refused since the last call: codes of the server."""
        with self._changed:
            refusals = list(self._refusals)
            self._refusals.clear()
            return refusals

    def _start_thread(self) -> None:
        if self._is_ending:
            return
        thread = threading.Thread(target=self._run, name="tachograph", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread
        if "multiprocessing.util" in sys.modules:
            # A child of multiprocessing ends without `atexit`.
            from multiprocessing.util import Finalize

            Finalize(None, self.close, args=(2.0,), exitpriority=10)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._is_closed or self._has_work()):
                    self._changed.wait(self._pause_seconds())
                if self._is_closed:
                    return
            try:
                self._round()
            except Exception as error:  # The agent outlives whatever is wrong here.
                self._tell(f"delivery failed: {type(error).__name__}")
                self._postpone()

    def _has_work(self) -> bool:
        waits = not self._has_adopted or not self._spool.is_empty()
        return bool(self._queue) or self._is_urgent or (waits and time.monotonic() >= self._retry_at)

    def _pause_seconds(self) -> float | None:
        return None if self._spool.is_empty() else max(0.0, self._retry_at - time.monotonic())

    def _round(self) -> None:
        """Delivers until nothing waits or nobody answers."""
        with self._delivering:
            with self._changed:
                self._rounds_begun += 1
                if self._is_away and not self._is_urgent and time.monotonic() < self._retry_at:
                    self._spill()
                    return
                self._is_urgent = False
            if not self._has_adopted:
                self._spool.adopt()
                self._has_adopted = True
            try:
                self._drain_spool()
                while self._send_batch():
                    pass
                self._greet()
            except ServerAway as away:
                self._tell(f"events go to the spool: {away}")
                self._postpone()

    def _drain_spool(self) -> None:
        while lines := self._spool.first_lines():
            for batch in _batches(lines):
                self._post(batch)
            self._spool.remove_first()
            with self._changed:
                self._changed.notify_all()

    def _send_batch(self) -> bool:
        """Whether there may be more. Raises `ServerAway` with the batch on the disk."""
        with self._changed:
            is_overtaken = not self._spool.is_empty()
            batch = self._in_flight = [] if is_overtaken else _take(self._queue)
        if is_overtaken:
            self._drain_spool()
            return True
        if not batch:
            return False
        try:
            self._post(batch)
        except Exception:
            with self._changed:
                self._keep(self._in_flight, in_front=True)
                self._settle(len(batch))
            raise
        with self._changed:
            self._settle(len(batch))
        return True

    def _settle(self, count: int) -> None:
        self._in_flight = []
        self._settled += count
        self._changed.notify_all()

    def _post(self, lines: Sequence[bytes]) -> None:
        """Delivers lines; where the server refuses some, only those are lost."""
        body = b"[" + b",".join(lines) + b"]"
        answer = self._connection.request("POST", "/api/events", body, "application/cloudevents-batch+json")
        if answer.status in _ACCEPTING_STATUS:
            with self._changed:
                self._counts["delivered"] += len(lines)
        elif not _refuses(answer):
            raise ServerAway(f"the server answered {answer.status} {answer.code}".rstrip())
        elif len(lines) > 1:
            middle = len(lines) // 2
            self._post(lines[:middle])
            self._post(lines[middle:])
        else:
            code = answer.code or str(answer.status)
            self._tell(f"the server refuses an event: {code}")
            with self._changed:
                self._counts["refused"] += 1
                self._refusals.append(code)

    def _greet(self) -> None:
        with self._changed:
            if self._is_away:
                # Others may have ended while it was away.
                self._has_adopted = False
            self._is_away = False
            self._retry_pause = RETRY_SECONDS_FIRST
            self._told.clear()
            self._changed.notify_all()

    def _postpone(self) -> None:
        with self._changed:
            self._is_away = True
            self._spill()
            self._round_failed = self._rounds_begun
            self._retry_at = time.monotonic() + self._retry_pause
            self._retry_pause = min(2 * self._retry_pause, RETRY_SECONDS_MAX)
            self._changed.notify_all()

    def _spill(self) -> None:
        """Moves the queue to the disk. The caller holds the lock."""
        lines = list(self._queue)
        self._queue.clear()
        self._settled += len(lines)
        self._keep(lines, in_front=False)
        self._changed.notify_all()

    def _keep(self, lines: Sequence[bytes], in_front: bool) -> None:
        dropped = self._spool.prepend(lines) if in_front else self._spool.append(lines)
        self._counts["spooled"] += len(lines) - dropped
        self._counts["dropped"] += dropped
        if dropped:
            self._tell(f"{dropped} events are lost: the spool is full or cannot be written")

    def _tell(self, what: str) -> None:
        """Once, until the server is back: a log is no place for a repetition."""
        if what not in self._told:
            self._told.add(what)
            _LOGGER.warning("%s", what)


def _refuses(answer: Answer) -> bool:
    """Whether the server will never take these events. Everything else may pass: a stop, a wrong token, a limit."""
    return answer.status in _REFUSING_STATUS or answer.code == "reserved_type"


def _take(queue: deque[bytes]) -> list[bytes]:
    batch: list[bytes] = []
    size = 0
    while queue and len(batch) < BATCH_EVENTS_MAX and (not batch or size + len(queue[0]) < BATCH_BYTES_MAX):
        line = queue.popleft()
        size += len(line) + 1
        batch.append(line)
    return batch


def _batches(lines: Sequence[bytes]) -> list[list[bytes]]:
    waiting, batches = deque(lines), []
    while waiting:
        batches.append(_take(waiting))
    return batches
