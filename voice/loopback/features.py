"""What the recogniser sees of sound: fifty frames a second of mel bands, cleared of steady noise."""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Samples = NDArray[np.int16]

FRAMES_A_SECOND: Final = 50
BANDS: Final = 24

_LOWEST_HZ, _HIGHEST_HZ = 150.0, 3800.0  # what a telephone carries
_WINDOW_SECONDS: Final = 0.04
_DYNAMIC_DB: Final = 28.0  # below the loudest speech by this much is silence
_ONSET: Final = 1.5  # speech is above the noise by this factor, as the mean of the bands
_QUIET: Final = np.float32(1e-7 / BANDS)  # a band's power in the quietest room (1.0: full scale)
_NOISE_MEMORY: Final = 75  # frames: speech leaves each band for a moment in so long
_SMOOTHING: Final = 0.35
_BIAS: Final = 1.6  # a minimum of smoothed noise lies below its mean by this factor
_MARGIN: Final = 1.5  # what is left of a band after its noise is taken away swings by so much of it
_FORGETTING: Final = 10 ** (-0.1 * 3.0 / FRAMES_A_SECOND)  # of the speech level, 3 dB a second
_LOUDNESS_WEIGHT: Final = 0.7


class Frame(NamedTuple):
    """One fiftieth of a second of sound."""

    bands: Floats  # loudness of each band over silence or noise, in parts of the dynamic range
    masked: Floats  # what the noise hides of each band, in the same unit
    speech: bool


class FrontEnd:
    """Turns one stream of samples into frames, however they are cut when pushed."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pending: Floats = np.zeros(_window(rate) - rate // FRAMES_A_SECOND, dtype=np.float32)
        self._smoothed: Floats | None = None
        self._past: Floats = np.empty((_NOISE_MEMORY, BANDS), dtype=np.float32)
        self._seen = 0
        self._level = float(_QUIET) * BANDS * 1e3

    def push(self, samples: Samples) -> list[Frame]:
        """Take samples and return the frames they complete."""
        self._pending = np.concatenate((self._pending, _floats(samples)))
        power = _power(self._pending, self._rate)
        self._pending = self._pending[len(power) * (self._rate // FRAMES_A_SECOND) :]
        return [self._frame(bands) for bands in power]

    def _frame(self, power: Floats) -> Frame:
        noise = self._noise(power)
        clear = np.maximum(power - noise, 0)
        total = float(clear.sum())
        above = float((clear / noise).mean()) > _ONSET
        if above:
            self._level = max(self._level * _FORGETTING, total)
        masked = _loudness(noise * _MARGIN, self._level)
        bands = np.maximum(_loudness(clear, self._level) - masked, 0)
        return Frame(bands, masked, bool(above and total > _silence(self._level)))

    def _noise(self, power: Floats) -> Floats:
        """Estimate the steady noise by the minimum of each band (Martin 2001, simplified)."""
        if self._smoothed is None:
            self._smoothed = power
        self._smoothed = (1 - _SMOOTHING) * self._smoothed + _SMOOTHING * power
        self._past[self._seen % _NOISE_MEMORY] = self._smoothed
        self._seen += 1
        least: Floats = self._past[: min(self._seen, _NOISE_MEMORY)].min(axis=0)
        noise: Floats = np.maximum(least * np.float32(_BIAS), _QUIET)
        return noise


def clean_frames(samples: Samples, rate: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the bands of a recording without noise (frames x BANDS), and which frames are speech."""
    lead = np.zeros(_window(rate) - rate // FRAMES_A_SECOND, dtype=np.float32)
    power = _power(np.concatenate((lead, _floats(samples))), rate)
    if not len(power):
        return power, np.zeros(0, dtype=np.bool_)
    total = power.sum(axis=1)
    level = float(total.max())
    return _loudness(power, level), total > max(_silence(level), float(_QUIET) * BANDS)


def features_of(bands: Floats) -> Floats:
    """Return what is compared of frames: the shape of the spectrum, and less of its loudness."""
    loudness = bands.mean(axis=1, keepdims=True)
    return np.hstack((bands - loudness, _LOUDNESS_WEIGHT * loudness)).astype(np.float32)


def _silence(level: float) -> float:
    return level * 10 ** (-0.1 * _DYNAMIC_DB)


def _loudness(power: Floats, level: float) -> Floats:
    """Decibels over silence, 1.0 being the dynamic range."""
    silent = _silence(level) / BANDS
    loudness = np.log10(np.maximum(power, silent) / silent) * (10 / _DYNAMIC_DB)
    return np.asarray(loudness, dtype=np.float32)


def _floats(samples: Samples) -> Floats:
    return samples.astype(np.float32) / np.float32(32768)


def _window(rate: int) -> int:
    return round(rate * _WINDOW_SECONDS)


def _power(samples: Floats, rate: int) -> Floats:
    """Power of each band in each whole window of the samples."""
    size, hop = _window(rate), rate // FRAMES_A_SECOND
    if len(samples) < size:
        return np.zeros((0, BANDS), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    spectra = np.fft.rfft(windows * _hann(size))
    return (np.abs(spectra) ** 2).astype(np.float32) @ _mel_bands(rate)


@functools.cache
def _hann(size: int) -> Floats:
    return np.hanning(size).astype(np.float32)


@functools.cache
def _mel_bands(rate: int) -> Floats:
    """Triangular bands, evenly spaced in mel, high ones lifted as speech falls (6 dB an octave)."""
    window = _window(rate)
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(window, 1 / rate)
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    bands = np.clip(np.minimum(rising, falling), 0, None)
    lift = (edges[1:-1] / 1000) ** 2
    full_scale = (window / 4) ** 2  # the power of a full sine in its bin under a Hann window
    weighted: Floats = (bands * lift / full_scale).astype(np.float32)
    return weighted
