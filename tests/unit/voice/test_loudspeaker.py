"""What is said reaches the caller whole, however often it is paused, and it is known how far it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import pytest_asyncio
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from voice.loudspeaker import AHEAD_MS, PIECE_SECONDS, RATE, Loudspeaker

AHEAD = AHEAD_MS / 1000
SECONDS = 2.0
SOUND = np.arange(round(SECONDS * RATE), dtype=np.int64).astype(
    np.int16
)  # no two samples near alike


class Source:
    """rtc.AudioSource whose time passes when the test says so: the sound waits to be played."""

    def __init__(self) -> None:
        self.played: list[int] = []
        self._queue: list[int] = []
        self._room = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self._queue.extend(frame.data)
        while self.queued_duration > AHEAD:
            self._room.clear()
            await self._room.wait()

    def clear_queue(self) -> None:
        self._queue.clear()
        self._room.set()

    @property
    def queued_duration(self) -> float:
        return len(self._queue) / RATE

    async def plays(self, seconds: float) -> None:
        """Or less, when there is no more."""
        left = round(seconds * RATE)
        while left > 0:
            await settle()
            step = min(left, round(PIECE_SECONDS * RATE / 2), len(self._queue))
            if not step:
                return
            self.played.extend(self._queue[:step])
            del self._queue[:step]
            left -= step
            self._room.set()

    async def aclose(self) -> None: ...


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@dataclass
class Publication:
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for_subscription(self) -> None:
        await self.subscribed.wait()


@dataclass
class Participant:
    publication: Publication = field(default_factory=Publication)

    async def publish_track(self, *_: object) -> Publication:
        return self.publication


@dataclass
class Room:
    local_participant: Participant = field(default_factory=Participant)


class Line:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rtc.LocalAudioTrack, "create_audio_track", lambda *_: None)
        self.source, self.room = Source(), Room()
        self.speaker = Loudspeaker(self.room, self.source)  # type: ignore[arg-type]
        self.began = 0
        self.finished: list[PlaybackFinishedEvent] = []
        self.speaker.on("playback_started", lambda _: self._begins())
        self.speaker.on("playback_finished", self.finished.append)
        self.subscribe()

    def subscribe(self) -> None:
        self.room.local_participant.publication.subscribed.set()

    async def says(self, sound: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        frame = rtc.AudioFrame(sound.tobytes(), RATE, 1, len(sound))
        await self.speaker.capture_frame(frame)
        await settle()

    async def ended(self, count: int = 1) -> PlaybackFinishedEvent:
        async with asyncio.timeout(30):
            while len(self.finished) < count:
                await self.source.plays(SECONDS)
                await asyncio.sleep(0.01)
        return self.finished[-1]

    def _begins(self) -> None:
        self.began += 1


@pytest_asyncio.fixture
async def line(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    made = Line(monkeypatch)
    yield made
    await made.speaker.aclose()


async def test_all_of_it_is_played_in_order(line: Line) -> None:
    for part in np.array_split(SOUND, 7):
        await line.says(part)
    line.speaker.flush()
    over = await line.ended()
    assert line.source.played == list(SOUND)
    assert (over.playback_position, over.interrupted) == (pytest.approx(SECONDS), False)
    assert line.began == 1


@pytest.mark.parametrize("seed", range(5))
async def test_pauses_lose_nothing(line: Line, seed: int) -> None:
    random = np.random.default_rng(seed)
    await line.says(SOUND)
    line.speaker.flush()
    for _ in range(8):
        await line.source.plays(random.uniform(0, 0.3))
        line.speaker.pause()
        before = len(line.source.played)
        await line.source.plays(1)
        assert len(line.source.played) == before  # silent at once
        line.speaker.resume()
    over = await line.ended()
    assert line.source.played == list(SOUND)
    assert (over.playback_position, over.interrupted) == (pytest.approx(SECONDS), False)
    assert line.began == 1


@pytest.mark.parametrize("paused_first", [False, True])
async def test_what_was_cut_off_is_known_and_not_played(line: Line, paused_first: bool) -> None:
    await line.says(SOUND)
    await line.source.plays(0.5)
    if paused_first:
        line.speaker.pause()
    line.speaker.clear_buffer()
    line.speaker.flush()
    over = await line.ended()
    assert (over.playback_position, over.interrupted) == (pytest.approx(0.5), True)
    assert line.source.played == list(SOUND[: round(0.5 * RATE)])
    line.speaker.resume()
    await line.says(SOUND[:RATE])
    line.speaker.flush()
    over = await line.ended(2)
    assert (over.playback_position, over.interrupted) == (pytest.approx(1.0), False)
    assert line.source.played[-RATE:] == list(SOUND[:RATE])


async def test_segment_cut_off_after_its_end_was_told_ends_there(line: Line) -> None:
    await line.says(SOUND)
    line.speaker.flush()
    await line.source.plays(0.7)
    line.speaker.clear_buffer()
    over = await line.ended()
    assert (over.playback_position, over.interrupted) == (pytest.approx(0.7), True)


async def test_sound_that_comes_after_the_cut_is_not_played(line: Line) -> None:
    await line.says(SOUND[:RATE])
    await line.source.plays(0.3)
    line.speaker.clear_buffer()
    await line.says(SOUND[RATE:])
    line.speaker.flush()
    over = await line.ended()
    assert over.playback_position == pytest.approx(0.3)
    assert len(line.source.played) == round(0.3 * RATE)


async def test_pause_when_all_has_sounded_does_not_keep_it_from_ending(line: Line) -> None:
    await line.says(SOUND)
    await line.source.plays(SECONDS)
    line.speaker.pause()
    line.speaker.flush()
    assert not (await line.ended()).interrupted


async def test_nothing_is_said_to_somebody_who_cannot_hear_it_yet(line: Line) -> None:
    line.room.local_participant.publication.subscribed.clear()
    other = Loudspeaker(line.room, Source())  # type: ignore[arg-type]
    saying = asyncio.create_task(
        other.capture_frame(rtc.AudioFrame(SOUND.tobytes(), RATE, 1, len(SOUND)))
    )
    await settle()
    assert not saying.done()
    line.subscribe()
    await asyncio.wait_for(saying, 30)
    await other.aclose()
