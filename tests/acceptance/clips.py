"""What callers say, as sound: espeak-ng's voices at one loudness, alone, in noise, or beside somebody else's."""

from __future__ import annotations

import hashlib
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voice.loopback.espeak import SPEAKERS, speech

RATE = 48_000
SPOKEN_AT = 2300.0  #: root mean square of speech, of 32768: about -23 dB, as telephony aims at
NOISE_SECONDS = 10  # then it repeats
BABBLE = (
    ("I said to him that we would be there by seven at the latest", "en"),
    ("can you pass me the newspaper when you are done with it", "en"),
    ("mañana vamos todos juntos a la playa si no llueve", "es"),
    ("on se retrouve devant la gare vers midi et demi", "fr"),
    ("two coffees please and one of those with the almonds", "en"),
    ("the train on platform four is delayed by twelve minutes", "en"),
)
Place = Literal["hiss", "street", "babble"]
Samples = NDArray[np.int16]
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """Where the caller is, and by how many decibels speech is louder than it."""

    place: Place
    snr: float


@dataclass(frozen=True)
class Aside:
    """Somebody else near the caller, so many decibels fainter, beginning so many seconds into the caller's words."""

    text: str
    fainter: float = 0.0
    after: float = 0.0
    speaker: str = SPEAKERS[1]


class Clips:
    """48 kHz WAV files in a folder, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def speech(
        self,
        text: str,
        language: str = "en",
        *,
        speed: float = 1.0,
        speaker: str = SPEAKERS[0],
        noise: Noise | None = None,
        aside: Aside | None = None,
    ) -> Path:
        """Somebody saying it."""
        path = self._path(text, language, speed, speaker, noise, aside)
        if not path.exists():
            sound = spoken(text, language, speed=speed, speaker=speaker)
            if aside:
                sound = _beside(sound, aside, language)
            if noise:
                sound = sound + _noise(noise, len(sound))
            write_wav(path, sound)
        return path

    def noise(self, noise: Noise) -> Path:
        """The place alone, to be repeated."""
        path = self._path(noise)
        if not path.exists():
            write_wav(path, _noise(noise, RATE * NOISE_SECONDS))
        return path

    def _path(self, *what: object) -> Path:
        return self._folder / f"{hashlib.sha256(repr(what).encode()).hexdigest()[:24]}.wav"


def spoken(
    text: str, language: str, *, speed: float = 1.0, speaker: str = SPEAKERS[0], rate: int = RATE
) -> Sound:
    """As loud as all speech here, whoever speaks."""
    sound = speech(text, language, speed, speaker=speaker, rate=rate).samples.astype(np.float64)
    loud = sound[np.abs(sound) > np.abs(sound).max() / 20]
    return sound * (SPOKEN_AT / _level(loud))


def read_wav(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def write_wav(path: Path, sound: Sound) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.rint(sound), -32768, 32767).astype(np.int16).tobytes())


def _beside(sound: Sound, aside: Aside, language: str) -> Sound:
    other = spoken(aside.text, language, speaker=aside.speaker) * 10 ** (-aside.fainter / 20)
    start = int(aside.after * RATE)
    mixed = np.zeros(max(len(sound), start + len(other)))
    mixed[: len(sound)] += sound
    mixed[start : start + len(other)] += other
    return mixed


def _noise(noise: Noise, length: int) -> Sound:
    raw = np.resize(_PLACES[noise.place](), length)
    return raw * (SPOKEN_AT / _level(raw) * 10 ** (-noise.snr / 20))


def _level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def _hiss() -> Sound:
    return np.random.default_rng(1).normal(size=RATE * NOISE_SECONDS)


def _street() -> Sound:
    """Most of it low, as traffic is."""
    spectrum = np.fft.rfft(_hiss())
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return np.fft.irfft(spectrum)


def _babble() -> Sound:
    mixed = np.zeros(RATE * NOISE_SECONDS)
    for index, (text, language) in enumerate(BABBLE):
        voice = spoken(text, language, speaker=SPEAKERS[index % len(SPEAKERS)])
        mixed += np.roll(np.resize(voice, len(mixed)), index * RATE)
    return mixed


_PLACES = {"hiss": _hiss, "street": _street, "babble": _babble}
