"""Callers are put through to colleagues by phone: told first and joined by us, or moved by the phone network."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.caller import WITHIN
from tests.acceptance.line import OpenLine
from tests.acceptance.office import (
    COLLEAGUES,
    TOLD_FIRST,
    Office,
    hear_each_other,
    office_of,
    takes_the_call,
)
from tests.acceptance.together import Together
from voice.local_server import LocalLiveKit

JANE = "+15035550127"

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(
    open_own_line: OpenLine, livekit_server: LocalLiveKit, together: Together
) -> AsyncIterator[Office]:
    """Its colleagues are told who is waiting before they are joined."""
    async with office_of(open_own_line, livekit_server, **TOLD_FIRST) as opened:
        yield opened
        await together.end()


@pytest.mark.together
async def test_caller_is_joined_to_a_colleague_who_was_told_first(office: Office) -> None:
    async with office.line.caller("+15035550181") as caller:
        books, phone = await office.rung_by(caller)
        assert phone.asked.sip_call_to == COLLEAGUES
        turns = await books.turns()
        await caller.says("thank you")
        await caller.presses("2")
        async with phone.answered(office.line.exchange) as colleague:
            await takes_the_call(colleague)
            await hear_each_other(colleague, caller)
            await books.has(state="live", turns=turns)
            await colleague.hangs_up()
            await caller.sees("disconnected")
        await books.has(state="closed", outcome="escalated", lease_owner=None)
        assert await office.outcomes(books) == ["through"]


@pytest.mark.together
async def test_two_who_talk_go_on_when_the_callers_client_connects_afresh(office: Office) -> None:
    async with office.line.caller("+15035550182", browser=True) as caller:
        books, phone = await office.rung_by(caller)
        async with phone.answered(office.line.exchange) as colleague:
            await takes_the_call(colleague)
            await hear_each_other(colleague, caller)
            await caller.reconnects(fully=True)
            await caller.sees("reconnected")
            await hear_each_other(colleague, caller)
            await books.has(state="live")
            await colleague.hangs_up()
            await caller.sees("disconnected")
        await books.has(state="closed", outcome="escalated", lease_owner=None)


@pytest.mark.together
async def test_colleague_is_hung_up_on_when_the_caller_has_left(office: Office) -> None:
    async with office.line.caller("+15035550183") as caller:
        books, phone = await office.rung_by(caller)
        async with phone.answered(office.line.exchange) as colleague:
            await takes_the_call(colleague)
            await hear_each_other(colleague, caller)
            await caller.hangs_up()
            await colleague.sees("disconnected")
        await books.has(state="closed", outcome="escalated", lease_owner=None)
        assert await office.outcomes(books) == ["through"]


@pytest.mark.together
async def test_caller_whose_colleague_is_busy_is_told_so_and_the_call_goes_on(
    office: Office,
) -> None:
    async with office.line.caller("+15035550184") as caller:
        books, phone = await office.rung_by(caller)
        phone.is_busy()
        await caller.hears("call you back")
        await books.has(state="live", asks="escalation.choice")
        await caller.says("no")
        assert await caller.hears_out()
        assert await office.outcomes(books) == ["busy"]


@pytest.mark.together
async def test_machine_that_answers_is_no_colleague(office: Office) -> None:
    """It presses no key."""
    async with office.line.caller("+15035550185") as caller:
        books, phone = await office.rung_by(caller)
        async with phone.answered(office.line.exchange) as machine:
            await machine.sees("disconnected", within=2 * WITHIN)  # it is told twice
        await caller.hears("call you back")
        await books.has(state="live", asks="escalation.choice")
        assert await office.outcomes(books) == ["voicemail"]


async def test_caller_is_moved_by_the_phone_network_where_there_is_no_trunk(
    open_own_line: OpenLine, livekit_server: LocalLiveKit
) -> None:
    async with (
        office_of(open_own_line, livekit_server) as office,
        office.line.caller(JANE) as caller,
    ):
        books = await office.asked_by(caller)
        call = await office.network.moves()
        assert call.asked.participant_identity == caller.identity
        assert call.asked.transfer_to == f"tel:{COLLEAGUES}"
        await caller.hangs_up()
        call.is_done()
        await books.has(state="closed", outcome="escalated", lease_owner=None)
        assert await office.outcomes(books) == ["through"]
