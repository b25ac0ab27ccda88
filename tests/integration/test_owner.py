"""Who is gone: of this host and of others, and who only looks so for a while."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from checkpoints import owner
from checkpoints.calls import LEASE
from checkpoints.database import Database
from checkpoints.owner import (
    APPLICATION,
    MISSED,
    STEADY,
    UNHEARD,
    Witness,
    hidden,
    this_process,
)
from tests.company import Clock
from tests.integration.connections import disconnected

HERE = this_process()
DIED_HERE = f"{HERE.partition(':')[0]}:4194305:0:00000000"  # above the highest pid
ELSEWHERE = f"another-host:{HERE.partition(':')[2]}"
JUST_NOW = timedelta(seconds=0.1)
CONNECTED = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], application_name=sys.argv[2]):
    print(flush=True)
    time.sleep(600)
"""


@dataclass
class Scene:
    """A witness, and a process of another host that holds calls."""

    dsn: str
    watching: Database
    clock: Clock
    witness: Witness
    leases: dict[str, datetime] = field(default_factory=dict)

    @asynccontextmanager
    async def process(self, *, pooler: bool = False) -> AsyncIterator[str]:
        """Connected to the database, as long as the block lasts."""
        async with Database(self.dsn, pooler=pooler) as connected, connected.connection():
            self.renews(connected.owner)
            yield connected.owner
        await disconnected(self.watching, connected.owner)

    def renews(self, name: str) -> None:
        self.leases[name] = self.clock()

    async def looks(self, after: timedelta = timedelta()) -> None:
        self.clock.now += after
        async with self.watching.connection() as connection:
            await self.witness.look(connection, self.leases)


@pytest.fixture
async def scene(
    database: Database, database_dsn: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    monkeypatch.setattr(owner, "STEADY", timedelta())  # the age of connections is Postgres's own
    monkeypatch.setattr("checkpoints.database.this_process", lambda: ELSEWHERE)
    witness = Witness(database.owner, lambda: clock().timestamp())
    return Scene(database_dsn, database, clock, witness)


def test_process_of_this_host_is_seen_at_once() -> None:
    witness = Witness("somebody")
    assert witness.is_gone(DIED_HERE)
    assert not witness.is_gone(HERE)
    assert not witness.is_gone(ELSEWHERE)


async def test_process_of_another_host_is_gone_when_it_has_no_connection_for_a_while(
    scene: Scene,
) -> None:
    async with scene.process() as name:
        await scene.looks()
        await scene.looks(after=MISSED)
        assert not scene.witness.is_gone(name)

    await scene.looks()
    await scene.looks(after=MISSED - JUST_NOW)
    assert not scene.witness.is_gone(name)
    await scene.looks(after=JUST_NOW)
    assert scene.witness.is_gone(name)


async def test_process_that_connects_again_is_not_gone(scene: Scene) -> None:
    async with scene.process() as name:
        pass
    await scene.looks()
    async with scene.process():
        await scene.looks(after=MISSED)
    await scene.looks()
    assert not scene.witness.is_gone(name)
    await scene.looks(after=MISSED)
    assert scene.witness.is_gone(name)


async def test_process_that_was_taken_for_gone_and_connects_again_is_not(scene: Scene) -> None:
    scene.renews(ELSEWHERE)
    await scene.looks()
    await scene.looks(after=MISSED)
    assert scene.witness.is_gone(ELSEWHERE)
    async with scene.process():
        await scene.looks()
        assert not scene.witness.is_gone(ELSEWHERE)


async def test_process_that_goes_on_renewing_its_leases_is_not_gone(scene: Scene) -> None:
    """Its connections have another name, or are with another server."""
    for _ in range(5):
        scene.renews(ELSEWHERE)
        await scene.looks(after=MISSED / 2)
        await scene.looks(after=MISSED / 2)
        assert not scene.witness.is_gone(ELSEWHERE)


async def test_process_behind_a_pooler_is_gone_when_it_renews_nothing_for_a_while(
    scene: Scene, database: Database
) -> None:
    """Its connections are the pooler's, which stay."""
    scene.witness = Witness(hidden(database.owner), lambda: scene.clock().timestamp())
    async with scene.process(pooler=True) as name:
        await scene.looks()
        await scene.looks(after=UNHEARD - JUST_NOW)
        scene.renews(name)
        await scene.looks()
        await scene.looks(after=UNHEARD - JUST_NOW)
        assert not scene.witness.is_gone(name)
        await scene.looks(after=JUST_NOW)
        assert scene.witness.is_gone(name)
        scene.renews(name)
        await scene.looks()
        assert not scene.witness.is_gone(name)


async def test_process_behind_a_pooler_is_not_judged_past_the_pooler(scene: Scene) -> None:
    """The pooler may be away, and the process with it."""
    async with scene.process(pooler=True) as name:
        await scene.looks()
        await scene.looks(after=LEASE)
        assert not scene.witness.is_gone(name)


async def test_witness_behind_a_pooler_can_tell_after_it_has_looked_for_a_while(
    scene: Scene, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose connection it is given says nothing of when the database was away."""
    monkeypatch.setattr(owner, "STEADY", STEADY)
    scene.witness = Witness(hidden(database.owner), lambda: scene.clock().timestamp())
    scene.renews(ELSEWHERE)
    looks = STEADY // MISSED + 1
    for _ in range(looks):
        assert not scene.witness.is_gone(ELSEWHERE)
        await scene.looks(after=MISSED)
    await scene.looks(after=MISSED)
    await scene.looks(after=MISSED)
    assert scene.witness.is_gone(ELSEWHERE)
    await scene.looks(after=MISSED + JUST_NOW)
    assert not scene.witness.is_gone(ELSEWHERE), "it may have missed something"


async def test_frozen_process_keeps_its_calls_and_a_killed_one_does_not(scene: Scene) -> None:
    """The kernel keeps the connections of a process that stands still."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CONNECTED, scene.dsn, APPLICATION + ELSEWHERE),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    scene.renews(ELSEWHERE)
    process.send_signal(signal.SIGSTOP)
    await scene.looks()
    await scene.looks(after=LEASE)
    assert not scene.witness.is_gone(ELSEWHERE)

    process.kill()
    await process.wait()
    await disconnected(scene.watching, ELSEWHERE)
    await scene.looks()
    await scene.looks(after=MISSED)
    assert scene.witness.is_gone(ELSEWHERE)


async def test_witness_that_has_just_connected_can_tell_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the database: the others come back in a moment."""
    scene.renews(ELSEWHERE)
    await scene.looks()
    with monkeypatch.context() as restarted:
        restarted.setattr(owner, "STEADY", STEADY)
        await scene.looks(after=MISSED)
    await scene.looks()
    assert not scene.witness.is_gone(ELSEWHERE)
    await scene.looks(after=MISSED)
    assert scene.witness.is_gone(ELSEWHERE)
