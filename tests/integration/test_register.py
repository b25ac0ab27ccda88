"""The register of calls: who can take a call up, when, and that only one of them does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest

from checkpoints import owner
from checkpoints.calls import LEASE, CallRecord, CallRegister, Lease, TurnRecord
from checkpoints.database import Database
from checkpoints.errors import CallNotFound, LeaseLost
from services import Services
from tests.company import Clock
from tests.integration.connections import disconnected

WINDOW = timedelta(hours=3)
CALLER, OTHER = "hash of one number", "hash of another"
A_WORKER = """
import asyncio, sys
from datetime import datetime
from checkpoints.calls import CallRegister
from checkpoints.database import Database

async def main():
    async with Database(sys.argv[1]) as database:
        register = CallRegister(database, lambda: datetime.fromisoformat(sys.argv[2]))
        record = await register.begin(sys.argv[3], "en")
        print(record.call_id, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def register(database: Database, clock: Clock) -> CallRegister:
    return CallRegister(database, clock)


@pytest.fixture
async def workers(database_dsn: str, clock: Clock) -> AsyncIterator[list[CallRegister]]:
    """Registers with connections of their own, as other processes have them."""
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(Database(database_dsn)) for _ in range(6)]
        yield [CallRegister(database, clock) for database in databases]


async def test_new_call_is_live_and_held(register: CallRegister, clock: Clock) -> None:
    record = await register.begin(CALLER, "es")

    assert (record.state, record.language, record.legs, record.turns) == ("live", "es", 1, 0)
    assert record.lease_owner
    assert record.lease_expires_at == clock() + LEASE
    assert record.started_at == record.last_turn_at == clock()


async def test_dropped_call_is_taken_up_by_the_same_number(
    register: CallRegister, clock: Clock
) -> None:
    begun = await dropped(register)
    clock.move("10m")

    record = await register.resume(CALLER, WINDOW)

    assert record is not None
    assert record.call_id == begun.call_id
    assert (record.state, record.legs, record.interrupted_at) == ("live", 2, None)
    assert record.lease_counter == begun.lease_counter + 1
    assert await register.resume(CALLER, WINDOW) is None


async def test_of_many_that_take_up_a_call_one_gets_it(workers: list[CallRegister]) -> None:
    for _ in range(20):  # a race is not lost every time
        begun = await dropped(workers[0])
        taken = await asyncio.gather(*(one.resume(CALLER, WINDOW) for one in workers))

        assert [record.call_id for record in taken if record] == [begun.call_id]


async def test_of_two_dropped_calls_two_callers_get_one_each(workers: list[CallRegister]) -> None:
    begun = {(await dropped(workers[0])).call_id for _ in range(2)}

    taken = await asyncio.gather(*(one.resume(CALLER, WINDOW) for one in workers))

    assert sorted(record.call_id for record in taken if record) == sorted(begun)


async def test_newest_dropped_call_is_taken_up_first(register: CallRegister, clock: Clock) -> None:
    await dropped(register)
    clock.move("1m")
    newer = await dropped(register)

    record = await register.resume(CALLER, WINDOW)

    assert record is not None
    assert record.call_id == newer.call_id


async def test_newest_call_is_waited_for_while_a_writer_that_was_cut_off_still_holds_it(
    register: CallRegister, database: Database, clock: Clock
) -> None:
    """The server notices a moment later that nobody is at the other end any more."""
    await dropped(register)
    clock.move("1m")
    newest = await dropped(register)
    async with database.connection() as cut_off, cut_off.transaction():
        await cut_off.execute(
            "SELECT 1 FROM calls WHERE call_id = %s FOR UPDATE", (newest.call_id,)
        )
        ringing = asyncio.create_task(register.resume(CALLER, WINDOW))
        await asyncio.wait({ringing}, timeout=0.2)

    resumed = await ringing
    assert resumed is not None
    assert resumed.call_id == newest.call_id


