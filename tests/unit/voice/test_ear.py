"""What the caller said is heard once and whole, whatever happens to connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, LanguageCode, stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

import voice.ear
from logs import only_allowed
from tests.fakes.logged import logged
from voice.audio import CallerVoice
from voice.ear import SAMPLE_RATE, Ear, Listening, Recogniser

FRAME = 0.05  # seconds
END = stt.SpeechEventType.END_OF_SPEECH
START = stt.SpeechEventType.START_OF_SPEECH
FINAL = stt.SpeechEventType.FINAL_TRANSCRIPT
INTERIM = stt.SpeechEventType.INTERIM_TRANSCRIPT


@dataclass
class FakeRecogniser(stt.STT[str]):
    """A provider whose connections do what the test says, and keep what they were given."""

    terms: tuple[str, ...] = ()
    connections: list[FakeConnection] = field(default_factory=list)
    refusing: bool = False

    def __post_init__(self) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=True, interim_results=True, diarization=True)
        )

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> FakeConnection:
        self.connections.append(FakeConnection(self, conn_options))
        return self.connections[-1]

    def __hash__(self) -> int:
        return id(self)


class FakeConnection(stt.RecognizeStream):
    def __init__(self, recogniser: FakeRecogniser, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=recogniser, conn_options=conn_options, sample_rate=SAMPLE_RATE)
        self.terms = recogniser.terms
        self.refused = recogniser.refusing
        self.levels: list[int] = []  # of the sound it got, frame by frame
        self.concluded = 0  # times it was asked for the words so far
        self.broken = asyncio.Event()
        if self.refused:
            self.broken.set()

    async def _run(self) -> None:
        reading = asyncio.create_task(self._read())
        breaking = asyncio.create_task(self.broken.wait())
        await asyncio.wait({reading, breaking}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        if breaking.done():
            raise APIConnectionError("gone")
        breaking.cancel()

    async def _read(self) -> None:
        async for data in self._input_ch:
            if isinstance(data, rtc.AudioFrame):
                self.levels.append(int(np.abs(np.frombuffer(data.data, np.int16)).max(initial=0)))
            else:
                self.concluded += 1

    async def says(
        self,
        kind: stt.SpeechEventType,
        text: str = "",
        times: tuple[float, float] = (0.0, 0.0),
        speaker: str | None = None,
    ) -> None:
        """An event; times in seconds of this connection."""
        offset = self.start_time_offset
        data = stt.SpeechData(
            LanguageCode("en"),
            text,
            start_time=times[0] + offset,
            end_time=times[1] + offset if times[1] else 0.0,
            speaker_id=speaker,
        )
        spoken = kind in {FINAL, INTERIM}
        self._event_ch.send_nowait(stt.SpeechEvent(kind, alternatives=[data] if spoken else []))
        await settled()


async def settled() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


class Listener:
    """A call's sound going in, and the events that come out."""

    def __init__(self, stream: Listening) -> None:
        self.stream = stream
        self.events: list[stt.SpeechEvent] = []
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self.stream:
            self.events.append(event)

    async def sound(self, level: int, seconds: float) -> None:
        samples = round(SAMPLE_RATE * FRAME)
        for _ in range(round(seconds / FRAME)):
            frame = np.full(samples, level, np.int16)
            self.stream.push_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, samples))
        await settled()

    def finals(self) -> list[str]:
        return [one.alternatives[0].text for one in self.events if one.type == FINAL]


@dataclass
class Setting:
    """Two providers and a call."""

    first: FakeRecogniser
    second: FakeRecogniser
    ear: Ear
    call: Listener


def recogniser(name: str, fake: FakeRecogniser) -> Recogniser:
    def make(terms: tuple[str, ...]) -> stt.STT[str]:
        fake.terms = terms
        return fake

    return Recogniser(name, make, diarizes=True)


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    first, second = FakeRecogniser(), FakeRecogniser()
    ear = Ear([recogniser("first", first), recogniser("second", second)], CallerVoice())
    call = Listener(ear.stream())
    await settled()
    yield Setting(first, second, ear, call)
    await call.stream.aclose()
    await call.task


async def test_a_connection_that_breaks_loses_no_word(setting: Setting) -> None:
    await setting.call.sound(0, 1)
    await setting.call.sound(5000, 1)
    setting.first.connections[0].broken.set()
    await settled()
    await setting.call.sound(6000, 0.5)
    heard = setting.second.connections[0].levels
    assert heard.count(5000) == 20
    assert heard[-10:] == [6000] * 10
    assert heard.count(0) <= 6, "the silence before the words is not sent again"


async def test_support_sees_which_provider_failed_and_why(setting: Setting) -> None:
    with logged(voice.ear) as events:
        setting.first.connections[0].broken.set()
        await settled()
    (failed,) = [one for one in events if one["event"] == "provider.failed_over"]
    kept = only_allowed(None, "", failed)
    assert (kept["port"], kept["provider"]) == ("hearing", "first")
    assert kept["error_type"] == "APIConnectionError"


async def test_what_was_understood_is_not_heard_twice(setting: Setting) -> None:
    await setting.call.sound(5000, 1)
    await setting.first.connections[0].says(FINAL, "my number is", (0.0, 1.0))
    await setting.call.sound(6000, 0.5)
    setting.first.connections[0].broken.set()
    await settled()
    assert setting.second.connections[0].levels == [6000] * 10


