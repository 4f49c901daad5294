"""Who controls what runs at a server: the control token that lets them, and their name for the record.

As on the command line, the token of a data folder is shown to the server of that folder alone.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from .connection import Address
from .errors import NoAnswer, NoControlToken, ServerAway
from .settings import Settings

#: What a header takes as it is.
_TOKEN = re.compile(r"[!-~]{1,1024}")
_EVERY_ADDRESS = ("0.0.0.0", "::")
_ORIGIN = "what its data folder has in run/token"


def control_headers(settings: Settings) -> dict[str, str]:
    """Go with a request that controls something. Raises `NoControlToken`."""
    return {"X-Tacho-Control": _token(settings), "X-Tacho-Actor": _user()}


def _token(settings: Settings) -> str:
    named = settings.control_token
    if named is None:
        return _token_of_folder(settings)
    if not _TOKEN.fullmatch(named):
        raise NoControlToken(f"TACHO_CONTROL_TOKEN holds no control token: set it to {_ORIGIN}")
    return named


def _token_of_folder(settings: Settings) -> str:
    try:
        address = Address.parse(settings.server)
    except ServerAway as away:
        raise NoAnswer(str(away)) from None
    if not address.is_loopback:
        raise NoControlToken(
            f"{settings.server} is no server of this machine, whose control token could be read here: set "
            f"TACHO_CONTROL_TOKEN to {_ORIGIN}"
        )
    file = settings.data / "run" / "token"
    try:
        token = _read(file) if _runs_at(address, file.with_name("server.json")) else ""
    except FileNotFoundError:
        token = ""
    except OSError as error:
        raise NoControlToken(
            f"the control token of {settings.server} cannot be read in {file} ({error.strerror}): ask as the user who "
            f"runs that server, or set TACHO_CONTROL_TOKEN to {_ORIGIN}"
        ) from None
    if not token:
        raise NoControlToken(
            f"the control token of {settings.server} is not in {file}: name that server's data folder in TACHO_DATA, "
            f"or set TACHO_CONTROL_TOKEN to {_ORIGIN}"
        )
    return token


def _read(file: Path) -> str:
    token = file.read_text(errors="replace").strip()
    if not _TOKEN.fullmatch(token):
        raise NoControlToken(f"{file} holds no control token: remove it and start the server again")
    return token


def _runs_at(address: Address, file: Path) -> bool:
    """Whether the server that left this file runs still, and listens at this loopback address."""
    content = file.read_bytes()
    try:
        running = json.loads(content)
        listening = Address.parse(f"http://{running['address']}")
        is_alive = _is_alive(running["pid"])
    except (ValueError, TypeError, KeyError, OverflowError, ServerAway):
        return False
    is_localhost = address.host == "localhost" and listening.is_loopback
    is_host = is_localhost or listening.host in (address.host, *_EVERY_ADDRESS)
    return is_alive and is_host and listening.port == address.port


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is another user's, so it is there.
        return True
    return True


def _user() -> str:
    """As the command line names them; without a name, the number."""
    name = "".join(letter for letter in os.environ.get("USER", "") if "!" <= letter <= "~")
    return name or f"uid-{os.getuid()}"