@pytest.mark.parametrize(("waited", "taken_up"), [("179m", True), ("180m", False)])
async def test_call_can_be_taken_up_within_the_window_only(
    waited: str, taken_up: bool, register: CallRegister, clock: Clock
) -> None:
    await dropped(register)
    clock.move(waited)

    assert (await register.resume(CALLER, WINDOW) is not None) is taken_up


async def test_call_of_the_future_is_not_taken_up(register: CallRegister, clock: Clock) -> None:
    """A process may run on a pretended time (`holdfast call --now`)."""
    await dropped(register)
    clock.now -= timedelta(days=1)

    assert await register.resume(CALLER, WINDOW) is None


async def test_other_and_withheld_numbers_take_up_nothing(register: CallRegister) -> None:
    await dropped(register)
    withheld = await register.begin(None, "en")
    await register.interrupt(withheld.lease)

    assert await register.resume(OTHER, WINDOW) is None
    assert await register.resume(None, WINDOW) is None


async def test_closed_call_is_not_taken_up(register: CallRegister) -> None:
    begun = await register.begin(CALLER, "en")
    await register.close(begun.lease, "solved")

    assert await register.resume(CALLER, WINDOW) is None
    closed = await register.get(str(begun.call_id))
    assert (closed.state, closed.outcome, closed.lease_owner) == ("closed", "solved", None)


async def test_live_call_is_taken_up_when_its_lease_ran_out(
    workers: list[CallRegister], clock: Clock
) -> None:
    holder, other = workers[:2]
    begun = await holder.begin(CALLER, "en")
    clock.now += LEASE
    assert await other.resume(CALLER, WINDOW) is None
    clock.move("1s")

    record = await other.resume(CALLER, WINDOW)

    assert record is not None
    assert record.call_id == begun.call_id
    assert record.legs == 2


async def test_lease_is_renewed_by_its_holder(
    workers: list[CallRegister], clock: Clock, database: Database
) -> None:
    holder, other = workers[:2]
    begun = await holder.begin(CALLER, "en")
    clock.now += LEASE
    await holder.keep_alive()
    clock.now += LEASE
    assert await other.resume(CALLER, WINDOW) is None
    await write(holder, database, begun.lease, turn(1, clock))
    clock.now += LEASE
    assert await other.resume(CALLER, WINDOW) is None


