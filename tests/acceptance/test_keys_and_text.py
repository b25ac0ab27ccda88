"""A whole change on the keypad, and a callback in typed words: turns like spoken ones."""

from __future__ import annotations

import pytest

from tests.acceptance.books import Books, open_day, opening
from tests.acceptance.line import Line

pytestmark = pytest.mark.together
NUMBER = "five oh three five five five oh one four two"


async def test_change_of_the_phone_number_is_keyed_in(line: Line) -> None:
    async with line.caller("+15035550127") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        wish = opening("i need to change my phone number")
        await books.until_asked(caller, "identity.fact", wish)
        await caller.presses("97205#")
        await caller.hears_out()
        await books.asks("identity.code")
        await caller.presses("12*" + await books.code())
        await caller.hears_out()
        await books.asks("account.phone")
        await caller.presses("5035*5035550177#")
        await caller.hears_out()
        await books.asks("account.confirm")
        await books.has_begun(0)
        await books.until_asked(caller, "closing.more", {"account.confirm": "1"})
        await caller.hangs_up()
        await books.has(state="closed", outcome="solved")
        assert await books.effects() == ["update_phone"]
        (customer,) = await line.rows(
            "SELECT phone FROM company.customers WHERE customer_id = 'C-100'"
        )
        assert customer["phone"] == "+15035550177"
        await books.is_one_chain()


async def test_callback_is_typed_into_the_page(line: Line) -> None:
    async with line.caller(browser=True) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        day = await open_day(line, "US", "en")
        typed = [
            "what are your opening hours",
            f"please call me back on {day} at half past ten about a return",
            NUMBER,
            "yes",
        ]
        await caller.types(typed[0])
        await caller.hears("Monday to Friday", to_end=False)
        await caller.types(typed[1])  # over the answer, which ends there
        await caller.hears("Which number should we ring")
        await books.asks("callback.phone")
        await caller.types(typed[2])
        await caller.hears_out()
        await books.asks("callback.confirm")
        await books.has_begun(0)
        await caller.types(typed[3])
        await caller.hears_out()
        await books.asks("closing.more")
        await caller.hangs_up()
    await books.has(state="closed", outcome="solved")
    assert await books.effects() == ["book_callback"]
    assert await books.words() == typed
    await books.is_one_chain()
