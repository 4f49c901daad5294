"""`async for event in stream(…)`: the log as it grows, over server-sent events, resumed without loss or repeat."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict
from urllib.parse import urlencode

from .connection import Address
from .errors import ServerAway, StreamRefused
from .settings import Settings

#: A CloudEvent, as the server renders it.
Event = Dict[str, Any]

#: Longest wait for a connection, and for anything on a stream that sends a heartbeat every 15 s, in seconds.
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
#: Pause before the first and the longest before any further attempt to connect, in seconds.
RETRY_SECONDS_FIRST = 0.25
RETRY_SECONDS_MAX = 10.0
#: Longest message of the stream, in bytes.
MESSAGE_BYTES_MAX = 64 << 20

_LOGGER = logging.getLogger("tachograph")


async def stream(
    type: str | Sequence[str] = (),
    *,
    from_: str | int = "end",
    follow: bool = True,
    server: str | None = None,
    token: str | None = None,
    **filters: str,
) -> AsyncIterator[Event]:
    """Events in the order of the log: `from_` is `start`, `end`, or the position behind which to begin.

    `type` is a pattern or several, such as `task_*`; `filters` are those of the command line, such as `session`,
    `agent`, `since`, `search`. With `follow=False` it ends with what the log held. A lost connection is made again,
    for ever, and goes on where it was; `asyncio.timeout` and `break` end it. A slow reader is told of a gap in the log
    by a warning of the logger `tachograph`.

    Raises `StreamRefused` when the server does not accept the request: a wrong filter, a wrong token.
    """
    settings = Settings.from_environment()
    parameters = [("type", pattern) for pattern in ([type] if isinstance(type, str) else type)]
    reader = _Reader(
        address=Address.parse(server or settings.server),
        token=token or settings.token,
        parameters=[*parameters, *filters.items()],
        start=str(from_),
    )
    pause = RETRY_SECONDS_FIRST
    while True:
        messages = reader.messages()
        try:
            async for message in messages:
                pause = RETRY_SECONDS_FIRST
                if message.kind == "event":
                    yield json.loads(message.data)
                elif message.kind == "caught_up" and not follow:
                    return
                elif message.kind in ("gap", "reset"):
                    _LOGGER.warning("the stream has a %s: %s", message.kind, message.data[:200])
                elif message.kind == "error":
                    raise StreamRefused(message.data[:500])
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError, ServerAway):
            pass
        finally:
            await messages.aclose()
        await asyncio.sleep(pause)
        pause = min(2 * pause, RETRY_SECONDS_MAX)


@dataclass
class _Message:
    kind: str = "message"
    data: str = ""


@dataclass
class _Reader:
    address: Address
    token: str | None = field(repr=False)
    parameters: list[tuple[str, str]]
    start: str
    #: The last position that was read, and the log that it is a position of.
    last_id: str = ""
    log: str = ""

    async def messages(self) -> AsyncGenerator[_Message, None]:
        """The messages of one connection. Each was taken over completely when it is answered."""
        tls = ssl.create_default_context() if self.address.is_tls else None
        opening = asyncio.open_connection(self.address.host, self.address.port, ssl=tls)
        reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        try:
            writer.write(self._request())
            await writer.drain()
            await asyncio.wait_for(_check_head(reader), CONNECT_SECONDS)
            buffer = b""
            while chunk := await asyncio.wait_for(_chunk(reader), SILENCE_SECONDS):
                buffer += chunk
                # A message may be in many chunks, and a chunk may hold many messages.
                *blocks, buffer = buffer.split(b"\n\n")
                for block in blocks:
                    yield self._take(block.decode("utf-8", "replace"))
                if len(buffer) > MESSAGE_BYTES_MAX:
                    raise ServerAway("a message is larger than the limit")
        finally:
            writer.close()

    def _request(self) -> bytes:
        query = [*self.parameters, ("log", self.log)] if self.log else [*self.parameters, ("from", self.start)]
        headers = [
            f"GET {self.address.prefix}/api/events/stream?{urlencode(query)} HTTP/1.1",
            f"Host: {self.address.authority}",
            "Accept: text/event-stream",
        ]
        if self.last_id:
            headers.append(f"Last-Event-ID: {self.last_id}")
        if self.token:
            headers.append(f"Authorization: Bearer {self.token}")
        return ("\r\n".join(headers) + "\r\n\r\n").encode("latin-1", "replace")

    def _take(self, block: str) -> _Message:
        message, lines = _Message(), []
        for line in block.split("\n"):
            name, _, value = line.rstrip("\r").partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "event":
                message.kind = value
            elif name == "data":
                lines.append(value)
            elif name == "id" and value:
                self.last_id = value
        message.data = "\n".join(lines)
        if message.kind in ("caught_up", "reset"):
            self.log = str(json.loads(message.data).get("log", ""))
        return message


async def _check_head(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    parts = head.split(" ", 2)
    status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
    if status == 200:
        if "transfer-encoding: chunked" not in head.lower():
            raise ServerAway("the answer is no stream")
        return
    if 400 <= status < 500 and status not in (408, 429):
        body = await asyncio.wait_for(reader.read(4096), CONNECT_SECONDS)
        raise StreamRefused(f"the server answered {status}: {body.decode('utf-8', 'replace')[:500]}")
    raise ServerAway(f"the server answered {status}")


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """One chunk of a chunked body (RFC 9112, section 7.1); empty at its end."""
    try:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
    except ValueError:
        raise ServerAway("the answer is no stream") from None
    data = await reader.readexactly(size + 2)
    return data[:-2]
