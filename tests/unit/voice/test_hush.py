"""The line falls silent at the caller's first sound, and goes on when it was nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.vad import VADEvent, VADEventType

from tests.unit.voice.hand_timer import HandTimer
from voice.audio import CallerVoice
from voice.hush import AFTER, LONGEST, QUIET, Hush

WINDOW = 0.032  #: seconds between two judgements of Silero's
RATE, LOUDNESS = 16000, 2000


@dataclass
class Output:
    """An io.AudioOutput, as far as it is held."""

    paused: bool = False
    pauses: int = 0

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False


@dataclass
class Speech:
    """A SpeechHandle."""

    interrupted: bool = False
    allow_interruptions: bool = True


@dataclass
class Outputs:
    audio: Output = field(default_factory=Output)


@dataclass
class Session:
    """An AgentSession that is saying something."""

    agent_state: str = "speaking"
    current_speech: Speech | None = field(default_factory=Speech)
    output: Outputs = field(default_factory=Outputs)


class Line:
    """Seconds of the caller's sound, as Silero judges them."""

    def __init__(self, voice: CallerVoice | None = None) -> None:
        self.session = Session()
        self.timer = HandTimer()
        self.hush = Hush(self.session, voice, later=self.timer)  # type: ignore[arg-type]
        self._now = 0.0

    def sounds(self, seconds: float, probability: float = 0.9, loudness: int = LOUDNESS) -> None:
        for _ in range(round(seconds / WINDOW)):
            self._now += WINDOW
            self.hush.hear(_judged(self._now, probability, loudness))

    def is_quiet(self, seconds: float) -> None:
        self.sounds(seconds, probability=0.01, loudness=10)

    @property
    def silent(self) -> bool:
        return self.session.output.audio.paused


def _judged(at: float, probability: float, loudness: int) -> VADEvent:
    samples = round(WINDOW * RATE)
    sound = np.full(samples, loudness, dtype=np.int16)
    frame = rtc.AudioFrame(sound.tobytes(), RATE, 1, samples)
    return VADEvent(
        VADEventType.INFERENCE_DONE,
        round(at * RATE),
        at,
        0.0,
        0.0,
        frames=[frame],
        probability=probability,
    )


@pytest.fixture
def line() -> Line:
    return Line()


def test_line_is_silent_as_soon_as_somebody_speaks(line: Line) -> None:
    line.is_quiet(1)
    line.sounds(WINDOW)
    assert not line.silent  # a click is no speech
    line.sounds(WINDOW)
    assert line.silent
    assert 2 * WINDOW >= AFTER


def test_line_goes_on_after_a_sound_that_nobody_took_for_words(line: Line) -> None:
    line.sounds(0.4)
    line.is_quiet(QUIET - 2 * WINDOW)
    assert line.silent
    line.is_quiet(3 * WINDOW)
    assert not line.silent
    assert line.timer.running == 0


def test_line_goes_on_as_soon_as_the_words_are_known_for_a_backchannel(line: Line) -> None:
    line.sounds(0.4)
    line.hush.go_on()
    assert not line.silent
    line.sounds(0.4)  # the same sound still
    assert not line.silent
    line.is_quiet(1)
    line.sounds(0.4)
    assert line.silent


def test_line_stays_silent_when_a_word_was_recognised_meanwhile(line: Line) -> None:
    line.sounds(0.4)
    line.session.agent_state = "listening"  # LiveKit has stopped it
    line.is_quiet(1)
    assert line.silent


def test_pause_inside_a_word_is_no_end_of_it(line: Line) -> None:
    line.sounds(0.2)
    line.is_quiet(QUIET / 2)
    line.sounds(0.2)
    line.is_quiet(QUIET / 2)
    assert line.silent
    assert line.session.output.audio.pauses == 1


def test_sound_that_never_ends_is_waited_for_once(line: Line) -> None:
    line.sounds(0.4)
    line.timer.pass_(LONGEST)
    assert not line.silent
    line.sounds(2)
    assert not line.silent


def test_what_the_law_wants_said_is_said(line: Line) -> None:
    line.session.current_speech = Speech(allow_interruptions=False)
    line.sounds(1)
    assert not line.silent


@pytest.mark.parametrize("state", ["listening", "thinking"])
def test_line_that_says_nothing_is_not_held(line: Line, state: str) -> None:
    line.session.agent_state = state
    line.sounds(1)
    assert not line.silent


def test_voice_that_is_not_at_the_phone_does_not_stop_the_line() -> None:
    voice = CallerVoice()
    assert voice.spoke((1, "0"), LOUDNESS, 0.0)
    line = Line(voice)
    line.sounds(1, loudness=LOUDNESS // 5)
    assert not line.silent
    line.sounds(0.2)
    assert line.silent
