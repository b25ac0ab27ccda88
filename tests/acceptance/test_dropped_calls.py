"""Calls whose line drops are taken up again when the caller rings; a blip goes on, and a goodbye is the end."""

from __future__ import annotations

import pytest

from tests.acceptance.books import Books, calls_shown, not_said, opening
from tests.acceptance.caller import Caller
from tests.acceptance.line import Line
from tests.acceptance.process import Event

ANN, MARTIN, HUGO = "+15035550199", "+34910000045", "+33199001234"
WELCOME = "How can I help you"
ORDER, ADDRESS = "i'm calling about an order", "i need to change my address"

pytestmark = [pytest.mark.together, pytest.mark.slow]


async def test_caller_who_vanished_is_recognised_when_they_ring_again(line: Line) -> None:
    async with line.caller(HUGO, language="fr") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("je voudrais changer d'adresse")
        await books.until_asked(caller, "identity.fact", wish)
        caller.vanishes()
    await books.has(state="interrupted")
    async with line.caller(HUGO, language="fr") as caller:
        assert "coupés" in await caller.hears_out()
        assert (await Books.of(line, caller)).call_id == books.call_id
        await books.has(asks="resume.continue", legs=2)
        await books.until_asked(caller, "identity.fact", {"resume.continue": "oui allons-y"})


async def test_caller_who_hung_up_in_the_middle_goes_on_at_the_open_question(line: Line) -> None:
    async with line.caller(ANN) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("i need to change my address")
        await books.until_asked(caller, "identity.fact", wish)
        await is_identified(books, caller, "97401")
        street = {"account.address": "fifty main street"}
        await books.until_asked(caller, "account.address.city", street)
        await caller.hangs_up()
    await books.has(state="interrupted", asks="account.address")
    async with line.caller(ANN) as caller:
        welcome = await caller.hears_out()
        assert "The line dropped earlier" in welcome
        assert "Main Street" not in welcome
        assert (await Books.of(line, caller)).call_id == books.call_id
        await books.has(asks="resume.continue", verified=0, open_flow="update_address")
        heard = await books.until_asked(caller, "identity.fact", {"resume.continue": "yes please"})
        assert "Main Street" not in " ".join(heard)
        await is_identified(books, caller, "97401")
        town = {"account.address": "portland nine seven two oh five"}
        *_, read_back = await books.until_asked(caller, "account.confirm", town)
        assert "50 Main Street" in read_back
        await books.has_begun(0)
        await books.until_asked(caller, "closing.more", {"account.confirm": "yes that's right"})
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
        heard = await books.says_until(caller, ORDER, asks="identity.account")
        assert fully or WELCOME not in heard  # without sound for a while, it asks again
        await books.has(asks="identity.account", legs=1, state="live")
        assert set(calls_shown(caller)) == {books.call_id}


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
            await books.says_until(again, "quiero cambiar mi dirección", asks="identity.account")
            await books.has(asks="identity.account", legs=1, state="live")
            assert set(calls_shown(again)) == {books.call_id}


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
        await mine.says_until(one, ORDER, legs=1, open_flow="order_status")
        await theirs.says_until(other, ADDRESS, legs=1, open_flow="update_address")
        assert not_said(await mine.words(), ORDER) == []
        assert not_said(await theirs.words(), ADDRESS) == []