async def test_words_keep_their_times_over_connections(setting: Setting) -> None:
    await setting.call.sound(0, 4)
    await setting.call.sound(5000, 1)
    setting.first.connections[0].broken.set()
    await settled()
    await setting.second.connections[0].says(FINAL, "hello", (0.3, 1.3))
    said = setting.call.events[-1].alternatives[0]
    assert said.start_time == pytest.approx(4.0, abs=0.3)
    assert said.end_time - said.start_time == pytest.approx(1.0)


async def test_other_key_terms_wait_for_the_end_of_the_word(setting: Setting) -> None:
    connection = setting.first.connections[0]
    await setting.call.sound(5000, 0.5)
    await connection.says(START)
    setting.ear.listen_for(("HF",))
    await settled()
    assert len(setting.first.connections) == 1
    await connection.says(FINAL, "hello", (0.0, 0.5))
    await connection.says(END)
    assert [one.terms for one in setting.first.connections] == [(), ("HF",)]
    assert setting.second.connections == []


async def test_the_same_key_terms_cost_no_connection(setting: Setting) -> None:
    setting.ear.listen_for(("HF",))
    await settled()
    setting.ear.listen_for(("HF",))
    await settled()
    assert len(setting.first.connections) == 2


async def test_a_word_begun_while_the_terms_change_is_heard_whole(setting: Setting) -> None:
    await setting.call.sound(5000, 0.4)
    setting.ear.listen_for(("HF",))
    await settled()
    assert setting.first.connections[1].levels == [5000] * 8


async def test_a_provider_that_failed_is_left_alone_for_a_while(setting: Setting) -> None:
    setting.first.connections[0].broken.set()
    await settled()
    setting.ear.listen_for(("HF",))
    await settled()
    assert len(setting.first.connections) == 1
    assert len(setting.second.connections) == 2


async def test_words_that_never_came_are_asked_for_again_then_of_the_other_provider(
    setting: Setting,
) -> None:
    await setting.call.sound(5000, 1)
    setting.ear.unheard()
    await settled()
    assert setting.first.connections[1].levels == [5000] * 20
    setting.ear.unheard()
    await settled()
    assert setting.second.connections[0].levels == [5000] * 20


async def test_the_caller_hears_of_no_error_while_somebody_listens(setting: Setting) -> None:
    errors: list[stt.STTError] = []
    setting.ear.on("error", errors.append)
    setting.first.connections[0].broken.set()
    await settled()
    assert [one.recoverable for one in errors] == [True]


async def test_a_side_voice_is_no_turn_and_its_words_are_taken_back(setting: Setting) -> None:
    connection = setting.first.connections[0]
    await setting.call.sound(5000, 1)
    await connection.says(FINAL, "twelve oak avenue", (0.0, 1.0), "S0")
    await setting.call.sound(800, 1)
    await connection.says(INTERIM, "dinner is", (1.0, 1.6))
    await connection.says(FINAL, "dinner is ready", (1.0, 2.0), "S1")
    await setting.call.sound(4500, 1)
    await connection.says(FINAL, "in Portland", (2.0, 3.0), "S0")
    assert setting.call.finals() == ["twelve oak avenue", "in Portland"]
    taken_back = [one for one in setting.call.events if one.type == INTERIM][-1]
    assert taken_back.alternatives[0].text == ""


async def test_unfinished_words_of_a_faint_voice_are_nobodys(setting: Setting) -> None:
    connection = setting.first.connections[0]
    await setting.call.sound(5000, 1)
    await connection.says(FINAL, "twelve oak avenue", (0.0, 1.0), "S0")
    heard = setting.ear.words
    await setting.call.sound(800, 1)
    await connection.says(INTERIM, "dinner is", (1.0, 2.0))
    await setting.call.sound(3000, 1)
    await connection.says(INTERIM, "in Portland", (2.0, 3.0))
    shown = [one.alternatives[0].text for one in setting.call.events if one.type == INTERIM]
    assert shown == ["", "in Portland"]
    assert setting.ear.words == heard + 1


async def test_words_that_are_only_repeated_while_there_is_noise_are_no_new_ones(
    setting: Setting,
) -> None:
    connection = setting.first.connections[0]
    await setting.call.sound(5000, 1)
    for words in ("my", "my order", "my order", "my order"):
        await connection.says(INTERIM, words, (0.0, 1.0))
    assert setting.ear.words == 2
    await connection.says(FINAL, "my order", (0.0, 1.0), "S0")
    assert setting.ear.words == 2
    await connection.says(INTERIM, "my order", (1.0, 1.1))
    assert setting.ear.words == 3


async def test_the_words_so_far_are_asked_of_the_connection_that_hears_now(
    setting: Setting,
) -> None:
    setting.first.connections[0].broken.set()
    await settled()
    setting.ear.conclude()
    await settled()
    assert setting.first.connections[0].concluded == 0
    assert setting.second.connections[0].concluded == 1


async def test_speakers_named_anew_after_other_key_terms_are_told_apart_by_loudness(
    setting: Setting,
) -> None:
    await setting.call.sound(5000, 1)
    await setting.first.connections[0].says(FINAL, "my order", (0.0, 1.0), "S0")
    setting.ear.listen_for(("HF",))
    await settled()
    connection = setting.first.connections[1]
    await setting.call.sound(900, 1)
    await connection.says(FINAL, "who is it", (0.0, 1.0), "S0")
    await setting.call.sound(5000, 1)
    await connection.says(FINAL, "ten four eight two", (1.0, 2.0), "S1")
    assert setting.call.finals() == ["my order", "ten four eight two"]
