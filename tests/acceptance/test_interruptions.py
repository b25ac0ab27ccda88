"""Callers who cut in, hum along, and pause: the line falls silent, remembers what was heard, and does things once."""

from __future__ import annotations

import asyncio
from itertools import cycle, pairwise
from time import monotonic

import pytest

from graph.state import Lang
from tests.acceptance.books import Books, open_day, opening
from tests.acceptance.caller import STATE, Caller, Said, Sound
from tests.acceptance.line import Line
from tests.acceptance.spoken_as import whole_answer
from voice.loopback.espeak import speech

pytestmark = pytest.mark.together
FIRST = "what are your opening hours"
QUESTIONS = (
    "what is your return policy",
    "which payment methods do you accept",
    "is there a warranty",
    "how long does shipping take",
)
CUTS = {  #: callers, and the seconds into the answer before at which each asks the next question
    "+15035550154": (0.4, 0.9, 1.6, 2.5),
    "+15035550156": (0.6, 1.2, 2.0, 3.2),
}
READ_BACK_CUTS = {  #: callers, their hours, and the seconds into each read-back
    "+15035550155": ("ten", (0.9, 1.6, 2.5)),
    "+15035550157": ("eleven", (0.4, 1.2, 4.0)),
}
WORDS_OFF = 3  #: between the ear's count of words and the line's: the last one is never whole
LISTENING: dict[Lang, tuple[str, str, str, str]] = {
    "en": (FIRST, "exactly", "what is your return policy", "uh huh"),
    "es": ("cuánto tarda el envío", "vale", "cuál es el horario de atención", "ajá"),
    "fr": ("comment faire un retour", "d'accord", "quels sont vos horaires", "ouais"),
}
PAUSES = {  #: callers, their hours, and their seconds of silence in one sentence after another: the line waits some 0.4
    "+15035550151": ("three", (0.1, 0.2, 0.3, 0.4, 0.5)),
    "+15035550152": ("two", (0.15, 0.25, 0.35, 0.45, 0.55)),
    "+15035550153": ("one", (0.6, 0.65, 0.7, 0.8, 1.0)),
}
REQUEST = ("please call me back", "about a return")
BROKEN = {  #: answers to what is asked; to anything else, the request
    "callback.topic": ("it's about", "a return"),
    "callback.phone": ("yes", ""),
    "callback.time": ("on {day}", "at {hour}"),
    "callback.confirm": ("yes", "that's right"),
}


@pytest.mark.parametrize("number", CUTS)
async def test_answers_cut_off_early_and_late_are_remembered_as_they_were_heard(
    line: Line, number: str
) -> None:
    async with line.caller(number) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        said = [await caller.says(FIRST)]
        for seconds, question in zip(CUTS[number], QUESTIONS, strict=True):
            said.append(await caller.cuts_in_after(seconds, question))
        await caller.hears_out()
        await caller.hangs_up()
        await books.has(state="closed")
        await books.is_one_chain()
        _, *turns = (await books.case()).history
        questions = [FIRST, *QUESTIONS]
        assert len(turns) == len(questions)
        for turn, question in zip(turns, questions, strict=True):
            assert question.endswith(turn.words)  # a busy machine swallows the first of them
            assert len(turn.words.split()) > 2
        for (before, cut), turn in zip(pairwise(said), turns, strict=False):
            sound = _sound_of(caller, before, cut)
            whole = await whole_answer(line.vendors, turn.said)
            assert whole.startswith(turn.said)
            assert len(turn.said) < len(whole)
            assert sound.ended is not None
            assert sound.ended - sound.began < speech(whole, "en").seconds - 0.5
            heard = sum(one.start < sound.ended - sound.began for one in speech(whole, "en").words)
            assert len(turn.said.split()) == pytest.approx(heard, abs=WORDS_OFF), turn.said
        assert turns[-1].said == await whole_answer(line.vendors, turns[-1].said)


