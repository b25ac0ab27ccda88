"""Calls whose line drops are taken up again when the caller rings; a blip goes on, and a goodbye is the end."""

from __future__ import annotations

import pytest

from tests.acceptance.books import Books
from tests.acceptance.caller import Caller
from tests.acceptance.line import Line
from tests.acceptance.process import Event

ANN, MARTIN, HUGO = "+15035550199", "+34910000045", "+33199001234"
WELCOME = "How can I help you"

pytestmark = [pytest.mark.together, pytest.mark.slow]


async def test_caller_who_vanished_is_recognised_when_they_ring_again(line: Line) -> None:
    async with line.caller(HUGO, language="fr") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.says("je voudrais changer d'adresse")
        await caller.hears_out()
        await books.asks("identity.fact")
        caller.vanishes()
    await books.has(state="interrupted")
    async with line.caller(HUGO, language="fr") as caller:
        assert "coupés" in await caller.hears_out()
        assert (await Books.of(line, caller)).call_id == books.call_id
        await books.has(asks="resume.continue", legs=2)
        await caller.says("oui allons-y")
        await caller.hears_out()
        await books.asks("identity.fact")


async def test_caller_who_hung_up_in_the_middle_goes_on_at_the_open_question(line: Line) -> None:
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.says("i need to change my address")
        await caller.hears_out()
        await is_identified(books, caller, "97401")
        await caller.says("fifty main street")
        await caller.hears_out()
        await caller.hangs_up()
    await books.has(state="interrupted", asks="account.address")
    async with line.caller(ANN) as caller:
        welcome = await caller.hears_out()
        assert "The line dropped earlier" in welcome
        assert "Main Street" not in welcome
        assert (await Books.of(line, caller)).call_id == books.call_id
        await books.has(asks="resume.continue", verified=0, open_flow="update_address")
        await caller.says("yes please")
        assert "Main Street" not in await caller.hears_out()
        await is_identified(books, caller, "97401")
        await caller.says("portland nine seven two oh five")
        assert "50 Main Street" in await caller.hears_out()
        await books.asks("account.confirm")
        await books.has_begun(0)
        await caller.says("yes that's right")
        await caller.hears_out()
        await books.asks("closing.more")
        await caller.hangs_up()
    await books.has(state="closed", legs=2)
    assert await books.effects() == ["update_address"]


async def is_identified(books: Books, caller: Caller, postal_code: str) -> None:
    """By a fact and a code, on the keypad; then the address is asked for."""
    await books.asks("identity.fact")
    await caller.presses(postal_code)
    await caller.hears_out()
    await books.asks("identity.code")
    await caller.presses(await books.code())
    await caller.hears_out()
    await books.asks("account.address")


@pytest.mark.parametrize("fully", [False, True], ids=["signal", "everything"])
async def test_network_blip_goes_on_in_the_same_call(line: Line, *, fully: bool) -> None:
    async with line.caller(f"+1503555016{int(fully)}") as caller:
        assert WELCOME in await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.reconnects(fully=fully)
        await caller.sees("reconnected")
        await caller.until(
            lambda: len(_tracks(caller)) == 1 + fully, "hears the line's voice again"
        )
        await caller.says("i'm calling about an order")
        assert WELCOME not in await caller.hears_out()
        await books.has(asks="identity.account", legs=1, state="live")


def _tracks(caller: Caller) -> list[Event]:
    """The voices it was given to hear: another one with every media connection."""
    return [one for one in caller.events if one["event"] == "track"]


async def test_caller_who_is_back_in_the_room_goes_on_in_the_same_call(line: Line) -> None:
    number = "+34600000088"
    async with line.caller(number, language="es") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        caller.vanishes()
        async with line.caller(
            number, language="es", room=caller.room, identity=caller.identity
        ) as again:
            await again.says("quiero cambiar mi dirección")
            await again.hears_out()
            await books.has(asks="identity.account", legs=1, state="live")


async def test_goodbye_closes_the_call(line: Line) -> None:
    async with line.caller(MARTIN, language="es") as caller:
        await caller.hears_out()
        closed = await Books.of(line, caller)
        await caller.says("no gracias adiós")
        await caller.sees("disconnected")
    await closed.has(state="closed")
    async with line.caller(MARTIN, language="es") as caller:
        assert "cort" not in await caller.hears_out()
        new = await Books.of(line, caller)
        assert new.call_id != closed.call_id
        await new.has(state="live", legs=1)


async def test_two_callers_with_one_number_have_two_calls(line: Line) -> None:
    number = "+15035550111"
    async with line.caller(number) as one, line.caller(number) as other:
        assert WELCOME in await one.hears_out()
        assert WELCOME in await other.hears_out()
        mine, theirs = await Books.of(line, one), await Books.of(line, other)
        assert mine.call_id != theirs.call_id
        my_entry, their_entry = await mine.has(state="live"), await theirs.has(state="live")
        assert my_entry["caller_hash"] == their_entry["caller_hash"]
        await one.says("i'm calling about an order")
        await one.hears_out()
        await other.says("i need to change my address")
        await other.hears_out()
        await mine.has(legs=1, open_flow="order_status")
        await theirs.has(legs=1, open_flow="update_address")
    assert await mine.words() == ["i'm calling about an order"]
    assert await theirs.words() == ["i need to change my address"]
