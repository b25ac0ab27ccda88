"""A caller of whom nothing is understood is asked whether they are there, whatever noise there is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.unit.voice.hand_timer import HandTimer
from voice.silence import GRACE, Silence

SECONDS = 15.0


@dataclass
class Line:
    """Counts how often the caller is asked."""

    timer: HandTimer = field(default_factory=HandTimer)
    asked: int = 0
    noisy: bool = False

    def __post_init__(self) -> None:
        self.silence = Silence(SECONDS, self._ask, speaking=lambda: self.noisy, later=self.timer)

    def _ask(self) -> None:
        self.asked += 1


@pytest.fixture
def line() -> Line:
    return Line()


def test_nobody_is_asked_before_it_is_their_turn(line: Line) -> None:
    line.silence.broken()
    line.timer.pass_(60)
    assert line.asked == 0


def test_silent_caller_is_asked_once_until_the_line_has_spoken(line: Line) -> None:
    line.silence.begins()
    line.timer.pass_(SECONDS - 1)
    assert line.asked == 0
    line.timer.pass_(1)
    assert line.asked == 1
    line.timer.pass_(60)
    assert line.asked == 1


def test_words_begin_it_anew(line: Line) -> None:
    line.silence.begins()
    for _ in range(10):
        line.timer.pass_(SECONDS - 1)
        line.silence.broken()
    assert line.asked == 0
    line.timer.pass_(SECONDS)
    assert line.asked == 1


def test_the_line_speaks_and_nobody_is_asked_meanwhile(line: Line) -> None:
    line.silence.begins()
    line.silence.ends()
    line.timer.pass_(60)
    assert line.asked == 0


def test_whoever_may_just_be_speaking_is_given_a_moment(line: Line) -> None:
    line.silence.begins()
    line.noisy = True
    line.timer.pass_(SECONDS)
    assert line.asked == 0
    line.silence.broken()
    line.timer.pass_(SECONDS - 1)
    assert line.asked == 0


def test_noise_that_never_ends_leaves_nobody_in_silence(line: Line) -> None:
    line.silence.begins()
    line.noisy = True
    line.timer.pass_(SECONDS)
    line.timer.pass_(GRACE)
    assert line.asked == 1
