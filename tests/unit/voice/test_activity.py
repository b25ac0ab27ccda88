"""Sound counts as somebody speaking as long as words come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from livekit.agents.vad import VADEvent, VADEventType

from voice.activity import GOES_ON_WITHIN, QUIET_SECONDS, RECOGNISED_WITHIN, Belief

WINDOW = 0.032  #: seconds between two judgements of Silero's
START, END = VADEventType.START_OF_SPEECH, VADEventType.END_OF_SPEECH


@dataclass
class FakeHearing:
    """voice.activity.Hearing."""

    words: int = 0
    concluded: int = 0

    def conclude(self) -> None:
        self.concluded += 1


@dataclass
class Caller:
    """Seconds of sound, as Silero judges them, and what is believed of it."""

    hearing: FakeHearing = field(default_factory=FakeHearing)
    now: float = 0.0
    detected: bool = False
    edges: list[tuple[VADEventType, float]] = field(default_factory=list)
    speaking: list[bool] = field(default_factory=list)  #: as each judgement says

    def __post_init__(self) -> None:
        self.belief = Belief(self.hearing, RECOGNISED_WITHIN)

    def sounds(self, seconds: float) -> None:
        """Like a voice, or like several."""
        if not self.detected:
            self.detected = True
            self._judge(START)
        self._pass(seconds)

    def is_quiet(self, seconds: float) -> None:
        if self.detected:
            self.detected = False
            self._judge(END)
        self._pass(seconds)

    def says(self, seconds: float) -> None:
        """Words come of it four times a second."""
        for _ in range(round(seconds * 4)):
            self.hearing.words += 1
            self.sounds(0.25)

    def _pass(self, seconds: float) -> None:
        for _ in range(round(seconds / WINDOW)):
            self.now += WINDOW
            self._judge(VADEventType.INFERENCE_DONE)

    def _judge(self, kind: VADEventType) -> None:
        detected = VADEvent(
            kind, round(self.now * 16000), self.now, 1.0, 0.0, speaking=self.detected
        )
        for event in self.belief.judge(detected):
            if event.type == VADEventType.INFERENCE_DONE:
                self.speaking.append(event.speaking)
            else:
                self.edges.append((event.type, self.now))

    @property
    def kinds(self) -> list[VADEventType]:
        return [kind for kind, _ in self.edges]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_words_and_pauses_are_what_silero_says_they_are(caller: Caller) -> None:
    caller.is_quiet(5)
    for _ in range(3):
        caller.says(4)
        caller.is_quiet(0.5)
    assert caller.kinds == [START, END] * 3
    assert caller.hearing.concluded == 0


def test_noise_that_sounds_like_speech_is_believed_for_a_moment(caller: Caller) -> None:
    caller.sounds(60)
    assert caller.kinds == [START, END]
    assert caller.edges[-1][1] == pytest.approx(RECOGNISED_WITHIN, abs=2 * WINDOW)
    assert not caller.speaking[-1]


def test_the_end_of_the_callers_words_is_an_end_while_the_noise_goes_on(caller: Caller) -> None:
    caller.sounds(10)
    caller.says(3)
    spoken = caller.now
    caller.sounds(10)
    assert caller.kinds == [START, END, START, END]
    assert caller.edges[-1][1] == pytest.approx(spoken + GOES_ON_WITHIN, abs=0.3)
    assert caller.hearing.concluded == 2, "the words so far are asked for"


def test_the_callers_words_in_noise_are_a_beginning(caller: Caller) -> None:
    caller.sounds(10)
    began = caller.now
    caller.says(1)
    assert caller.edges[-1] == (START, pytest.approx(began, abs=2 * WINDOW))
    assert caller.speaking[-1]


def test_noise_that_comes_and_goes_is_no_speech_either(caller: Caller) -> None:
    for _ in range(40):
        caller.sounds(0.5)
        caller.is_quiet(QUIET_SECONDS / 2)
    assert caller.edges[-1][1] <= RECOGNISED_WITHIN + 2 * WINDOW


def test_after_some_quiet_a_sound_is_believed_again(caller: Caller) -> None:
    caller.sounds(10)
    caller.is_quiet(QUIET_SECONDS + WINDOW)
    began = caller.now
    caller.sounds(1)
    assert caller.edges[-1] == (START, pytest.approx(began, abs=WINDOW))


def test_beginnings_and_ends_alternate(caller: Caller) -> None:
    for seconds in (0.3, 3.0, 1.0, 0.1):
        caller.sounds(seconds)
        caller.says(seconds)
        caller.is_quiet(seconds)
    assert caller.kinds[0] == START
    assert all(one != other for one, other in pairwise(caller.kinds))
