"""Which commit and branch the work is at, read from files: a process of git for every event would be dear."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

#: Folders that are looked at upwards from the current one, and the most that is read of a file, in bytes.
_FOLDERS_MAX = 64
_FILE_BYTES_MAX = 4 << 20

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Checkout:
    """What is not known is None: outside a repository, on a detached head, before the first commit."""

    commit: str | None = None
    branch: str | None = None


def checkout(folder: Path) -> Checkout:
    """That of a folder or the nearest one above it. Never raises."""
    try:
        git = _git_folder(folder.absolute())
        return Checkout() if git is None else _read(git)
    except (OSError, ValueError):
        return Checkout()


def _git_folder(folder: Path) -> Path | None:
    for above in [folder, *folder.parents][:_FOLDERS_MAX]:
        git = above / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            # A worktree or a submodule: its folder is elsewhere.
            named = _text(git)
            return above / named[len("gitdir:") :].strip() if named.startswith("gitdir:") else None
    return None


def _read(git: Path) -> Checkout:
    head = _text(git / "HEAD")
    if not head.startswith("ref: "):
        return Checkout(commit=_commit(head))
    reference = head[len("ref: ") :]
    prefix = "refs/heads/"
    if not reference.startswith(prefix) or reference == "refs/heads/.invalid":
        return Checkout()
    branch = reference[len(prefix) :]
    shared = git / _text(git / "commondir") if (git / "commondir").is_file() else git
    if (shared / reference).is_file():
        return Checkout(_commit(_text(shared / reference)), branch)
    return Checkout(_packed(shared / "packed-refs", reference), branch)


def _packed(file: Path, reference: str) -> str | None:
    if not file.is_file():
        return None
    for line in _text(file).splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return _commit(commit)
    return None


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None


def _text(file: Path) -> str:
    with open(file, "rb") as content:
        return os.fsdecode(content.read(_FILE_BYTES_MAX)).strip()
