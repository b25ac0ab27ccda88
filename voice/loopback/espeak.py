"""Speech by espeak-ng, called in this process through its C library: samples and the times of the words in them."""

from __future__ import annotations

import ctypes
import functools
import re
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

Samples = NDArray[np.int16]

SPEAKERS: Final = ("m3", "f2", "m7", "f4")  # espeak-ng's variants: two men, two women, well apart
OWN_RATE: Final = 22050  # what espeak-ng's voices are made at
WORDS_PER_MINUTE: Final = 175  # what espeak-ng speaks at speed 1
_LOUDNESS: Final = 60  # of 100, where espeak-ng clips

_LIBRARY: Final = "libespeak-ng.dylib" if sys.platform == "darwin" else "libespeak-ng.so.1"
_VOICES: Final = {"en": "en-us", "es": "es", "fr": "fr"}
_PAUSES: Final = frozenset({b"_", b"_:", b"_!", b"_|", b"_^"})
_UTF8: Final = 1
_SYNCHRONOUS: Final = 2
_PHONEME_EVENTS: Final = 1
_DONT_EXIT: Final = 0x8000
_RATE: Final = 1
_VOLUME: Final = 2
_WORD_EVENT: Final = 1
_END_EVENT: Final = 5
_PHONEME_EVENT: Final = 7


class EspeakMissing(Exception):
    """libespeak-ng is not installed (Debian: apt-get install espeak-ng)."""


class Word(NamedTuple):
    """One word as it is written in the text, and where it is heard, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Clip:
    """Speech: one channel of signed 16 bit samples, which must not be written to."""

    samples: Samples
    rate: int
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def available() -> bool:
    """Whether libespeak-ng can be called on this machine."""
    try:
        _library()
    except EspeakMissing:
        return False
    return True


def speaker_of(voice: str) -> str:
    """Return the speaker that speaks as a vendor's voice id: always the same for one id."""
    if voice in SPEAKERS:
        return voice
    return SPEAKERS[zlib.crc32(voice.encode()) % len(SPEAKERS)]


@functools.lru_cache(maxsize=256)
def speech(
    text: str, language: str, speed: float = 1.0, *, speaker: str = SPEAKERS[0], rate: int = 24000
) -> Clip:
    """Speak a text; `rate` in samples a second, `speed` 1.0 is 175 words a minute.

    Word times are espeak-ng's own, to the sample. Only where it speaks several written words as one
    ("of the") is their common time divided evenly. Raises ValueError for a language it does not speak.
    """
    samples, marks = _library().synthesise(text, language, speed, speaker)
    if rate != OWN_RATE:
        samples = _resampled(samples, rate)
    samples.setflags(write=False)
    return Clip(samples, rate, tuple(_words(text, marks)))


def _resampled(samples: Samples, rate: int) -> Samples:
    ratio = Fraction(rate, OWN_RATE)
    resampled = resample_poly(samples.astype(np.float32), ratio.numerator, ratio.denominator)
    return np.asarray(np.clip(np.rint(resampled), -32768, 32767), dtype=np.int16)


@dataclass(frozen=True)
class _Mark:
    """Where something begins in the samples: a word (with its place in the text), a sound, a pause."""

    sample: int
    place: int | None  # a word's first character in the text
    silent: bool = False


class _Symbol(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Symbol),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """libespeak-ng: one voice at a time in a process, so one text at a time."""

    def __init__(self) -> None:
        try:
            self._c = ctypes.CDLL(_LIBRARY)
        except OSError as cause:
            raise EspeakMissing(EspeakMissing.__doc__) from cause
        self._lock = threading.Lock()
        self._audio: list[bytes] = []
        self._marks: list[_Mark] = []
        self._callback = _Callback(self._receive)
        rate = self._c.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _DONT_EXIT)
        if rate != OWN_RATE:
            raise EspeakMissing("libespeak-ng finds no voices (Debian: espeak-ng-data)")
        self._c.espeak_SetSynthCallback(self._callback)

    def synthesise(
        self, text: str, language: str, speed: float, speaker: str
    ) -> tuple[Samples, list[_Mark]]:
        voice = f"{_VOICES.get(language, language)}+{speaker}"
        encoded = text.encode() + b"\0"
        with self._lock:
            self._audio, self._marks = [], []
            if self._c.espeak_SetVoiceByName(voice.encode()) != 0:
                raise ValueError(f"espeak-ng speaks no {language!r}")
            self._c.espeak_SetParameter(_RATE, round(WORDS_PER_MINUTE * speed), 0)
            self._c.espeak_SetParameter(_VOLUME, _LOUDNESS, 0)
            self._c.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
            audio, marks = b"".join(self._audio), self._marks
        return np.frombuffer(audio, dtype=np.int16).copy(), marks

    def _receive(self, wave: object, count: int, events: object) -> int:
        index = 0
        while (event := events[index]).type:  # type: ignore[index]  # a C array, ended by type 0
            if event.type == _WORD_EVENT and event.length:
                self._marks.append(_Mark(event.sample, event.text_position - 1))
            elif event.type == _PHONEME_EVENT:
                self._marks.append(_Mark(event.sample, None, bytes(event.id.string) in _PAUSES))
            elif event.type == _END_EVENT:
                self._marks.append(_Mark(event.sample, None, silent=True))
            index += 1
        if wave and count:
            self._audio.append(ctypes.string_at(wave, count * 2))  # type: ignore[arg-type]
        return 0


@functools.cache
def _library() -> _Library:
    return _Library()


def _words(text: str, marks: list[_Mark]) -> Iterator[Word]:
    """Give each written word the sounds from its mark to the next word's, or to the pause before it."""
    tokens = list(re.finditer(r"\S+", text))
    heard: list[list[int]] = []  # of each stretch: its first word, its first sample, its last
    sounding = False
    for mark in marks:
        if sounding:
            heard[-1][2] = mark.sample
        sounding = bool(heard) and not mark.silent
        if mark.place is None:
            continue
        index = max(sum(token.start() <= mark.place for token in tokens) - 1, 0)
        if not heard or index > heard[-1][0]:
            heard.append([index, mark.sample, mark.sample])
        sounding = True
    yield from _shared(tokens, heard)


def _shared(tokens: list[re.Match[str]], heard: list[list[int]]) -> Iterator[Word]:
    """Divide a stretch evenly between the written words that were spoken in it."""
    for position, (token, first, last) in enumerate(heard):
        begin = 0 if position == 0 else token
        after = heard[position + 1][0] if position + 1 < len(heard) else len(tokens)
        step = (last - first) / (after - begin)
        for index in range(begin, after):
            start = first + step * (index - begin)
            yield Word(tokens[index].group(), start / OWN_RATE, (start + step) / OWN_RATE)