async def test_call_of_a_killed_process_is_taken_up_at_once(
    database_dsn: str, register: CallRegister, clock: Clock
) -> None:
    """The caller rings again within seconds; the lease has half a minute to go."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", A_WORKER, database_dsn, clock().isoformat(), CALLER),
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout is not None
    call_id = (await worker.stdout.readline()).decode().strip()
    assert await register.resume(CALLER, WINDOW) is None, "its process lives"

    worker.kill()
    await worker.wait()

    record = await register.resume(CALLER, WINDOW)
    assert record is not None
    assert str(record.call_id) == call_id


async def test_call_of_a_killed_process_of_another_host_is_interrupted_and_keeps_its_name(
    database_dsn: str,
    database: Database,
    register: CallRegister,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owner, "STEADY", timedelta())
    monkeypatch.setattr(owner, "MISSED", timedelta())
    monkeypatch.setattr("checkpoints.database.this_process", lambda: "another-host:1:1:1")
    async with Database(database_dsn) as killed:
        begun = await CallRegister(killed, clock).begin(CALLER, "en")
        await register.mark_gone()
        assert (await register.get(str(begun.call_id))).state == "live"
    await disconnected(database, killed.owner)
    await register.mark_gone()

    record = await register.get(str(begun.call_id))
    assert (record.state, record.lease_owner) == ("interrupted", "another-host:1:1:1")
    resumed = await register.resume(CALLER, WINDOW)
    assert resumed is not None
    assert (resumed.call_id, resumed.legs) == (begun.call_id, 2)


async def test_who_lost_a_call_can_write_nothing_into_it(
    workers: list[CallRegister], clock: Clock, database: Database
) -> None:
    holder, other = workers[:2]
    begun = await holder.begin(CALLER, "en")
    clock.now += LEASE + timedelta(seconds=1)
    taken = await other.resume(CALLER, WINDOW)
    assert taken is not None
    before = await other.get(str(begun.call_id))

    await holder.interrupt(begun.lease)
    await holder.close(begun.lease, "abandoned")
    await holder.keep_alive()
    with pytest.raises(LeaseLost):
        await write(holder, database, begun.lease, turn(9, clock))

    assert await other.get(str(begun.call_id)) == before
    await write(other, database, taken.lease, turn(1, clock))


async def test_renewal_that_comes_late_does_not_undo_the_end_of_a_call(
    register: CallRegister, database: Database, clock: Clock
) -> None:
    """Sent before the line dropped, and held up on the way."""
    dropped, said_goodbye = await register.begin(CALLER, "en"), await register.begin(None, "en")
    await register.interrupt(dropped.lease)
    goodbye = turn(1, clock).model_copy(update={"state": "interrupted"})
    await write(register, database, said_goodbye.lease, goodbye)
    register._held.update({one.call_id: one.lease for one in (dropped, said_goodbye)})

    await register.keep_alive()

    for one in (dropped, said_goodbye):
        record = await register.get(str(one.call_id))
        assert (record.state, record.lease_owner) == ("interrupted", None)


async def test_turn_that_comes_late_does_not_undo_a_later_one(
    register: CallRegister, clock: Clock, database: Database
) -> None:
    begun = await register.begin(CALLER, "en")
    assert await write(register, database, begun.lease, turn(2, clock, asks="account.phone"))

    assert not await write(register, database, begun.lease, turn(1, clock, asks="clarify"))

    record = await register.get(str(begun.call_id))
    assert (record.turns, record.asks) == (2, "account.phone")


async def test_two_callers_of_one_number_at_once_get_a_call_each(services: Services) -> None:
    first = await services.answer("+15035550127", None)
    await first.begin()
    second = await services.answer("+15035550127", None)
    await second.begin()

    assert first.record.call_id != second.record.call_id
    assert first.record.caller_hash == second.record.caller_hash

    for call in (first, second):
        reply = await call.hear("where is my order")
        assert reply.asks == "identity.fact"
        await call.drop()


async def test_callers_without_a_number_never_get_each_others_call(services: Services) -> None:
    first = await services.answer(None, None)
    await first.begin()
    await first.hear("where is my order")
    await first.drop()

    second = await services.answer(None, None)
    reply = await second.begin()

    assert second.record.call_id != first.record.call_id
    assert (reply.flow, reply.asks) == (None, None)
    await second.drop()


async def test_calls_are_listed_newest_first_and_by_state(
    register: CallRegister, clock: Clock
) -> None:
    first = await dropped(register)
    clock.move("1m")
    second = await register.begin(OTHER, "fr")

    listed = await register.list()

    assert [record.call_id for record in listed] == [second.call_id, first.call_id]
    assert [one.call_id for one in await register.list(state="interrupted")] == [first.call_id]
    assert [one.call_id for one in await register.list(limit=1)] == [second.call_id]


async def test_call_is_found_by_the_beginning_of_its_id(register: CallRegister) -> None:
    begun = await register.begin(CALLER, "en")
    prefix = str(begun.call_id)[:8]

    assert (await register.get(prefix.upper())).call_id == begun.call_id
    for unknown in ("", prefix[:7], str(uuid4()), "________", "%%%%%%%%"):
        with pytest.raises(CallNotFound):
            await register.get(unknown)


async def dropped(register: CallRegister) -> CallRecord:
    """A call of CALLER whose line went dead."""
    record = await register.begin(CALLER, "en")
    await register.interrupt(record.lease)
    return record


def turn(number: int, clock: Clock, asks: str | None = None) -> TurnRecord:
    return TurnRecord(
        turn=number,
        at=clock(),
        language="en",
        open_flow=None,
        asks=asks,
        verified=0,
        topics=(),
    )


async def write(
    register: CallRegister, database: Database, lease: Lease, record: TurnRecord
) -> bool:
    async with database.transaction() as connection:
        return await register.write_turn(connection, lease, record)
