"""Callers who cut in: the line falls silent, remembers what was heard, and does things once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.books import Books, open_day
from tests.acceptance.caller import Caller, Said, Sound
from tests.acceptance.clips import Clips
from tests.acceptance.line import Line, open_line
from tests.acceptance.spoken_as import whole_answer
from tests.acceptance.vendors import Vendors
from voice.local_server import LocalLiveKit
from voice.loopback.espeak import speech

pytestmark = pytest.mark.asyncio(loop_scope="session")
FIRST = "what are your opening hours"
CUTS = (  #: seconds into the answer to the question before
    (0.4, "what is your return policy"),
    (0.9, "which payment methods do you accept"),
    (1.6, "is there a warranty"),
    (2.5, "how long does shipping take"),
)
WORDS_OFF = 3  #: between the ear's count of words and the line's: the last one is never whole


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(
    livekit_server: LocalLiveKit,
    loopback: Vendors,
    clips: Clips,
    shared_copy: str,
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Line]:
    """One worker for all callers of this file."""
    folder = tmp_path_factory.mktemp("interruptions")
    at_once = {"HOLDFAST_VOICE__IDLE_PROCESSES": "3"}
    async with open_line(
        livekit_server, loopback, clips, shared_copy, model_home, folder, **at_once
    ) as opened:
        yield opened


async def test_answers_cut_off_early_and_late_are_remembered_as_they_were_heard(
    line: Line,
) -> None:
    async with line.caller("+15035550127") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        said = [await caller.says(FIRST)]
        for seconds, question in CUTS:
            said.append(await caller.cuts_in_after(seconds, question))
        await caller.hears_out()
        await caller.hangs_up()
    await books.has(state="closed")
    await books.is_one_chain()
    _, *turns = (await books.case()).history
    assert [one.words for one in turns] == [FIRST, *(question for _, question in CUTS)]
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


async def test_yes_to_a_read_back_cut_off_books_nothing_and_one_heard_to_its_end_books_once(
    line: Line,
) -> None:
    async with line.caller("+15035550199") as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        day = await open_day(line, "US", "en")
        await caller.says(f"please call me back on {day} at ten about a return")
        await caller.hears_out()
        await books.asks("callback.phone")
        await caller.says("yes at this number")
        for seconds in (0.9, 1.6, 2.5):
            await caller.cuts_in_after(seconds, "yes do it")
        await caller.hears_out()
        await books.asks("callback.confirm")
        assert await books.begun() == 0
        await caller.says("yes do it")
        await caller.hears_out()
        await books.asks("closing.more")
        await caller.says("yes do it")
        await caller.hears_out()
        await caller.hangs_up()
    await books.has(state="closed")
    assert await books.effects() == ["book_callback"]
    assert await books.begun() == 1
    await books.is_one_chain()


def _sound_of(caller: Caller, before: Said, cut: Said) -> Sound:
    """What was heard of the answer that was cut into: it began in between, and fell silent."""
    heard = [one for one in caller.sounds if before.ended < one.began < cut.began]
    assert heard[-1].ended is not None
    assert all(later.began > cut.began for later in caller.sounds if later.began > heard[-1].ended)
    return Sound(heard[0].who, heard[0].began, heard[-1].ended)
