"""Workers end while callers are on the line: of a killed one another takes up the call, a stopped one finishes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from checkpoints.owner import STEADY
from tests.acceptance.books import Books, opening
from tests.acceptance.line import Line, OpenLine, Row
from tests.acceptance.office import (
    TOLD_FIRST,
    hear_each_other,
    office_of,
    takes_the_call,
)
from tests.acceptance.service import Service
from tests.acceptance.worker import HOLDFAST, Worker, running_worker
from tests.company import KEY
from voice.local_server import LocalLiveKit

RESCUED = r'"reason": "(\w+)".*"event": "call\.rescued"'
STOPS = r"worker\.stopping"

pytestmark = pytest.mark.slow


@asynccontextmanager
async def rescue(line: Line, home: Path, folder: Path, **more: str) -> AsyncIterator[Service]:
    """`holdfast rescue`, as whoever runs the line starts it beside the workers."""
    environment = {
        **line.server.environment,
        "DATABASE_URL": line.dsn,
        "HOLDFAST_HOME": str(home),
        "HOLDFAST_ENCRYPTION_KEY": KEY,
        "HOLDFAST_LOG_LEVEL": "info",
        "HOLDFAST_VOICE__AGENT_NAME": line.exchange.agent_name,
        **more,
    }
    service = await Service.start([str(HOLDFAST), "rescue"], folder / "rescue.log", environment)
    try:
        yield service
    finally:
        await service.end()


@asynccontextmanager
async def another_worker(
    line: Line, folder: Path, host: str | None = None
) -> AsyncIterator[Worker]:
    """With the environment of the first."""
    place = folder / "another"
    place.mkdir()
    async with running_worker(place, line.worker.family[-1].environ(), host) as worker:
        yield worker


def holder(call: Row, *workers: Worker) -> tuple[Worker, Worker]:
    """The worker that speaks in this call, and the other one."""
    process = int(str(call["lease_owner"]).split(":")[1])
    one, other = workers
    family = {member.pid for member in one.family}
    return (one, other) if process in family else (other, one)


@pytest_asyncio.fixture(loop_scope="session")
async def line(open_own_line: OpenLine) -> AsyncIterator[Line]:
    """Its worker is ended in the middle."""
    async with open_own_line() as opened:
        yield opened


@asynccontextmanager
async def known_for_a_while(line: Line, rescuer: Service) -> AsyncIterator[None]:
    """Rescue has been connected for so long that it believes what it doesn't see."""

    async def connected() -> bool:
        rows = await line.rows(
            "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s "
            "AND now() - backend_start > %s",
            f"%:{rescuer.pid}:%",
            STEADY,
        )
        return bool(rows)

    await line.eventually(connected, "a rescue that has been there for a while")
    yield


@pytest.mark.parametrize(
    ("hosts", "settings"),
    [
        ((None, None), {}),
        (("one", "another"), {}),
        (("one", "another"), {"HOLDFAST_POSTGRES__POOLER": "true"}),
    ],
    ids=["one host", "three hosts", "three hosts behind a pooler"],
)
async def test_caller_of_a_killed_worker_goes_on_in_the_same_room(
    open_own_line: OpenLine,
    hosts: tuple[str | None, str | None],
    settings: dict[str, str],
    model_home: Path,
    tmp_path: Path,
) -> None:
    async with (
        open_own_line(host=hosts[0], **settings) as line,
        another_worker(line, tmp_path, hosts[1]) as another,
        rescue(line, model_home, tmp_path, **settings) as rescuer,
        known_for_a_while(line, rescuer),
        line.caller("+15035550199") as caller,
    ):
        await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("i need to change my address")
        await books.until_asked(caller, "identity.fact", wish)
        speaks, waits = holder(await books.entry(), line.worker, another)
        said = await caller.says("what is your return policy for furniture")
        await caller.hears_sound(since=said.ended)
        assert caller.hearing
        speaks.is_killed()
        assert await rescuer.says(RESCUED) == "dead"
        await caller.hears("The line dropped earlier")
        resumed = await books.has(asks="resume.continue", legs=2)
        assert len(await line.rows("SELECT 1 FROM calls")) == 1
        assert holder(resumed, waits, speaks)[0] is waits
        await books.until_asked(caller, "identity.fact", {"resume.continue": "yes please"})
        assert not [one for one in caller.events if one["event"] == "disconnected"]


async def test_caller_whose_worker_dies_between_them_and_a_colleague_is_put_through_again(
    open_own_line: OpenLine, livekit_server: LocalLiveKit, model_home: Path, tmp_path: Path
) -> None:
    async with (
        office_of(open_own_line, livekit_server, **TOLD_FIRST) as office,
        another_worker(office.line, tmp_path) as another,
        rescue(office.line, model_home, tmp_path) as rescuer,
        office.line.caller("+15035550127") as caller,
    ):
        line = office.line
        books, phone = await office.rung_by(caller)
        async with phone.answered(line.exchange) as colleague:
            await takes_the_call(colleague)
            await hear_each_other(colleague, caller)
            speaks, _ = holder(await books.entry(), line.worker, another)
            speaks.is_killed()
            assert await rescuer.says(RESCUED) == "dead"
            await colleague.sees("disconnected")
        phone = await office.network.rings()
        async with phone.answered(line.exchange) as colleague:
            await takes_the_call(colleague)
            await hear_each_other(colleague, caller)
            await colleague.hangs_up()
            await caller.sees("disconnected")
        await books.has(state="closed", outcome="escalated", legs=2)
        assert await office.outcomes(books) == ["through"]


async def test_worker_told_to_stop_finishes_its_call_and_takes_no_other(
    line: Line, tmp_path: Path
) -> None:
    async with (
        another_worker(line, tmp_path) as another,
        line.caller("+15035550199") as caller,
    ):
        await caller.hears_out()
        mine = await Books.of(line, caller)
        speaks, goes_on = holder(await mine.entry(), line.worker, another)
        process = speaks.family[-1]
        speaks.is_told_to_stop()
        await speaks.says(STOPS)
        async with line.caller("+15035550127") as newcomer:
            await newcomer.hears("How can I help you")
            theirs = await Books.of(line, newcomer)
            assert holder(await mine.entry(), line.worker, another)[0] is speaks
            assert holder(await theirs.entry(), line.worker, another)[0] is goes_on
        await caller.says("i'm calling about an order")
        assert await caller.hears_out()
        await caller.says("oh sorry i gotta go bye")
        await caller.sees("disconnected")

        async def has_ended() -> bool:
            return not process.is_running()

        await line.eventually(has_ended, "the end of the worker")
    await mine.has(state="closed", legs=1)
