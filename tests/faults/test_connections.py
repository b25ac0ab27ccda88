"""Connections to a database that stopped answering: given up at once, and replaced without a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg
import pytest

from checkpoints.database import Connection, Database
from checkpoints.errors import StorageDown
from deadline import bounded
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.faults.times import BUSY

AT_ONCE = 1.0  #: seconds; psycopg by itself takes ten, five to ask the server to stop and five to wait for it
FOUND_SECONDS = 4.0  #: with the pool's own pauses it is five and more
MANY = 8


@pytest.fixture
async def database(proxied_dsn: str) -> AsyncIterator[Database]:
    async with Database(proxied_dsn, pool_min=1, pool_max=MANY) as opened:
        yield opened


async def slept(database: Database, seconds: float) -> None:
    async with database.connection() as connection:
        await connection.execute("SELECT pg_sleep(%s)", (seconds,))


async def test_statement_on_a_silent_connection_lets_go_when_it_is_given_up(
    database: Database, proxy: Proxy
) -> None:
    await slept(database, 0.01)
    proxy.swallow()
    running = asyncio.create_task(slept(database, 0.01))
    await asyncio.wait({running}, timeout=0.2)
    started = time.monotonic()
    running.cancel()
    await asyncio.wait({running})
    assert time.monotonic() - started < AT_ONCE
    proxy.pass_on()


async def test_places_held_by_connections_that_never_answer_again_are_free_at_once(
    database: Database, proxy: Proxy
) -> None:
    """As after a failover: what was connected is lost without a word, what connects now works."""
    async with AsyncExitStack() as stack:  # all at the same time, or the pool would stay smaller
        for _ in range(MANY):
            await stack.enter_async_context(database.connection())
    proxy.forget()
    waiting = [asyncio.create_task(bounded(slept(database, 0.01), 0.5)) for _ in range(MANY)]
    await asyncio.wait(waiting)
    assert all(isinstance(one.exception(), TimeoutError) for one in waiting)
    await asyncio.gather(*(bounded(slept(database, 0.01), BUSY) for _ in range(2 * MANY)))


async def test_statement_that_is_never_answered_ends_by_itself(
    database: Database, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "patience", 0.5)
    await slept(database, 0.01)
    proxy.swallow()
    started = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        await slept(database, 0.01)
    assert time.monotonic() - started < 0.5 + BUSY
    proxy.pass_on()


async def test_statement_that_takes_long_on_purpose_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration may build an index for minutes."""
    monkeypatch.setattr(Connection, "patience", 0.3)
    async with database.connection() as connection, database.unhurried(connection):
        await connection.execute("SELECT pg_sleep(0.8)")


async def test_connections_cut_by_a_restart_are_never_handed_out(
    database: Database, server: Server
) -> None:
    """All were used a moment ago, so none of them would be asked whether it still lives."""
    await asyncio.gather(*(slept(database, 0.05) for _ in range(MANY)))
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    await asyncio.gather(*(slept(database, 0.01) for _ in range(2 * MANY)))


async def test_database_is_found_again_within_seconds_of_its_return(
    database: Database, server: Server
) -> None:
    """However long it was away: the pool's own pauses double, and after eight seconds are eight seconds long."""
    await slept(database, 0.01)
    await asyncio.to_thread(server.stop)
    gone = time.monotonic()
    while time.monotonic() - gone < 8.0:
        with pytest.raises(StorageDown):
            await slept(database, 0.01)
    await asyncio.to_thread(server.start)
    back = time.monotonic()
    while True:
        try:
            await slept(database, 0.01)
            break
        except StorageDown:
            assert time.monotonic() - back < FOUND_SECONDS
    assert time.monotonic() - back < FOUND_SECONDS
