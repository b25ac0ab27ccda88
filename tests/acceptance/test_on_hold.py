"""A caller on the way to a colleague hears that the line is there."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from livekit import rtc

from settings import HoldMusic, LiveKitSettings
from tests.acceptance.caller import Caller
from tests.acceptance.clips import RATE, Samples
from tests.acceptance.exchange import Exchange
from voice.consultation import SpokenConsultation
from voice.on_hold import on_hold

WHILE = 3.0  #: seconds
TENTH = RATE // 10
LOUD = 100.0  #: root mean square, of 32768


@asynccontextmanager
async def waiting(exchange: Exchange) -> AsyncIterator[tuple[Caller, rtc.Room]]:
    """A caller, and the line in their room, which says nothing."""
    server, place = exchange.server, f"call-{uuid4()}"
    livekit = LiveKitSettings.model_validate(
        {"url": server.url, "api_key": server.api_key, "api_secret": server.api_secret}
    )
    async with exchange.caller(exchange.guest(place, "caller")) as caller:
        room = await SpokenConsultation(livekit, _nothing).open(place)
        try:
            await caller.sees("met", who="line")
            yield caller, room
        finally:
            await room.disconnect()


async def _nothing() -> AsyncIterator[rtc.AudioFrame]:
    return
    yield


@pytest.fixture
def melody(tmp_path: Path) -> Path:
    """A company's own: a tone of a tenth of a second."""
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(4800) / 48000)
    file = tmp_path / "melody.wav"
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(48000)
        written.writeframes(tone.astype(np.int16).tobytes())
    return file


@pytest.mark.parametrize("own", [False, True], ids=["livekit's", "a file of one's own"])
async def test_music_is_heard_until_the_wait_is_over(
    exchange: Exchange, melody: Path, own: bool, tmp_path: Path
) -> None:
    music: HoldMusic = melody if own else "music"
    async with waiting(exchange) as (caller, room):
        async with on_hold(room, music):
            began = await caller.hears_sound(since=0)
            heard = await for_a_while(caller, began, tmp_path)
            assert loud_share(heard) > 0.5
        await caller.until_silent()


async def for_a_while(caller: Caller, began: float, folder: Path) -> Samples:
    """The first seconds of what is heard."""
    first, last = 0, 0
    while last < WHILE * RATE:
        heard, start = await caller.recording(folder / "heard.wav")
        first = int((began - start) * RATE)
        last = len(heard) - first
    return heard[first:][: int(WHILE * RATE)]


def loud_share(heard: Samples) -> float:
    """Of its tenths of a second."""
    tenths = heard[: len(heard) // TENTH * TENTH].reshape(-1, TENTH).astype(np.float64)
    return float(np.mean(np.sqrt(np.mean(tenths**2, axis=1)) > LOUD))


async def test_without_music_there_is_none(exchange: Exchange) -> None:
    async with waiting(exchange) as (caller, room):
        async with on_hold(room, "none"):
            assert not room.local_participant.track_publications
        assert not caller.sounds
