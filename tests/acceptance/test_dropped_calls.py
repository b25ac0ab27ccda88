"""Calls whose line drops are taken up again when the caller rings; a blip goes on, and a goodbye is the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.caller import Caller
from tests.acceptance.clips import Clips
from tests.acceptance.line import Line, Row, open_line
from tests.acceptance.vendors import Vendors
from voice.local_server import LocalLiveKit

JANE, ANN = "+15035550127", "+15035550199"
LUCIA, MARTIN, HUGO = "+34600000012", "+34910000045", "+33199001234"
BLIP = "3"  #: seconds; LiveKit itself notices a caller who is gone only after some twenty
WELCOME = "How can I help you"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(
    livekit_server: LocalLiveKit,
    loopback: Vendors,
    clips: Clips,
    shared_copy: str,
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Line]:
    """One worker for all of them: each is another caller."""
    folder = tmp_path_factory.mktemp("line")
    async with open_line(
        *(livekit_server, loopback, clips, shared_copy, model_home, folder),
        HOLDFAST_VOICE__BLIP=BLIP,
    ) as opened:
        yield opened


async def test_caller_who_hung_up_in_the_middle_goes_on_at_the_open_question(line: Line) -> None:
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        await caller.says("i need to change my address")
        await caller.hears_out()
        await is_identified(line, caller, "97401")
        await caller.says("fifty main street")
        await caller.hears_out()
        await caller.hangs_up()
    dropped = await line.call_is("interrupted")
    assert dropped["asks"] == "account.address"
    async with line.caller(ANN) as caller:
        welcome = await caller.hears_out()
        assert "The line dropped earlier" in welcome
        assert "Main Street" not in welcome
        resumed = await line.asks("resume.continue")
        assert (resumed["verified"], resumed["open_flow"]) == (0, "update_address")
        await caller.says("yes please")
        assert "Main Street" not in await caller.hears_out()
        await is_identified(line, caller, "97401")
        await caller.says("portland nine seven two oh five")
        assert "50 Main Street" in await caller.hears_out()
        await line.asks("account.confirm")
        assert await line.effects() == []
        await caller.says("yes that's right")
        await caller.hears_out()
        await line.asks("closing.more")
        await caller.hangs_up()
    ended = await line.call_is("closed")
    assert (ended["call_id"], ended["legs"]) == (dropped["call_id"], 2)
    assert await line.effects() == ["update_address"]


async def is_identified(line: Line, caller: Caller, postal_code: str) -> None:
    """By a fact and a code, on the keypad; then the address is asked for."""
    await line.asks("identity.fact")
    await caller.presses(postal_code)
    await caller.hears_out()
    await line.asks("identity.code")
    await caller.presses(await line.code())
    await caller.hears_out()
    await line.asks("account.address")


async def test_caller_who_vanished_is_recognised_when_they_ring_again(line: Line) -> None:
    async with line.caller(HUGO, language="fr") as caller:
        await caller.hears_out()
        await caller.says("je voudrais changer d'adresse")
        await caller.hears_out()
        asked = await line.asks("identity.fact")
        caller.vanishes()
    await line.worker.says("caller.away")
    await line.call_is("interrupted")
    async with line.caller(HUGO, language="fr") as caller:
        assert "coupés" in await caller.hears_out()
        resumed = await line.asks("resume.continue")
        assert (resumed["call_id"], resumed["legs"]) == (asked["call_id"], 2)
        await caller.says("oui allons-y")
        await caller.hears_out()
        await line.asks("identity.fact")


async def test_network_blip_goes_on_in_the_same_call(line: Line) -> None:
    async with line.caller(JANE) as caller:
        assert WELCOME in await caller.hears_out()
        await caller.reconnects()
        await caller.sees("reconnected")
        await caller.says("i'm calling about an order")
        assert WELCOME not in await caller.hears_out()
        call = await line.asks("identity.fact")
        assert (call["legs"], call["state"]) == (1, "live")


async def test_caller_who_is_back_in_the_room_goes_on_in_the_same_call(line: Line) -> None:
    async with line.caller(LUCIA, language="es") as caller:
        await caller.hears_out()
        before = (await line.calls())[-1]
        caller.vanishes()
        async with line.caller(
            LUCIA, language="es", room=caller.room, identity=caller.identity
        ) as again:
            await again.says("quiero cambiar mi dirección")
            await again.hears_out()
            call = await line.asks("identity.fact")
            assert (call["call_id"], call["legs"]) == (before["call_id"], 1)
            assert call["state"] == "live"


async def test_goodbye_closes_the_call(line: Line) -> None:
    async with line.caller(MARTIN, language="es") as caller:
        await caller.hears_out()
        await caller.says("no gracias adiós")
        await caller.sees("disconnected")
    closed = await line.call_is("closed")
    async with line.caller(MARTIN, language="es") as caller:
        assert "cort" not in await caller.hears_out()
        new = await line.call_is("live")
        assert (new["turns"], new["legs"]) == (1, 1)
        assert new["call_id"] != closed["call_id"]


async def test_two_callers_with_one_number_have_two_calls(line: Line) -> None:
    number = "+15035550111"
    before = len(await line.calls())
    async with line.caller(number) as one, line.caller(number) as other:
        assert WELCOME in await one.hears_out()
        assert WELCOME in await other.hears_out()
        calls = (await line.calls())[before:]
        assert [call["state"] for call in calls] == ["live", "live"]
        assert calls[0]["caller_hash"] == calls[1]["caller_hash"]
        await one.says("i'm calling about an order")
        await one.hears_out()
        await other.says("i need to change my address")
        await other.hears_out()

    async def both_asked() -> list[Row] | None:
        calls = (await line.calls())[before:]
        return calls if all(call["turns"] == 2 for call in calls) else None

    calls = await line.eventually(both_asked, "two turns each")
    assert {call["open_flow"] for call in calls} == {"order_status", "update_address"}
