"""What a caller hears: everything the room plays, on one timeline, and the edges between sound and silence."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from livekit import rtc

RATE = 48_000
FRAME_MS = 50  #: how often we are woken
BLOCK = RATE // 100  #: samples looked at together: 10 ms
LOUD = 250.0  #: root mean square of a block that is a sound, of 32768
QUIET_AFTER = (
    0.35  #: seconds without one that make a silence; espeak-ng pauses less within a sentence
)
LOST = 0.5  #: seconds a track may be late before the missing is silence
MINUTE = RATE * 60

Tell = Callable[..., None]


class Ear:
    """One call's. Times are time.monotonic(), the same in every process of a machine."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began = time.monotonic()
        self._heard = np.zeros(MINUTE, dtype=np.int16)
        self._length = 0

    async def listen(self, track: rtc.RemoteAudioTrack, who: str) -> None:
        """To one track, until it ends."""
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS
        )
        edges = Edges(self._tell, who)
        position: int | None = None
        try:
            async for event in stream:
                samples = np.frombuffer(event.frame.data, dtype=np.int16)
                arrived = self._now() - len(samples)
                if position is None or arrived - position > LOST * RATE:
                    position = max(arrived, 0)
                self._add(position, samples)
                edges.hear(samples, self._began + position / RATE)
                position += len(samples)
        finally:
            edges.end()
            await stream.aclose()

    def save(self, path: Path) -> float:
        """As a WAV file; returns the time of its first sample."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(self._heard[: self._length].tobytes())
        return self._began

    def _now(self) -> int:
        return int((time.monotonic() - self._began) * RATE)

    def _add(self, position: int, samples: np.ndarray) -> None:
        """Several tracks are heard together."""
        end = position + len(samples)
        while end > len(self._heard):
            self._heard = np.concatenate([self._heard, np.zeros(MINUTE, dtype=np.int16)])
        before = self._heard[position:end].astype(np.int32)
        self._heard[position:end] = np.clip(before + samples, -32768, 32767)
        self._length = max(self._length, end)


class Edges:
    """Where a track's sounds begin and end."""

    def __init__(self, tell: Tell, who: str) -> None:
        self._tell = tell
        self._who = who
        self._loud_until: float | None = None  #: while in a sound

    def hear(self, samples: np.ndarray, at: float) -> None:
        blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
        loudness = np.sqrt(np.mean(blocks**2, axis=1))
        for index, loud in enumerate(loudness > LOUD):
            begins = at + index * BLOCK / RATE
            if loud:
                if self._loud_until is None:
                    self._tell("heard_start", at=begins, who=self._who)
                self._loud_until = begins + BLOCK / RATE
            elif self._loud_until is not None and begins - self._loud_until >= QUIET_AFTER:
                self.end()

    def end(self) -> None:
        if self._loud_until is not None:
            self._tell("heard_end", at=self._loud_until, who=self._who)
            self._loud_until = None
