"""What the environment decides, read once, when an emitter is made."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .event import new_id

DEFAULT_SERVER = "http://127.0.0.1:3010"
#: Forked children have the same: they work on what their parent works on.
_SESSION_OF_PROGRAM = new_id()


@dataclass(frozen=True)
class Settings:
    """How an emitter reaches its server, and what it does when it cannot."""

    #: `http://HOST:PORT`, or `https://…`; `TACHO_SERVER`.
    server: str = DEFAULT_SERVER
    #: Sent as `Authorization: Bearer`; `TACHO_TOKEN`.
    token: str | None = field(default=None, repr=False)
    #: What controls the server needs it; `TACHO_CONTROL_TOKEN`. Without it, it is read in `data` when it is needed.
    control_token: str | None = field(default=None, repr=False)
    #: The data folder of a server on this machine; `TACHO_DATA`.
    data: Path = Path(".tacho")
    #: The CloudEvents source of events that name none; `TACHO_SOURCE`.
    source: str = "/python"
    #: Whether faults raise in the caller; `TACHO_STRICT=1`.
    strict: bool = False
    #: Whether every event is printed on standard error; `TACHO_ECHO=1`.
    echo: bool = False
    #: The folder for events that the server could not take; `TACHO_SDK_SPOOL`.
    spool: Path = Path("tachograph-spool")
    #: The session of events that `log_event` records; `CLAUDE_CODE_SESSION_ID`, else one for the program.
    session: str = field(default_factory=lambda: _SESSION_OF_PROGRAM)
    #: The binary that `start()` runs when no server answers; `TACHO_BINARY`, else `tacho` on the path.
    binary: str | None = None

    @classmethod
    def from_environment(cls) -> Settings:
        variable = os.environ.get
        return cls(
            server=(variable("TACHO_SERVER") or DEFAULT_SERVER).rstrip("/"),
            token=(variable("TACHO_TOKEN") or "").strip() or None,
            control_token=(variable("TACHO_CONTROL_TOKEN") or "").strip() or None,
            data=Path(variable("TACHO_DATA") or ".tacho").absolute(),
            source=variable("TACHO_SOURCE") or _source_of_program(),
            strict=_is_on(variable("TACHO_STRICT")),
            echo=_is_on(variable("TACHO_ECHO")),
            spool=Path(variable("TACHO_SDK_SPOOL") or _state_folder() / "tachograph" / "spool"),
            session=variable("CLAUDE_CODE_SESSION_ID") or _SESSION_OF_PROGRAM,
            binary=variable("TACHO_BINARY") or None,
        )

    @property
    def spool_of_server(self) -> Path:
        """Events for one server never go to another."""
        return self.spool / hashlib.sha256(self.server.encode()).hexdigest()[:16]


def _is_on(value: str | None) -> bool:
    return value is not None and value.strip().lower() not in ("", "0", "false", "no", "off")


def _source_of_program() -> str:
    program = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in program)
    return f"/python/{name}" if name.isascii() and name else "/python"


def _state_folder() -> Path:
    configured = os.environ.get("XDG_STATE_HOME", "")
    return Path(configured) if os.path.isabs(configured) else Path(os.path.expanduser("~/.local/state"))
