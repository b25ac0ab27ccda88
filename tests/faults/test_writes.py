"""A change while the database fails in the middle of it: never claimed too early, never made twice."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest

import conversation
from conversation import LOOKUPS_SECONDS
from services import Services
from tests.company import Clock
from tests.faults.callers import Caller, identified
from tests.faults.proxy import Proxy
from tests.faults.rows import phone_of, rows_of
from tests.faults.server import Server
from tests.faults.times import BACK_SECONDS, REPLY_SECONDS

ANN = "+15035550199"
NEW_PHONE = "+15035550144"


@pytest.fixture
async def ann(services: Services) -> Caller:
    """Asked whether her new number is right; everything before is on record."""
    caller = Caller(services, ANN)
    await identified(caller, "i got a new phone number please update it", "nine seven four oh one")
    asked = await caller.says("it's five oh three five five five oh one four four")
    assert asked.asks == "account.confirm", asked
    await caller.call.memory.durable(BACK_SECONDS)
    return caller


async def test_change_whose_commit_was_never_acknowledged_is_neither_claimed_nor_made_again(
    ann: Caller, proxy: Proxy, server: Server, company_database: str
) -> None:
    agreed = await ann.seems_to_agree()
    proxy.swallow_answer_to(b"COMMIT")
    heard = await ann.did_agree(agreed)
    assert (heard.asks, heard.did) == ("escalation.choice", ())
    assert heard.seconds < REPLY_SECONDS
    assert phone_of(server, company_database, "C-102") == NEW_PHONE, "the server never heard COMMIT"

    proxy.pass_on()
    told = await ann.says("no thanks")
    assert (told.asks, told.did) == ("closing.more", ()), told  # it is the number on file
    await ann.call.memory.durable(BACK_SECONDS)
    rows = rows_of(server, company_database, ann.call)
    assert rows.effects == ("update_phone",)
    assert rows.notices == ("phone_changed",)


async def test_no_change_is_made_before_what_was_said_before_is_on_record(
    ann: Caller, server: Server, company_database: str
) -> None:
    """Else a crash could leave a change whose question nobody remembers."""
    with psycopg.connect(server.admin_dsn, dbname=company_database) as elsewhere:
        elsewhere.execute("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE")
        await ann.says("what did you say")
        heard = await ann.says("yes")
        assert (heard.asks, heard.did) == ("escalation.choice", ())
        assert heard.seconds < REPLY_SECONDS
        assert rows_of(server, company_database, ann.call).effects == ()

    await ann.call.memory.durable(BACK_SECONDS)
    await ann.says("no thanks")
    heard = await ann.says("yes")
    assert heard.did == ("update_phone",)
    assert rows_of(server, company_database, ann.call).effects == ("update_phone",)


async def test_wrong_detail_is_not_counted_and_not_believed_while_it_cannot_be_counted(
    services: Services, proxy: Proxy
) -> None:
    caller = Caller(services, ANN)
    await caller.rings()
    await caller.says("i need to change my phone number")
    proxy.swallow()
    heard = await caller.says("one one one one one")
    assert heard.asks == "escalation.choice"
    assert heard.seconds < REPLY_SECONDS
    proxy.pass_on()
    await caller.says("no thanks")
    heard = await caller.says("nine seven four oh one")
    assert heard.asks == "identity.code"


async def test_resumed_caller_is_greeted_though_nobody_can_tell_what_became_of_a_change(
    ann: Caller, services: Services, proxy: Proxy
) -> None:
    await ann.call.drop()
    again = await services.answer(ANN, None)
    proxy.swallow()
    started = time.monotonic()
    reply = await again.begin()
    assert time.monotonic() - started < LOOKUPS_SECONDS + 1.0
    assert reply.asks == "resume.continue"
    proxy.pass_on()


async def test_goodbye_is_said_at_once_and_put_on_record_when_it_can_be(
    services: Services, proxy: Proxy, server: Server, company_database: str
) -> None:
    caller = Caller(services, "+15035550155")
    await caller.rings()
    await caller.call.memory.durable(BACK_SECONDS)
    proxy.swallow()
    heard = await caller.says("goodbye")
    assert "Goodbye" in heard.said
    assert heard.seconds < REPLY_SECONDS
    hanging = asyncio.create_task(caller.call.hang_up())
    proxy.pass_on()
    assert await hanging
    rows = rows_of(server, company_database, caller.call)
    assert (rows.state, rows.turns) == ("closed", 2)


async def test_caller_who_hangs_up_while_the_database_is_away_has_a_closed_call(
    services: Services, proxy: Proxy, server: Server, company_database: str
) -> None:
    caller = Caller(services, "+15035550155")
    await caller.rings()
    proxy.swallow()
    hanging = asyncio.create_task(caller.call.hang_up())
    await asyncio.wait({hanging}, timeout=0.2)
    proxy.pass_on()
    assert await hanging
    assert rows_of(server, company_database, caller.call).state == "closed"


async def test_call_whose_end_is_not_on_record_is_free_when_its_lease_ran_out(
    services: Services, proxy: Proxy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process lives on and renews the leases of its other calls."""
    monkeypatch.setattr(conversation, "CLOSE_SECONDS", 0.2)
    caller = Caller(services, ANN)
    await caller.rings()
    await caller.says("i need to change my phone number")
    await caller.call.memory.durable(BACK_SECONDS)
    proxy.swallow()
    assert not await caller.call.drop()
    proxy.pass_on()
    clock.move("29s")
    await services.register.keep_alive()
    clock.move("2s")

    again = await services.answer(ANN, None)
    assert again.record.call_id == caller.call.record.call_id


async def test_call_answered_as_the_database_went_away_is_resumed_by_the_next_call(
    services: Services, proxy: Proxy
) -> None:
    """Its row says that somebody is on the line, and the caller heard that the line is unavailable."""
    caller = Caller(services, ANN)
    await caller.rings()
    await caller.says("i need to change my phone number")
    await caller.call.drop()
    proxy.swallow_answer_to(services.register._owner.encode())  # as the new holder of the call
    heard = await Caller(services, ANN).rings()
    assert heard.error.startswith("StorageDown")
    proxy.pass_on()

    again = Caller(services, ANN)
    heard = await again.rings()
    assert heard.asks == "resume.continue"
    assert again.call.record.call_id == caller.call.record.call_id


async def test_dropped_call_is_resumed_though_a_writer_that_was_cut_off_still_holds_it(
    ann: Caller, services: Services, server: Server, company_database: str
) -> None:
    """The server notices a moment later that nobody is at the other end any more."""
    await ann.call.drop()
    with psycopg.connect(server.admin_dsn, dbname=company_database) as cut_off:
        cut_off.execute("SELECT 1 FROM calls FOR UPDATE")
        ringing = asyncio.create_task(services.answer(ANN, None))
        await asyncio.wait({ringing}, timeout=0.3)
    again = await ringing
    assert again.record.call_id == ann.call.record.call_id


async def test_live_call_marked_interrupted_while_the_database_was_away_is_live_again(
    ann: Caller, services: Services, clock: Clock
) -> None:
    clock.move("31s")
    await services.register.mark_interrupted()
    record = await services.register.get(str(ann.call.record.call_id))
    assert record.state == "interrupted"
    await services.register.keep_alive()
    record = await services.register.get(str(ann.call.record.call_id))
    assert (record.state, record.interrupted_at) == ("live", None)
