"""A caller's microphone: clips as they are spoken, with or without the noise of where the caller is."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from livekit import rtc

RATE = 48_000
FRAME = RATE // 50  #: samples handed over together
AHEAD = 0.5  #: seconds handed over before they are due, so that a busy machine makes no gaps

Tell = Callable[..., None]


def read_wav(path: Path) -> np.ndarray:
    """48 kHz, mono, 16 bit."""
    with wave.open(str(path), "rb") as file:
        form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        assert form == (RATE, 1, 2), f"{path} is not 48 kHz mono 16 bit"
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


@dataclass
class Speaking:
    """A clip on its way to the room."""

    samples: np.ndarray
    began: float = 0.0
    ended: float = 0.0
    position: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Mic:
    """Hands over frames in real time while there is anything but silence; LiveKit's source fills in silence itself."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=1000)
        self._clips: list[Speaking] = []
        self._background: np.ndarray | None = None
        self._background_at = 0
        self._wanted = asyncio.Event()

    async def speak(self, samples: np.ndarray) -> Speaking:
        """Begins at once, beside whatever is being spoken; returns when it was spoken or hushed."""
        clip = Speaking(samples)
        self._clips.append(clip)
        self._wanted.set()
        await clip.over.wait()
        await asyncio.sleep(clip.ended - time.monotonic())
        return clip

    def hush(self) -> None:
        """In the middle of a word, if need be."""
        for clip in self._clips:
            clip.samples = clip.samples[: clip.position]
        self.source.clear_queue()

    def background(self, samples: np.ndarray | None) -> None:
        """Over and over, until there is another or none."""
        self._background = samples
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            due = time.monotonic()  # when the frame is heard in the room
            while self._clips or self._background is not None:
                await asyncio.sleep(due - AHEAD - time.monotonic())
                frame = self._next_frame(due)
                await self.source.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME))
                due = max(due + FRAME / RATE, time.monotonic())

    def _next_frame(self, due: float) -> np.ndarray:
        mixed = np.zeros(FRAME, dtype=np.int32)
        if self._background is not None:
            places = np.arange(self._background_at, self._background_at + FRAME)
            mixed += self._background.take(places, mode="wrap")
            self._background_at += FRAME
        for clip in list(self._clips):
            self._mix(mixed, clip, due)
        return np.clip(mixed, -32768, 32767).astype(np.int16)

    def _mix(self, mixed: np.ndarray, clip: Speaking, due: float) -> None:
        if not clip.began:
            clip.began = due
            self._tell("speaking", at=due)
        part = clip.samples[clip.position : clip.position + FRAME]
        mixed[: len(part)] += part
        clip.position += len(part)
        if clip.position >= len(clip.samples):
            clip.ended = due + len(part) / RATE
            self._clips.remove(clip)
            self._tell("spoken", at=clip.ended)
            clip.over.set()
