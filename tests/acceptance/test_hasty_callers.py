"""Callers who don't wait: they speak into the greeting, or into the goodbye."""

from __future__ import annotations

import pytest

from tests.acceptance.books import Books
from tests.acceptance.line import Line
from tests.acceptance.spoken_as import whole_answer

pytestmark = pytest.mark.together
QUESTION = "what are your opening hours"
ANSWER = "Monday to Friday"


async def test_words_spoken_into_the_greeting_are_answered_after_what_the_law_wants_said(
    line: Line,
) -> None:
    async with line.caller("+15035550131") as caller:
        said = await caller.cuts_in_after(0.8, QUESTION)
        await caller.hears(ANSWER)
        books = await Books.of(line, caller)
        greeting = caller.line_said[0]
        assert greeting == await whole_answer(line.vendors, greeting)
        (first, *_) = caller.sounds
        assert first.ended is not None
        assert first.ended > said.ended
        await caller.hangs_up()
    await books.has(state="closed")
    assert await books.words() == [QUESTION]
    await books.is_one_chain()


async def test_caller_who_cuts_in_on_the_goodbye_is_answered(line: Line) -> None:
    async with line.caller("+15035550132") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.says("no thanks goodbye")
        await caller.cuts_in_after(0.5, f"oh wait {QUESTION}")
        await caller.hears(ANSWER)
        await books.has(state="live")
        await caller.says("oh i gotta go bye")
        await caller.hears_out()
        await caller.presses("5")
        await caller.sees("disconnected")
    await books.has(state="closed", legs=1, satisfaction=5)
    await books.is_one_chain()
