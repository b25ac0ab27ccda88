"""Noise goes and speech stays; side voices and "mhm" are told from the caller's answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import LanguageCode, stt
from numpy.typing import NDArray

from graph.understanding.commands import LANGUAGES, Language
from voice.audio import Backchannels, CallerVoice, NoiseSuppressor, is_backchannel, loudness
from voice.loopback import espeak

RATE = 24000
Samples = NDArray[np.float64]


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def through(suppressor: NoiseSuppressor, samples: Samples) -> Samples:
    """What comes out of frames of 50 ms, as a room gives them."""
    size = RATE // 20
    out = []
    for start in range(0, len(samples) - size + 1, size):
        piece = np.clip(samples[start : start + size], -32768, 32767).astype(np.int16)
        frame = suppressor._process(rtc.AudioFrame(piece.tobytes(), RATE, 1, size))
        out.append(np.frombuffer(frame.data, np.int16).astype(np.float64))
    return np.concatenate(out)


def noise(level: float, seconds: float) -> Samples:
    return np.random.default_rng(482).normal(0, level, int(RATE * seconds))


@pytest.fixture(scope="module")
def sentence() -> Samples:
    text = "I would like to change my address to twelve Oak Avenue."
    return espeak.speech(text, "en", rate=RATE).samples.astype(np.float64) * 0.5


# Noise ----------------------------------------------------------------------------------------------------


def test_white_noise_is_a_quarter_of_what_it_was() -> None:
    out = through(NoiseSuppressor(), noise(600, 4))
    assert rms(out[2 * RATE :]) < 600 / 3


def test_speech_stays_and_stands_out_more(sentence: Samples) -> None:
    hiss = noise(rms(sentence) / 3.16, len(sentence) / RATE + 2)  # 10 dB below
    mixed = hiss.copy()
    mixed[2 * RATE :][: len(sentence)] += sentence
    out = through(NoiseSuppressor(), mixed)
    quiet, spoken = slice(RATE, 2 * RATE), slice(2 * RATE, 2 * RATE + len(sentence))
    assert rms(out[spoken]) > 0.5 * rms(sentence)
    assert rms(out[spoken]) / rms(out[quiet]) > 1.5 * rms(mixed[spoken]) / rms(mixed[quiet])


@pytest.mark.parametrize("level", [0.05, 1.0])
def test_a_voice_keeps_its_loudness(sentence: Samples, level: float) -> None:
    out = through(NoiseSuppressor(), np.tile(sentence * level, 3))
    assert rms(out) == pytest.approx(rms(sentence * level), rel=0.25)
    assert abs(out).max() < 32767


def test_frames_keep_their_length_whatever_it_is() -> None:
    for samples in (7, 240, 1000, 1200):
        frame = rtc.AudioFrame(bytes(samples * 2), RATE, 1, samples)
        assert NoiseSuppressor()._process(frame).samples_per_channel == samples


def test_loudness_is_the_root_of_the_mean_square() -> None:
    assert loudness(rtc.AudioFrame(np.full(480, 300, np.int16).tobytes(), RATE, 1, 480)) == 300
    assert loudness(rtc.AudioFrame(b"", RATE, 1, 0)) == 0


# Voices ---------------------------------------------------------------------------------------------------


def test_the_first_voice_is_the_callers_and_a_quieter_one_is_not() -> None:
    voice = CallerVoice()
    assert voice.spoke((1, "S0"), 2000, 5)
    assert not voice.spoke((1, "S1"), 700, 8)
    assert voice.spoke((1, "S0"), 1500, 10)


def test_a_new_connection_names_speakers_anew_and_the_caller_is_known_by_their_loudness() -> None:
    voice = CallerVoice()
    voice.spoke((1, "S0"), 2000, 5)
    assert not voice.spoke((2, "S0"), 600, 8)
    assert voice.spoke((2, "S1"), 1900, 10)


def test_the_phone_can_be_handed_over() -> None:
    voice = CallerVoice()
    voice.spoke((1, "S0"), 2000, 5)
    assert voice.spoke((1, "S1"), 1800, 12)
    assert not voice.spoke((1, "S2"), 500, 15)


def test_a_caller_who_moves_away_is_followed() -> None:
    voice = CallerVoice()
    for at, level in enumerate((2000, 1400, 900, 600, 500, 500, 500)):
        assert voice.spoke((1, "S0"), level, at * 5)
    assert voice.spoke((1, "S1"), 500, 40)


def test_nobody_is_left_unheard_for_long() -> None:
    voice = CallerVoice()
    voice.spoke((1, "S0"), 8000, 1)  # a television, before the caller came near
    assert not voice.spoke((1, "S1"), 1500, 5)
    assert voice.spoke((1, "S1"), 1500, 40)


# Backchannels ---------------------------------------------------------------------------------------------

LISTENING: dict[Language, tuple[str, ...]] = {
    "en": ("Mhm.", "mm-hmm", "Uh huh.", "uh-huh, uh-huh", "Okay.", "Yeah, okay.", "I see.", "Right. Right.", "Got it."),
    "es": ("Vale.", "Ajá.", "aja aja", "Sí, sí.", "Ya.", "De acuerdo.", "Mhm.", "Claro.", "Vale, vale, perfecto."),
    "fr": ("D'accord.", "Oui oui.", "Ouais.", "Mhm, d'accord.", "Très bien.", "Ok.", "D’accord, d’accord.", "Ah oui."),
}  # fmt: skip
SAYING_SOMETHING: dict[Language, tuple[str, ...]] = {
    "en": ("No.", "Okay, but not that one.", "Stop.", "Yes, and my phone.", "Wait.", "What?", "Sorry?", "five", ""),
    "es": ("No.", "Vale, pero no esa.", "Espere.", "¿Cómo?", "Sí, y mi teléfono.", "cinco", "..."),
    "fr": ("Non.", "D'accord mais pas celui-là.", "Attendez.", "Pardon ?", "Oui, et mon téléphone.", "cinq", " "),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_sounds_and_words_of_listening_are_backchannels(language: Language) -> None:
    assert [one for one in LISTENING[language] if not is_backchannel(one, language)] == []
    assert [one for one in LISTENING[language] if not is_backchannel(one)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_anything_that_says_more_is_not(language: Language) -> None:
    assert [one for one in SAYING_SOMETHING[language] if is_backchannel(one)] == []


def test_words_under_way_may_still_become_one() -> None:
    for beginning in ("I", "okay, I", "all", "de", "très", "tout à", "mhm, all"):
        assert is_backchannel(beginning, unfinished=True), beginning
        assert not is_backchannel(beginning)
    for more in ("I want", "all of", "no", "de la"):
        assert not is_backchannel(more, unfinished=True), more


@dataclass
class FakeLine:
    """A session that speaks, pauses and has finished, as told."""

    agent_state: str = "listening"
    current_speech: object | None = None

    def speak(self) -> None:
        self.agent_state, self.current_speech = "speaking", object()

    def pause(self) -> None:
        self.agent_state = "listening"

    def finish(self) -> None:
        self.agent_state, self.current_speech = "listening", None


@dataclass
class Call:
    """Sound and recognised words, step by step."""

    line: FakeLine = field(default_factory=FakeLine)
    heard: list[str] = field(default_factory=list)
    dismissed: int = 0

    def __post_init__(self) -> None:
        self.words: asyncio.Queue[stt.SpeechEvent | None] = asyncio.Queue()
        self.sound: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()
        self.backchannels = Backchannels(self.line, self._dismiss)

    def _dismiss(self) -> None:
        self.dismissed += 1

    async def _events(self) -> AsyncGenerator[stt.SpeechEvent, None]:
        while (event := await self.words.get()) is not None:
            yield event

    async def _frames(self) -> AsyncGenerator[rtc.AudioFrame, None]:
        while True:
            yield await self.sound.get()

    async def listen(self) -> None:
        async for _ in self.backchannels.listen(self._frames()):
            pass

    async def hear(self) -> None:
        async for event in self.backchannels.heard(self._events()):
            self.heard.append(event.alternatives[0].text)

    async def says(self, text: str, kind: str = "final_transcript") -> None:
        alternative = stt.SpeechData(language=LanguageCode("en"), text=text)
        self.words.put_nowait(
            stt.SpeechEvent(stt.SpeechEventType(kind), alternatives=[alternative])
        )
        await settled()

    async def seconds(self, seconds: float) -> None:
        for _ in range(round(seconds * 20)):
            self.sound.put_nowait(rtc.AudioFrame(bytes(1600), 16000, 1, 800))
        await settled()


async def settled() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    made = Call()
    tasks = [asyncio.create_task(made.listen()), asyncio.create_task(made.hear())]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_only_finished_words_are_dismissed_as_nothing_but_listening(call: Call) -> None:
    call.line.speak()
    await call.says("I", "interim_transcript")  # "I see", or "I have another question"
    await call.says("yeah", "interim_transcript")  # or "yeah but"
    assert call.dismissed == 0
    await call.says("Yeah.")
    assert (call.dismissed, call.heard) == (1, [])


async def test_a_yes_after_the_question_is_an_answer(call: Call) -> None:
    call.line.speak()
    await call.seconds(3)
    call.line.finish()
    await call.says("Yes.")
    assert call.heard == ["Yes."]


async def test_mhm_while_the_line_speaks_is_never_heard_of(call: Call) -> None:
    call.line.speak()
    await call.says("Mhm", "interim_transcript")
    await call.says("Mhm.")
    await call.seconds(3)
    call.line.finish()
    await call.seconds(1)
    assert call.heard == []


async def test_a_yes_in_the_last_moment_of_the_question_is_its_answer(call: Call) -> None:
    call.line.speak()
    await call.seconds(3)
    await call.says("Yes.")
    await call.seconds(0.4)
    assert call.heard == []
    call.line.finish()
    await call.seconds(0.1)
    assert call.heard == ["Yes."]


async def test_a_paused_line_has_not_come_closer_to_its_end(call: Call) -> None:
    call.line.speak()
    await call.says("Yes.")
    call.line.pause()
    await call.seconds(2)
    call.line.agent_state = "speaking"
    await call.seconds(0.3)
    call.line.finish()
    await call.seconds(0.1)
    assert call.heard == ["Yes."]


async def test_words_that_say_more_stop_the_line_and_replace_what_was_held(call: Call) -> None:
    call.line.speak()
    await call.says("Okay.")
    await call.says("No, the other one.")
    call.line.finish()
    await call.seconds(0.2)
    assert call.heard == ["No, the other one."]


async def test_while_the_line_thinks_mhm_does_not_begin_another_turn(call: Call) -> None:
    call.line.agent_state, call.line.current_speech = "thinking", object()
    await call.says("Okay.")
    call.line.agent_state = "speaking"
    await call.seconds(2)
    call.line.finish()
    await call.seconds(0.2)
    assert call.heard == []


async def test_the_recognisers_end_is_the_end(call: Call) -> None:
    call.words.put_nowait(None)
    await settled()
    assert call.heard == []


async def test_listening_can_begin_anew(call: Call) -> None:
    broken = asyncio.create_task(call.hear())
    await settled()
    broken.cancel()
    await asyncio.wait({broken})
    again = asyncio.create_task(call.hear())
    await settled()
    await call.says("Hello?")
    assert "Hello?" in call.heard
    again.cancel()
    await asyncio.wait({again})
