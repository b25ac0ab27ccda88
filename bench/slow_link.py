"""A database further away: a proxy in front of its socket that delivers every packet a millisecond or so later."""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

PORT = 5432  # only in the name of the socket


@contextmanager
def slow_link(dsn: str, folder: Path, round_trip_ms: float) -> Iterator[str]:
    """The same database, `round_trip_ms` away; the proxy is a process of its own and ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    target = str(Path(str(conninfo_to_dict(dsn)["host"])) / f".s.PGSQL.{PORT}")
    proxy = get_context("spawn").Process(
        target=_serve, args=(target, str(folder / f".s.PGSQL.{PORT}"), round_trip_ms), daemon=True
    )
    proxy.start()
    try:
        _wait_for(folder / f".s.PGSQL.{PORT}")
        yield make_conninfo(dsn, host=str(folder), port=PORT)
    finally:
        proxy.terminate()
        proxy.join()


def _wait_for(socket: Path) -> None:
    for _ in range(500):
        if socket.exists():
            return
        time.sleep(0.02)
    sys.exit("the slow link did not start")


def _serve(target: str, listen: str, round_trip_ms: float) -> None:
    # epoll waits in whole milliseconds, select in microseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(_proxy(target, listen, round_trip_ms / 2000))


async def _proxy(target: str, listen: str, delay_s: float) -> None:
    async def linked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(target)
        await asyncio.gather(
            _forward(reader, far_writer, delay_s), _forward(far_reader, writer, delay_s)
        )

    server = await asyncio.start_unix_server(linked, listen)
    async with server:
        await server.serve_forever()


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """In order, each piece as much later as it came."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):  # the other side may hang up at any moment
        while data := await reader.read(65536):
            loop.call_later(delay_s, _deliver, writer, data)
    loop.call_later(delay_s, writer.close)


def _deliver(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
