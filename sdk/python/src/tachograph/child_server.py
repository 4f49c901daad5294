"""A server that this process starts for itself, and ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from .connection import Address, Connection
from .errors import ServerAway
from .settings import Settings

#: Longest wait for a server to get ready, and for it to end, in seconds.
READY_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.02


def is_ready(settings: Settings) -> bool:
    """Whether a server answers and has folded its log."""
    connection = Connection(settings.server, settings.token)
    try:
        return connection.request("GET", "/readyz").status == 200
    except ServerAway:
        return False
    finally:
        connection.close()


class ChildServer:
    """`tacho up` at the address of the settings."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._owner = os.getpid()

    @classmethod
    def start(cls, settings: Settings) -> ChildServer | None:
        """None when this machine has no `tacho`, the address is another machine's, or it does not get ready."""
        binary = settings.binary or shutil.which("tacho")
        try:
            address = Address.parse(settings.server)
            if binary is None or not address.is_loopback or address.is_tls or address.prefix:
                return None
            # In a session of its own: Ctrl-C reaches the agent first, whose last events are still to come.
            process = subprocess.Popen(
                [binary, "up", "--listen", address.authority],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError, ServerAway):
            return None
        server = cls(process)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline and process.poll() is None:
            if is_ready(settings):
                return server
            time.sleep(_POLL_SECONDS)
        server.stop()
        # Another process may have won the address meanwhile: then it is the server.
        return None

    def stop(self) -> None:
        """Ends it as Ctrl-C would. In a forked child it does nothing: the server is the parent's."""
        if os.getpid() != self._owner or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
