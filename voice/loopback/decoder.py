"""Finds known sentences in sound by matching it, frame by frame, against all of them at once.

It is connected-word dynamic programming (Ney 1984) whose "words" are whole sentences that may be entered
and left anywhere, so a sentence that is cut gives the words that are there, and digits may follow each other freely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from voice.loopback.features import BANDS, FRAMES_A_SECOND, Floats, Frame, features_of
from voice.loopback.library import Tape

_MISMATCH: Final = 0.66  # how alike frames must be (1.0: the same) for a step to gain
_HOLD_SHARE: Final = 0.15  # of a frame's energy: the cost of hearing one frame of a sentence twice
_SKIP_SHARE: Final = 0.15  # of a frame's energy: the cost of not hearing it
_GAP_SHARE: Final = 0.15  # of a frame's energy: the cost of its belonging to no sentence
_ENTER_COST: Final = 5.0  # of beginning inside a sentence: some ten frames must match to pay for it
_LEAVE_COST: Final = 5.0  # of leaving a sentence before its end and going on with another
_FOLLOW_COST: Final = 1.5  # of any sentence after another
_WHOLE_BONUS: Final = 1.0  # "Oui" is rather that than the beginning of "Oui, s'il vous plaît"
_EDGE: Final = 3  # frames at either end of a sentence that count as its edge
_LEAST_SCORE: Final = 3.0  # what a path must gain to be believed
_LEAST_FIT, _LEAST_FIT_SHORT = 0.3, 0.75  # of a stretch of a second and more, and of a moment
_WORD_SHARE: Final = 0.5  # of a word's frames must be heard for it to count
_NEW_MASK: Final = 0.05  # 1.4 dB: when noise changes by more, in the mean, it is compared anew
_NOWHERE: Final = np.float32(-1e6)


Number = TypeVar("Number", np.float32, np.int64)


@dataclass(frozen=True)
class HeardWord:
    """A recognised word, in seconds since the stream began."""

    text: str
    start: float
    end: float
    confidence: float
    language: str
    speaker: str


@dataclass(frozen=True)
class _Stretch:
    """A part of one entry, heard over a part of the stream, after another stretch or nothing."""

    first_time: int  # speech frames since the path began
    last_time: int
    first: int  # frames of the tape
    last: int
    gain: float  # what it scored
    before: _Stretch | None


class Decoder:
    """The best path through the tape for the speech so far."""

    def __init__(self, tape: Tape, languages: frozenset[str] | None) -> None:
        self.tape = tape
        size, starts = len(tape.bands), tape.first[:-1]
        self._starts = starts
        self._cells = np.arange(size, dtype=np.int64)
        self._enter: Floats = np.full(size, -_ENTER_COST, dtype=np.float32)
        self._leave: Floats = np.full(size, -_LEAVE_COST, dtype=np.float32)
        for edge in range(_EDGE):
            self._enter[np.minimum(starts + edge, tape.first[1:] - 1)] = 0
            self._leave[np.maximum(tape.first[1:] - 1 - edge, starts)] = 0
        if languages is not None:
            self._enter[~np.isin(tape.languages, list(languages))] = _NOWHERE
        self._mask(np.zeros(BANDS, dtype=np.float32))
        self._score: Floats = np.full(size, _NOWHERE, dtype=np.float32)
        self._origin: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._times: list[int] = []  # of each frame so far: its place in the stream
        self._entered_at: list[float] = []  # with which score a path could enter at each time
        self._outside = 0.0  # the score of being in no sentence
        self._before: list[_Stretch | None] = []  # what was heard when a path entered at each time
        self._last: _Stretch | None = None

    def _mask(self, masked: Floats) -> None:
        """Compare only what the noise leaves of the tape."""
        self._masked = masked
        self._features = self.tape.features(masked)
        self._energy: Floats = (self._features**2).sum(axis=1)
        self._skip_cost: Floats = np.roll(self._energy, 1) * np.float32(_SKIP_SHARE)

    def take(self, frames: list[Frame], times: list[int]) -> None:
        """Go on with more frames; `times` are their places in the stream."""
        if not len(self.tape.bands):
            return
        if np.abs(frames[-1].masked - self._masked).mean() > _NEW_MASK:
            self._mask(frames[-1].masked)
        heard = features_of(np.array([frame.bands for frame in frames], dtype=np.float32))
        own = (heard**2).sum(axis=1)
        half = np.float32(_MISMATCH / 2)
        alike = heard @ self._features.T - (own * half)[:, None] - self._energy * half
        for row, energy, time in zip(alike, own, times, strict=True):
            self._step(row, float(energy), time)

    def _step(self, alike: Floats, energy: float, time: int) -> None:
        now = len(self._times)
        follow = _FOLLOW_COST if self._last is not None else 0.0
        entered = self._outside - follow
        self._times.append(time)
        self._before.append(self._last)
        self._entered_at.append(entered)
        best = self._enter + alike + np.float32(entered)
        origin = self._cells + (now << 32)
        hold = np.float32(_HOLD_SHARE * energy)
        for moved, gain in (
            (1, alike),
            (0, np.minimum(alike, 0) - hold),
            (2, alike - self._skip_cost),
        ):
            came = _shifted(self._score, moved) + gain
            for step in range(moved):
                came[self._starts + step] = _NOWHERE  # what came from the entry before
            better = came > best
            np.copyto(best, came, where=better)
            np.copyto(origin, _shifted(self._origin, moved), where=better)
        self._score, self._origin = best, origin
        self._outside = max(self._outside - _GAP_SHARE * energy, 0.0)
        if self._outside == 0.0:
            self._last = None
        leaving = best + self._leave
        top = int(np.argmax(leaving))
        if leaving[top] > self._outside:
            self._outside = float(leaving[top])
            self._last = self._stretch(top, now)

    def _stretch(self, cell: int, now: int) -> _Stretch:
        origin = int(self._origin[cell])
        entered, first = origin >> 32, origin & 0xFFFFFFFF
        gain = float(self._score[cell]) - self._entered_at[entered]
        return _Stretch(entered, now, first, cell, gain, self._before[entered])

    def _top(self) -> _Stretch | None:
        """Return the end of the best path, if one is worth believing."""
        if not self._times:
            return None
        top = int(np.argmax(self._score))
        score = float(self._score[top])
        if max(score, self._outside) < _LEAST_SCORE:
            return None
        whole = self._last is not None and score < self._outside + _WHOLE_BONUS
        return self._last if whole else self._stretch(top, len(self._times) - 1)

    def best(self) -> list[HeardWord]:
        """Return the words of the best path; none where no path is worth believing."""
        stretches: list[_Stretch] = []
        stretch = self._top()
        while stretch is not None:
            if self._believed(stretch):
                stretches.append(stretch)
            stretch = stretch.before
        words: list[HeardWord] = []
        counted = (-1, -1)
        for stretch in reversed(stretches):
            entry = self.tape.entry_at(stretch.first)
            for position, word in self._words(stretch):
                if (entry, position) != counted:  # half of it before a jump and half after
                    words.append(word)
                counted = (entry, position)
        return words

    def _believed(self, stretch: _Stretch) -> bool:
        """Whether a stretch fits well enough for its length: short ones are soon found anywhere."""
        frames = stretch.last - stretch.first + 1
        short = 1 - min(frames / FRAMES_A_SECOND, 1.0)
        return self._fit(stretch) >= _LEAST_FIT + short * (_LEAST_FIT_SHORT - _LEAST_FIT)

    def complete(self) -> bool:
        """Whether the best path is at the end of a sentence."""
        stretch = self._top()
        if stretch is None:
            return False
        end = int(self.tape.first[self.tape.entry_at(stretch.last) + 1])
        return stretch.last >= end - 2 * _EDGE

    def _words(self, stretch: _Stretch) -> Iterator[tuple[int, HeardWord]]:
        """Yield the words that were heard, with their positions in the sentence."""
        number = self.tape.entry_at(stretch.first)
        entry, base = self.tape.entries[number], int(self.tape.first[number])
        confidence = self._confidence(stretch)
        for position, (text, first, after) in enumerate(entry.words):
            inside = min(base + after, stretch.last + 1) - max(base + first, stretch.first)
            if inside >= max(_WORD_SHARE * (after - first), 1):
                start = self._time(stretch, base + first)
                end = self._time(stretch, base + after)
                word = HeardWord(text, start, end, confidence, entry.language, entry.speaker)
                yield position, word

    def _time(self, stretch: _Stretch, frame: int) -> float:
        """Where a frame of the tape was heard, taking the pace within a stretch to be even."""
        part = (frame - stretch.first) / max(stretch.last - stretch.first, 1)
        index = stretch.first_time + part * (stretch.last_time - stretch.first_time)
        nearest = min(max(round(index), stretch.first_time), stretch.last_time)
        return self._times[nearest] / FRAMES_A_SECOND

    def _fit(self, stretch: _Stretch) -> float:
        """How near the match is to a perfect one: 0 or less where it is no better than chance."""
        perfect = self._sum(self._energy, stretch) * (1 - _MISMATCH)
        return min(stretch.gain / perfect, 1.0) if perfect > 0 else 0.0

    def _confidence(self, stretch: _Stretch) -> float:
        """How sure it is: the fit, less where noise hides most of the sentence."""
        whole = self._sum(self.tape.energy, stretch)
        visible = self._sum(self._energy, stretch) / whole if whole else 0.0
        return float(max(self._fit(stretch), 0.0) ** 0.5 * min(visible, 1.0) ** 0.25)

    @staticmethod
    def _sum(energy: Floats, stretch: _Stretch) -> float:
        return float(energy[stretch.first : stretch.last + 1].sum())


def _shifted(cells: NDArray[Number], moved: int) -> NDArray[Number]:
    """Move every cell so many frames on; what was last comes first, where nothing comes from."""
    return np.concatenate((cells[-moved:], cells[:-moved])) if moved else cells
