"""Callers in noise: what is not understood is asked again, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.books import Books, open_day
from tests.acceptance.clips import Clips, Noise
from tests.acceptance.line import Line, open_line
from tests.acceptance.vendors import Vendors
from voice.local_server import LocalLiveKit

QUESTION, TOPIC = "what are your opening hours", "opening-hours"
REQUEST, OWN_NUMBER = "please call me back on {day} at ten about a return", "yes at this number"
MUMBLED = ("uh the thing with the thing", "blah i dunno", "hmm well")
PERSON = "escalation.choice"
HEARD_WITHIN = 15.0
pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    folder = tmp_path_factory.mktemp("noise")
    at_once = {"HOLDFAST_VOICE__IDLE_PROCESSES": "3"}
    async with open_line(
        livekit_server, loopback, clips, shared_copy, model_home, folder, **at_once
    ) as opened:
        yield opened


async def test_caller_in_hiss_is_answered_while_it_is_faint_and_is_never_guessed_at(
    line: Line,
) -> None:
    async with asyncio.TaskGroup() as all_three:
        for number, snr in (("0127", 20), ("0188", 10), ("0199", 5)):
            noise = Noise("hiss", snr)
            all_three.create_task(_mumbles(line, number, noise, answered=snr >= 10))


async def _mumbles(line: Line, number: str, noise: Noise, *, answered: bool) -> None:
    """Somebody in the noise, whose callback is never confirmed and who can't be understood any more."""
    async with line.caller(f"+1503555{number}", browser=True) as caller:
        await caller.hears_out()
        books = await Books.of(line, caller)
        await caller.is_at(noise)
        if answered:
            await caller.says(QUESTION)
            await caller.hears_out()
            assert TOPIC in (await books.case()).answered
        day = await open_day(line, "US", "en")
        for words in (REQUEST.format(day=day), OWN_NUMBER, *MUMBLED * 3):
            await caller.says(words)
            with suppress(AssertionError):  # not heard: they say the next thing, louder they can't
                await caller.hears_out(within=HEARD_WITHIN)
            if (await books.entry())["asks"] == PERSON:
                break
        assert (await books.entry())["asks"] == PERSON
        assert await books.begun() == 0
        await caller.hangs_up()
    assert await books.begun() == 0
    await books.is_one_chain()
