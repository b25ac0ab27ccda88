"""Callers in noise, among voices, and with somebody beside them: nothing is guessed, and nobody is left in silence."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.books import Books, not_said, open_day, opening
from tests.acceptance.caller import Caller
from tests.acceptance.clips import Aside, Noise
from tests.acceptance.line import Line
from voice.loopback.espeak import speech

pytestmark = pytest.mark.together
REQUEST = "please call me back on {day} at {hour} about a return"
ANSWERS = {  #: to what is asked
    "callback.topic": "about a return",
    "callback.phone": "yes at this number",
    "callback.time": "on {day} at {hour}",
    "callback.confirm": "yes that's right",
}
NOT_SO = "no on {day} at {hour}"
READ_BACK = "So we'll call you on"
BOOKED = "Your callback is booked"
MUMBLED = ("uh the thing with the thing", "blah i dunno", "hmm well")
TURNS = 10  #: at most, until what is understood at all is done


def _named(given: object) -> str | None:
    return f"{given.place}-{given.snr:g}" if isinstance(given, Noise) else None


@pytest.mark.parametrize(
    ("number", "noise", "hour", "read_back", "at"),
    [
        ("+15035550174", Noise("babble", 20), "ten", "at ten", "10:00"),
        ("+15035550170", Noise("hiss", 20), "one thirty", "at half past one", "13:30"),
        ("+15035550171", Noise("hiss", 10), "half past eleven", "at half past eleven", "11:30"),
        ("+15035550176", Noise("hiss", 5), "three thirty", "at half past three", "15:30"),
        ("+15035550172", Noise("street", 5), "four in the afternoon", "at four", "16:00"),
        ("+15035550173", Noise("hiss", 0), "nine in the morning", "at nine", "09:00"),
    ],
    ids=_named,
)
async def test_caller_in_noise_is_understood_or_asked_again_and_gets_what_they_wanted_once(
    line: Line, number: str, noise: Noise, hour: str, read_back: str, at: str
) -> None:
    """What is misheard is read back, and the caller says no to it."""
    async with line.caller(number) as caller:
        await caller.is_at(noise)
        await caller.hears_out()
        misheard = False
        books = await Books.of(line, caller)
        day = await open_day(line, "US", "en")
        for _ in range(TURNS):
            asks = str((await books.entry())["asks"])
            objects = misheard and asks == "callback.confirm"
            answer = NOT_SO if objects else ANSWERS.get(asks, REQUEST)
            said = await caller.says(answer.format(day=day, hour=hour))
            heard = await caller.hears_out()
            if READ_BACK in heard:
                misheard = read_back not in heard
            if await books.effects():
                break
        assert BOOKED in heard
        assert caller.heard_for(since=said.ended) > speech(heard, "en").seconds / 2
        await caller.hangs_up()
        await books.has(state="closed")
        assert await books.effects() == ["book_callback"]
        await books.has_begun(1)
        assert await _booked(books) == (number, at)


async def test_caller_who_mumbles_in_noise_is_asked_again_and_told_nothing_private(
    line: Line,
) -> None:
    async with line.caller("+15035550178") as caller:
        await caller.is_at(Noise("hiss", 5))
        await caller.hears_out()
        books = await Books.of(line, caller)
        for words in ("where is my order", *MUMBLED):
            await caller.says(words)
            await caller.hears_out()
        entry = await books.entry()
        assert (entry["verified"], entry["customers"]) == (0, [])
        await caller.hangs_up()
        await books.has_begun(0)


async def test_voice_beside_the_caller_does_not_answer_for_them(line: Line) -> None:
    async with line.caller("+15035550179") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        day, hour = await open_day(line, "US", "en"), "half past two"
        answers = {asks: said.format(day=day, hour=hour) for asks, said in ANSWERS.items()}
        wish = opening(REQUEST.format(day=day, hour=hour))
        await books.until_asked(caller, "callback.confirm", wish | answers)
        for answer in ("yes do it", "no cancel that", "call me at nine in the morning"):
            await _asks_to_wait(caller, books, Aside(answer, fainter=12, after=1.5))
            await books.asks("callback.confirm")
            await books.has_begun(0)
        await books.until_asked(caller, "closing.more", answers)
        await caller.hangs_up()
        assert await books.effects() == ["book_callback"]
        await books.has_begun(1)
        assert await _booked(books) == ("+15035550179", "14:30")


async def test_voice_beside_the_caller_does_not_prove_who_they_are(line: Line) -> None:
    async with line.caller("+15035550169") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await books.until_asked(caller, "identity.account", opening("where is my order"))
        await caller.presses("50007#")
        await caller.hears_out()
        await books.asks("identity.fact")
        code = "nine seven seven oh one"
        await _asks_to_wait(caller, books, Aside(code, fainter=12, after=1.5))
        await books.has(asks="identity.fact", verified=0)
        await books.says_until(caller, code, verified=1)
        await caller.hangs_up()


async def test_caller_nobody_understands_among_voices_is_asked_again_and_not_guessed_at(
    line: Line,
) -> None:
    async with line.caller("+15035550175") as caller:
        await caller.is_at(Noise("babble", 5))
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.hears("are you still there")
        day = await open_day(line, "US", "en")
        said = REQUEST.format(day=day, hour="ten")
        await caller.says(said)
        await caller.hears_out()
        await caller.hangs_up()
        await books.has_begun(0)
        await books.is_one_chain()
        assert not_said(await books.words(), said) == []


async def _asks_to_wait(caller: Caller, books: Books, aside: Aside) -> None:
    """The line answers that while somebody else still speaks."""
    turns = await books.turns()
    said = await caller.says("hold on please", aside=aside)
    await caller.hears_sound(since=said.began)
    await caller.until_silent()
    await books.has_turned(turns)


async def _booked(books: Books) -> tuple[object, str]:
    """Whom to call, and the caller's time of day."""
    (row,) = await books.line.rows(
        "SELECT phone, topic, starts_at FROM company.callbacks WHERE call_id = %s", books.call_id
    )
    assert str(row["topic"]).endswith("return")
    assert isinstance(row["starts_at"], datetime)
    local = row["starts_at"].astimezone(ZoneInfo((await books.case()).zone))
    return row["phone"], f"{local:%H:%M}"