@pytest.mark.parametrize("number", READ_BACK_CUTS)
async def test_yes_to_a_read_back_cut_off_books_nothing_and_one_heard_to_its_end_books_once(
    line: Line, number: str
) -> None:
    hour, cuts = READ_BACK_CUTS[number]
    async with line.caller(number) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        day = await open_day(line, "US", "en")
        wish = opening(f"please call me back on {day} at {hour} about a return")
        details = {"callback.topic": "about a return", "callback.time": f"on {day} at {hour}"}
        await books.until_asked(caller, "callback.phone", wish | details)
        await caller.says("yes at this number")
        for seconds in cuts:
            await caller.cuts_in_after(seconds, "yes do it")
        await caller.hears_out()
        number = {"callback.phone": "yes at this number"}
        await books.until_asked(caller, "callback.confirm", number)
        await books.has_begun(0)
        await books.until_asked(caller, "closing.more", {"callback.confirm": "yes do it"})
        await caller.says("yes do it")
        await caller.hears_out()
        await caller.hangs_up()
        await books.has(state="closed")
        assert await books.effects() == ["book_callback"]
        await books.has_begun(1)
        await books.is_one_chain()


@pytest.mark.parametrize("language", LISTENING)
async def test_caller_who_hums_along_neither_stops_the_line_nor_takes_a_turn(
    line: Line, language: Lang
) -> None:
    first, hum, second, other_hum = LISTENING[language]
    async with line.caller(browser=True, language=language) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        for question, sound in ((first, hum), (second, other_hum)):
            asked = await caller.says(question)
            await caller.cuts_in_after(1.2, sound)
            said = await caller.hears(caller.line_said[-1])
            assert said == await whole_answer(line.vendors, said)
            assert _states(caller, since=asked.ended).count("speaking") == 1
        await caller.hangs_up()
        await books.has(state="closed")
        assert await books.words() == [first, second]


@pytest.mark.parametrize("number", PAUSES)
async def test_words_with_a_pause_in_the_middle_are_one_turn_or_two_and_done_once(
    line: Line, number: str
) -> None:
    hour, seconds = PAUSES[number]
    pauses = cycle(seconds)
    async with line.caller(number) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        day = await open_day(line, "US", "en")
        await _says_with_a_pause(caller, REQUEST[0], next(pauses), REQUEST[1])
        for _ in range(10):
            await caller.hears_out()
            if await books.effects():
                break
            question = str((await books.entry())["asks"])
            first, rest = (
                part.format(day=day, hour=hour) for part in BROKEN.get(question, REQUEST)
            )
            await _says_with_a_pause(caller, first, next(pauses), rest)
        await caller.hangs_up()
        await books.has(state="closed")
        assert await books.effects() == ["book_callback"]
        await books.has_begun(1)
        await books.is_one_chain()


async def _says_with_a_pause(caller: Caller, first: str, pause: float, rest: str) -> None:
    said = await caller.says(first)
    if rest:
        await asyncio.sleep(max(said.ended + pause - monotonic(), 0))  # the caller's own pause
        await caller.says(rest)


def _states(caller: Caller, *, since: float) -> list[str]:
    """The line's, as it shows them: it listens while it pauses."""
    changes = [one for one in caller.events if one["event"] == "changed" and one["at"] > since]
    return [one["attributes"][STATE] for one in changes if STATE in one["attributes"]]


def _sound_of(caller: Caller, before: Said, cut: Said) -> Sound:
    """What was heard of the answer that was cut into, without gaps: it began in between, and fell silent."""
    heard = [one for one in caller.sounds if before.ended < one.began < cut.began]
    assert heard[-1].ended is not None
    assert all(later.began > cut.began for later in caller.sounds if later.began > heard[-1].ended)
    seconds = sum(one.ended - one.began for one in heard if one.ended is not None)
    return Sound(heard[0].who, heard[0].began, heard[0].began + seconds)
