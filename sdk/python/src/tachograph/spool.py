"""Events on disk while the server is away: JSON lines, in order, bounded, for their owner alone.

A process writes into a folder of its own and holds a lock on it. A folder whose lock is free belongs to a process
that ended; whoever finds it delivers it. Within a folder, segments are read in the order of their numbers.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

try:
    import fcntl
except ImportError:  # Without file locks two processes could take one folder: then nothing is spooled.
    fcntl = None  # type: ignore[assignment]

#: Largest spool of one process, in bytes. What does not fit is dropped and counted.
SPOOL_BYTES_MAX = 64 << 20
#: A segment that is larger, in bytes, gets no further lines.
SEGMENT_BYTES_MAX = 4 << 20
#: How many folders of ended processes are taken over at once.
ADOPTED_FOLDERS_MAX = 100

_FIRST_SEGMENT = 500_000
_LOCK = "lock"
_SUFFIX = ".jsonl"


class Spool:
    """A queue of lines on disk. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        self._own: _Folder | None = None
        self._adopted: deque[_Folder] = deque()

    def is_empty(self) -> bool:
        with self._mutex:
            return not self._waiting()

    def adopt(self) -> None:
        """Takes over what ended processes left behind."""
        with self._mutex:
            try:
                names = sorted(os.listdir(self._folder))
            except OSError:
                return
            for path in (self._folder / name for name in names):
                if len(self._adopted) >= ADOPTED_FOLDERS_MAX:
                    return
                if self._own is not None and self._own.path == path:
                    continue
                if any(folder.path == path for folder in self._adopted):
                    continue
                folder = _Folder.take_over(path)
                if folder is not None:
                    self._adopted.append(folder)

    def append(self, lines: Sequence[bytes]) -> int:
        """Adds lines behind all that wait; answers how many were dropped for want of room or of a disk."""
        with self._mutex:
            return self._write(lines, in_front=False)

    def prepend(self, lines: Sequence[bytes]) -> int:
        """Adds lines before all that this process spooled; answers how many were dropped."""
        with self._mutex:
            return self._write(lines, in_front=True)

    def first_lines(self) -> list[bytes]:
        """The oldest segment, which gets no further lines; empty when nothing waits."""
        with self._mutex:
            while self._waiting():
                folder = self._adopted[0] if self._adopted else self._own
                assert folder is not None
                lines = folder.first_lines()
                if lines:
                    return lines
                self._remove_first()
            return []

    def remove_first(self) -> None:
        """Deletes the segment that `first_lines` answered."""
        with self._mutex:
            self._remove_first()

    def close(self) -> None:
        """Lets go of the folders; what waits is left to the next process."""
        with self._mutex:
            for folder in [*self._adopted, *([self._own] if self._own else [])]:
                folder.close()
            self._adopted.clear()
            self._own = None

    def forget(self) -> None:
        """After a fork, in the child: the folders are the parent's. Its locks outlive the copies closed here."""
        for folder in [*self._adopted, *([self._own] if self._own else [])]:
            folder.forget()
        self._mutex = threading.Lock()
        self._own = None
        self._adopted = deque()

    def _waiting(self) -> bool:
        return bool(self._adopted) or (self._own is not None and bool(self._own.segments))

    def _write(self, lines: Sequence[bytes], in_front: bool) -> int:
        if not lines:
            return 0
        for _ in range(2):
            try:
                if self._own is None:
                    self._own = _Folder.create(self._folder)
                return self._own.write(lines, in_front)
            except OSError:
                # A new folder can still be taken away before its lock is held; the second try has another one.
                if self._own is not None and not self._own.segments:
                    self._own.close()
                    self._own = None
        return len(lines)

    def _remove_first(self) -> None:
        if self._adopted:
            folder = self._adopted[0]
            folder.remove_first()
            if not folder.segments:
                self._adopted.popleft().close()
        elif self._own is not None:
            self._own.remove_first()


class _Folder:
    """The segments of one process, and the lock that says so."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._sizes = {path / name: (path / name).stat().st_size for name in os.listdir(path) if _is_segment(name)}
        self.segments: deque[Path] = deque(sorted(self._sizes))
        # Lines that a process wrote before it ended are never written behind.
        self._tail: Path | None = None

    @classmethod
    def create(cls, parent: Path) -> _Folder:
        if fcntl is None:
            raise OSError("this system has no file locks")
        _make_private(parent)
        path = parent / f"{time.time_ns():020}-{os.getpid()}-{os.urandom(4).hex()}"
        path.mkdir(mode=0o700)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(path, lock)

    @classmethod
    def take_over(cls, path: Path) -> _Folder | None:
        """The folder, when its process ended and left something."""
        if fcntl is None:
            return None
        try:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = cls(path, lock)
        except OSError:
            os.close(lock)
            return None
        if folder.segments:
            return folder
        folder.close()
        return None

    def write(self, lines: Sequence[bytes], in_front: bool) -> int:
        room = SPOOL_BYTES_MAX - sum(self._sizes.values())
        kept: list[bytes] = []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        if kept:
            segment = self._segment(in_front)
            content = b"".join(line + b"\n" for line in kept)
            _append(segment, content, self._sizes.get(segment, 0))
            if segment not in self._sizes:
                self._sizes[segment] = 0
                self.segments.appendleft(segment) if in_front else self.segments.append(segment)
            self._sizes[segment] += len(content)
        return len(lines) - len(kept)

    def first_lines(self) -> list[bytes]:
        """Without a last line that a crash cut off."""
        segment = self.segments[0]
        if segment == self._tail:
            self._tail = None
        try:
            content = segment.read_bytes()
        except OSError:
            return []
        return [line for line in content[: content.rfind(b"\n") + 1].split(b"\n") if line]

    def remove_first(self) -> None:
        if self.segments:
            segment = self.segments.popleft()
            del self._sizes[segment]
            segment.unlink(missing_ok=True)

    def close(self) -> None:
        try:
            if not self.segments:
                (self.path / _LOCK).unlink(missing_ok=True)
                self.path.rmdir()
        except OSError:
            pass  # Somebody put a file there: it stays.
        self.forget()

    def forget(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _segment(self, in_front: bool) -> Path:
        if in_front:
            first = int(self.segments[0].name[: -len(_SUFFIX)]) if self.segments else _FIRST_SEGMENT
            return self.path / f"{first - 1:07}{_SUFFIX}"
        if self._tail is None or self._sizes.get(self._tail, 0) > SEGMENT_BYTES_MAX:
            last = int(self.segments[-1].name[: -len(_SUFFIX)]) if self.segments else _FIRST_SEGMENT
            self._tail = self.path / f"{last + 1:07}{_SUFFIX}"
        return self._tail


def _make_private(folder: Path) -> None:
    """With `parents`, `mkdir` would leave those that are missing open to others."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _append(segment: Path, content: bytes, size: int) -> None:
    """All of it or nothing: half a line would spoil the next one."""
    file = os.open(segment, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(file, content) != len(content):
            raise OSError("the disk is full")
    except OSError:
        os.ftruncate(file, size)
        raise
    finally:
        os.close(file)


def _is_segment(name: str) -> bool:
    return name.endswith(_SUFFIX) and name[: -len(_SUFFIX)].isdigit()
