"""`holdfast call` while the database is away: one line that says so, soon, and nothing is left hanging."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Holdfast
from tests.company import KEY, settings_for
from tests.faults.proxy import Proxy
from tests.faults.rows import query
from tests.faults.server import Server
from tests.faults.times import BUSY

GIVES_UP_SECONDS = 5.0
OMAR = "+15035550188"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def holdfast(proxied_dsn: str, model_home: Path, tmp_path: Path) -> Holdfast:
    """The command on a database of the test's own, through the proxy."""
    settings = settings_for(proxied_dsn, model_home)
    return Holdfast(
        tmp_path,
        {
            "HOLDFAST_HOME": str(settings.home),
            "HOLDFAST_CACHE": str(settings.cache),
            "HOLDFAST_ENCRYPTION_KEY": KEY,
            "DATABASE_URL": proxied_dsn,
        },
    )


@pytest.mark.parametrize("trouble", ["refused", "silent"])
def test_call_that_cannot_begin_ends_with_one_line_within_five_seconds(
    trouble: str, silent_port: int, tmp_path: Path
) -> None:
    port = 1 if trouble == "refused" else silent_port
    command = Holdfast(
        tmp_path,
        {
            "HOLDFAST_HOME": str(tmp_path),
            "DATABASE_URL": f"postgresql://u:s3cret@localhost:{port}/x",
        },
    )
    began = time.monotonic()
    ended = command.run("call", "--json", "--from", OMAR)
    assert time.monotonic() - began < GIVES_UP_SECONDS + BUSY
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.complaint.splitlines()) == 1, ended.complaint
    assert ended.complaint.startswith("holdfast: no database at localhost:")


async def test_line_that_closes_while_the_database_is_away_waits_until_it_is_back(
    holdfast: Holdfast, proxy: Proxy, server: Server, company_database: str
) -> None:
    with holdfast.call("--from", OMAR) as line:
        await asyncio.to_thread(line.heard)
        proxy.swallow()
        await asyncio.to_thread(line.say, "hold on a second")
        hanging = asyncio.create_task(asyncio.to_thread(line.hang))
        await asyncio.wait({hanging}, timeout=1.0)
        assert not hanging.done(), "it left before its turns were on record"
        proxy.pass_on()
        ended = await hanging
    assert ended.code == 0, ended
    assert query(server, company_database, "SELECT turns, state FROM calls") == [
        {"turns": 2, "state": "interrupted"}
    ]
