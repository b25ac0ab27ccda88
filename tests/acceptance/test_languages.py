"""A call that changes language: words, voice and books are in it together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from settings import VoiceSettings
from tests.acceptance.books import Books
from tests.acceptance.clips import Clips
from tests.acceptance.line import Line, open_line
from tests.acceptance.spoken_as import Voiced, voices
from tests.acceptance.vendors import Vendors
from voice.local_server import LocalLiveKit

pytestmark = pytest.mark.asyncio(loop_scope="session")
VOICES = VoiceSettings().voices


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
    folder = tmp_path_factory.mktemp("languages")
    at_once = {"HOLDFAST_VOICE__IDLE_PROCESSES": "2"}
    async with open_line(
        livekit_server, loopback, clips, shared_copy, model_home, folder, **at_once
    ) as opened:
        yield opened


async def test_caller_asks_for_spanish_in_the_middle_and_is_understood_and_answered_in_it(
    line: Line,
) -> None:
    async with line.caller("+15035550188") as caller:
        english = [await caller.hears_out()]
        books = await Books.of(line, caller)
        await caller.says("where is my order")
        english.append(await caller.hears_out())
        await books.asks("identity.fact")
        await caller.says("can we speak spanish")
        spanish = [await caller.hears_out()]
        await books.has(language="es", asks="identity.fact")
        await caller.says("nueve siete tres cero uno", language="es")
        spanish.append(await caller.hears_out())
        await books.has(language="es", verified=1)
        await caller.hangs_up()
    entry = await books.has(state="closed")
    assert entry["language"] == "es"
    assert await books.effects() == []
    assert await voices(line.vendors, english) == {Voiced("en", VOICES["en"])}
    assert await voices(line.vendors, spanish) == {Voiced("es", VOICES["es"])}
