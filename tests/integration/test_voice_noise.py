"""A caller in a place so loud that it sounds like speech all the time is answered, and asked when they are silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import vad

from conversation import Conversation
from services import Services
from settings import VoiceSettings
from tests.fakes.line import PATIENCE, FakeLine, FakeSpeech, on_the_line
from voice.activity import QUIET_SECONDS, RECOGNISED_WITHIN, Activity

WINDOW = 0.032  #: seconds between two judgements of Silero's


class FakeDetector(vad.VAD):
    """Detects what it is told to."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=WINDOW))
        self.events: asyncio.Queue[vad.VADEvent] = asyncio.Queue()
        self._now = 0.0
        self._speaking = False

    def stream(self) -> vad.VADStream:
        return _Detected(self)

    def sounds(self, seconds: float) -> None:
        """Something like speech, and it has not ended then."""
        if not self._speaking:
            self._turn(vad.VADEventType.START_OF_SPEECH)
        self._pass(seconds)

    def is_quiet(self, seconds: float) -> None:
        if self._speaking:
            self._turn(vad.VADEventType.END_OF_SPEECH)
        self._pass(seconds)

    def _turn(self, kind: vad.VADEventType) -> None:
        self._speaking = not self._speaking
        self._tell(kind)

    def _pass(self, seconds: float) -> None:
        for _ in range(round(seconds / WINDOW)):
            self._now += WINDOW
            self._tell(vad.VADEventType.INFERENCE_DONE)

    def _tell(self, kind: vad.VADEventType) -> None:
        event = vad.VADEvent(
            kind,
            samples_index=round(self._now * 16000),
            timestamp=self._now,
            speech_duration=1.0,
            silence_duration=0.0,
            speaking=self._speaking,
            raw_accumulated_speech=1.0 if self._speaking else 0.0,
        )
        self.events.put_nowait(event)


class _Detected(vad.VADStream):
    def __init__(self, detector: FakeDetector) -> None:
        self._events = detector.events
        super().__init__(detector)

    async def _main_task(self) -> None:
        while True:
            self._event_ch.send_nowait(await self._events.get())


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
async def line(services: Services, detector: FakeDetector) -> AsyncIterator[FakeLine]:
    call: Conversation = await services.answer("+15035550127", "en")
    speech = FakeSpeech()
    speech.vad = Activity(detector, speech.stt, within=RECOGNISED_WITHIN)
    speech.turn_detection = "vad"
    async with on_the_line(call, VoiceSettings(silence_after=1.0), speech) as opened:
        yield opened


def history(line: FakeLine) -> Any:
    state = line.call._state
    assert state is not None
    return state["case"].history


async def test_caller_in_noise_that_never_ends_is_answered(
    line: FakeLine, detector: FakeDetector
) -> None:
    detector.sounds(1)
    line.ear.says("what are your opening hours")
    detector.sounds(10)
    await line.replied(2)
    await line.said()
    assert history(line)[1].words == "what are your opening hours"
    assert line.phone.session.history.messages()[-1].text_content == history(line)[1].said


async def test_silent_caller_in_noise_that_never_ends_is_asked(
    line: FakeLine, detector: FakeDetector
) -> None:
    detector.sounds(60)
    await line.replied(2)
    await line.said()
    assert line.phone.session.history.messages()[-1].text_content == history(line)[1].said


async def test_silent_caller_in_noise_that_comes_and_goes_is_asked(
    line: FakeLine, detector: FakeDetector
) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(line.speech.expected) < 2:
            detector.sounds(0.5)
            detector.is_quiet(QUIET_SECONDS)
            await asyncio.sleep(0.1)  # the noise's own pace
    await line.said()
    assert history(line)[1].words == ""


async def test_caller_whose_network_is_away_is_asked_when_they_are_back(line: FakeLine) -> None:
    async def set_attributes(_: object) -> None: ...

    room = SimpleNamespace(
        remote_participants={}, local_participant=SimpleNamespace(set_attributes=set_attributes)
    )
    line.phone._room = room  # type: ignore[assignment]
    line.phone._silent()
    assert len(line.speech.expected) == 1
    room.remote_participants[""] = "back"
    await line.replied(2)
    assert history(line)[1].words == ""
