"""Behind PgBouncer in transaction mode: see also test_database_away.py, where the server restarts behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints.database import Database
from checkpoints.errors import StorageDown
from checkpoints.migrations import migrate
from services import MIGRATION_FOLDERS
from tests.faults.callers import Caller, identified
from tests.faults.conftest import line_on
from tests.faults.pooler import NO_POOLER, PLACES, PROGRAM, pooler_before
from tests.faults.rows import query, rows_of
from tests.faults.server import Server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=NO_POOLER)
CALLS = 3 * PLACES


@pytest.fixture
def port(server: Server) -> Iterator[int]:
    with pooler_before(server) as listening:
        yield listening


async def test_more_calls_than_server_connections_are_held_at_once(
    server: Server, company_database: str, port: int, model_home: Path
) -> None:
    dsn = server.dsn(company_database, host="127.0.0.1", port=port)
    async with line_on(dsn, model_home, pooler=True) as services:
        callers = [Caller(services, f"+1503555{number:04d}") for number in range(CALLS)]
        await asyncio.gather(*(books(caller, slot) for slot, caller in enumerate(callers)))
    for caller in callers:
        assert not [one for one in caller.exchanges if not one.said]
        rows = rows_of(server, company_database, caller.call)
        assert rows.turns == len(caller.exchanges)
        assert rows.state == "interrupted"


async def books(caller: Caller, slot: int) -> None:
    """A call that looks up, writes and drops."""
    await caller.rings()
    await caller.says("what are your opening hours")
    await caller.says("call me back please")
    await caller.says("about a return")
    await caller.call.drop()


async def test_change_is_made_once_and_the_dropped_call_resumed(
    server: Server, company_database: str, port: int, model_home: Path
) -> None:
    dsn = server.dsn(company_database, host="127.0.0.1", port=port)
    async with line_on(dsn, model_home, pooler=True) as services:
        caller = Caller(services, "+15035550188")
        await identified(caller, "i need to change my address", "nine seven three oh one")
        await caller.says("fifty main street portland oregon nine seven two oh five")
        await caller.call.drop()
        again = Caller(services, "+15035550188")
        heard = await identified(again, "yes please", "nine seven three oh one")
        assert heard.asks == "account.confirm", again.exchanges
        heard = await again.says("yes")
        assert heard.did == ("update_address",)
        await again.call.hang_up()
    rows = rows_of(server, company_database, again.call)
    assert (rows.effects, rows.notices) == (("update_address",), ("address_changed",))


async def test_tables_are_made_behind_a_pooler_by_one_of_several_processes(
    server: Server, port: int
) -> None:
    name = server.new_database()
    dsn = server.dsn(name, host="127.0.0.1", port=port)

    async def started() -> None:
        async with Database(dsn, pooler=True) as database:
            await migrate(database, MIGRATION_FOLDERS)

    await asyncio.gather(started(), started())
    await asyncio.gather(started(), started())
    held = query(server, name, "SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory'")
    assert held == [{"locks": 0}]


async def test_without_the_setting_the_line_says_what_the_pooler_refuses(
    server: Server, company_database: str, port: int
) -> None:
    with pytest.raises(StorageDown, match="startup parameter"):
        async with Database(server.dsn(company_database, host="127.0.0.1", port=port)):
            pass
