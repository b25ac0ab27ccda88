"""A proxy between a worker and its Postgres that breaks the line at the n-th message of the server."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Fault = Literal[
    "cut",  # the message arrives, then the connection is gone
    "stall",  # nothing comes any more, and the connection stays open
    "swallow",  # a COMMIT is done, its answer never arrives, and the connection is gone
]
COMMITTED = b"COMMIT\0"
NAMES = {
    b"C": "command complete",
    b"D": "row",
    b"T": "row description",
    b"Z": "ready",
    b"E": "error",
}


class Wire:
    """Counts what the server says once armed; at the n-th message the fault happens to that connection."""

    def __init__(self, fault: Fault, at: int, struck: Callable[[str], None]) -> None:
        """
        Args:
            at: which message; for "swallow" which answer to a COMMIT.
            struck: told what was broken.
        """
        self.armed = False
        self._fault = fault
        self._at = at
        self._count = 0
        self._struck = struck

    def verdict(self, kind: bytes, body: bytes) -> Fault | None:
        """What happens to the connection at this message."""
        counts = self.armed and (self._fault != "swallow" or (kind == b"C" and body == COMMITTED))
        if not counts:
            return None
        self._count += 1
        if self._count != self._at:
            return None
        self._struck(f"{self._fault} at {NAMES.get(kind, kind.decode())}")
        return self._fault


@asynccontextmanager
async def proxied(dsn: str, wire: Wire) -> AsyncIterator[str]:
    """The same database by way of the proxy, which runs in this event loop."""
    parts = conninfo_to_dict(dsn)
    lines: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.ensure_future(_line(parts, wire, reader, writer))
        lines.add(line)
        await asyncio.wait({line})

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield make_conninfo(
            dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"
        )
    finally:
        server.close()
        for line in lines:
            line.cancel()


async def _line(
    parts: dict[str, str | int | None],
    wire: Wire,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """One connection, until either side ends it or the fault does."""
    up_reader, up_writer = await _upstream(parts)
    asked = asyncio.ensure_future(_copied(reader, up_writer))
    answered = asyncio.ensure_future(_answered(up_reader, writer, wire))
    try:
        await asyncio.wait({asked, answered}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done() and not answered.cancelled() and answered.result() == "stall":
            asked.cancel()
            await asyncio.Event().wait()
    finally:
        asked.cancel()
        answered.cancel()
        writer.transport.abort()
        up_writer.transport.abort()


async def _upstream(
    parts: dict[str, str | int | None],
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = str(parts.get("host") or "127.0.0.1"), int(parts.get("port") or 5432)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire
) -> Fault | None:
    """Pass on what the server says, message by message (a type byte, a length, a body)."""
    try:
        while True:
            head = await reader.readexactly(5)
            (length,) = struct.unpack("!I", head[1:])
            body = await reader.readexactly(length - 4)
            fault = wire.verdict(head[:1], body)
            if fault != "swallow":
                writer.write(head + body)
                await writer.drain()
            if fault is not None:
                return fault
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
