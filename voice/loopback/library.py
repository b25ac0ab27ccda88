"""The sentences the recogniser knows: each spoken by every speaker, as one long tape of features."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.loopback import espeak
from voice.loopback.features import BANDS, FRAMES_A_SECOND, Floats, clean_frames, features_of

DIGITS: Final = {
    "en": "zero oh one two three four five six seven eight nine".split(),
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve".split(),
    "fr": "zéro un deux trois quatre cinq six sept huit neuf".split(),
}

LONGEST_PAUSE: Final = 12  # frames of silence that are compared between two words


@dataclass(frozen=True)
class Entry:
    """One sentence as one speaker says it: its frames, and where its words are among them."""

    text: str
    language: str
    speaker: str
    bands: Floats
    words: tuple[tuple[str, int, int], ...]  # the word, its first frame, the frame after its last


@dataclass(frozen=True)
class Tape:
    """Every entry's frames, one after the other, as the decoder reads them. Never changed."""

    entries: tuple[Entry, ...]
    bands: Floats  # frames x BANDS
    energy: Floats  # of each frame, where no noise hides any
    first: NDArray[np.int64]  # of each entry, with the tape's length at the end
    languages: NDArray[np.str_]  # of each frame

    def entry_at(self, frame: int) -> int:
        """Return which entry a frame of the tape belongs to."""
        return int(np.searchsorted(self.first, frame, side="right")) - 1

    def features(self, masked: Floats) -> Floats:
        """Return what noise that hides so much of each band leaves to be compared."""
        return features_of(np.maximum(self.bands - masked, 0))


@dataclass
class Library:
    """Sentences known so far; it may grow, also from another thread, while streams are open."""

    speakers: tuple[str, ...] = espeak.SPEAKERS
    _entries: list[Entry] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)
    _tape: Tape | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, text: str, language: str) -> None:
        """Know a sentence from now on; a few milliseconds for each speaker."""
        if not text.strip() or (text, language) in self._known:
            return
        spoken = [_entry(text, language, speaker) for speaker in self.speakers]
        with self._lock:
            self._entries.extend(
                entry for entry in spoken if len(entry.bands) > 2
            )  # shorter is no sound
            self._known.add((text, language))
            self._tape = None

    def extend(self, sentences: Iterable[tuple[str, str]]) -> None:
        """Know several sentences, each with its language."""
        for text, language in sentences:
            self.add(text, language)

    def add_digits(self) -> None:
        """Know single digits in every language, so that any code is recognised when its digits are apart."""
        self.extend((digit, language) for language in DIGITS for digit in DIGITS[language])

    def tape(self) -> Tape:
        """Return everything known now."""
        with self._lock:
            if self._tape is None:
                self._tape = _tape(tuple(self._entries))
            return self._tape


def _entry(text: str, language: str, speaker: str) -> Entry:
    clip = espeak.speech(text, language, speaker=speaker, rate=espeak.OWN_RATE)
    bands, speech = clean_frames(clip.samples, clip.rate)
    kept = _without_long_pauses(speech)
    times = kept / FRAMES_A_SECOND
    words = []
    for word in clip.words:
        if re.search(r"\w", word.text):
            begin, after = np.searchsorted(times, (word.start, word.end))
            words.append((word.text, int(begin), int(after)))
    return Entry(text, language, speaker, bands[kept], tuple(words))


def _without_long_pauses(speech: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the frames to compare: from the first that is speech to the last, pauses shortened."""
    kept: list[int] = []
    for frame in np.flatnonzero(speech):
        pause = range(kept[-1] + 1, frame) if kept else range(0)
        kept.extend(pause[:LONGEST_PAUSE])
        kept.append(int(frame))
    return np.array(kept, dtype=np.int64)


def _tape(entries: tuple[Entry, ...]) -> Tape:
    nothing = np.zeros((0, BANDS), dtype=np.float32)
    lengths = [len(entry.bands) for entry in entries]
    bands = np.concatenate([nothing, *(entry.bands for entry in entries)])
    languages = np.array([entry.language for entry in entries], dtype=np.str_)
    return Tape(
        entries,
        bands,
        (features_of(bands) ** 2).sum(axis=1),
        np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        np.repeat(languages, lengths),
    )
