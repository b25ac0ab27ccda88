"""Loudspeaker: what the line says, in the room. A pause takes effect at once, and loses nothing.

LiveKit's own output (1.8.9) sends up to 200 ms ahead. When it is paused, it notices with the next frame, and what it
had sent ahead is lost: after a cough of the caller's a syllable is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import io

RATE = 24000  #: samples a second
#: Milliseconds of sound that are sent ahead, so that a busy moment of this process is not heard.
AHEAD_MS = 200
#: Seconds of sound sent at a time.
PIECE_SECONDS = 0.06
LOOK_EVERY = 0.03  #: seconds, for the end of a pause
TRACK = "voice"


class Loudspeaker(io.AudioOutput):
    """Published as soon as the room is there; whatever is said waits until the caller can hear it."""

    def __init__(self, room: rtc.Room, source: rtc.AudioSource | None = None) -> None:
        super().__init__(
            label="Loudspeaker",
            capabilities=io.AudioOutputCapabilities(pause=True),
            sample_rate=RATE,
        )
        self._room = room
        self._source = source or rtc.AudioSource(RATE, 1, queue_size_ms=AHEAD_MS)
        self._to_come: deque[rtc.AudioFrame] = deque()
        self._sent: deque[rtc.AudioFrame] = deque()  #: the last of it may not have sounded yet
        self._seconds = 0.0  #: of this segment, sent
        self._segment = False  #: has some of it come?
        self._begun = False  #: has some of it been sent?
        self._paused = False
        self._cut = asyncio.Event()  #: nothing more of this segment sounds
        self._changed = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._opening = asyncio.create_task(self._publish(), name="publish")
        self._sending = asyncio.create_task(self._send(), name="send")

    async def aclose(self) -> None:
        tasks = [self._opening, self._sending, *([self._ending] if self._ending else [])]
        await utils.aio.cancel_and_wait(*tasks)
        await self._source.aclose()

    # What LiveKit asks of an output ----------------------------------------------------------------------------

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await asyncio.shield(self._opening)
        if self._ending is not None:
            await asyncio.shield(self._ending)
        await super().capture_frame(frame)
        self._segment = True
        if not self._cut.is_set():
            self._to_come.extend(_pieces(frame))
            self._changed.set()

    def flush(self) -> None:
        super().flush()
        if self._segment and self._ending is None:
            self._ending = asyncio.create_task(self._end(), name="end of segment")

    def clear_buffer(self) -> None:
        if not self._segment:
            return
        self._take_back()
        self._to_come.clear()
        self._cut.set()

    def pause(self) -> None:
        super().pause()
        if not self._paused:
            self._paused = True
            self._take_back()

    def resume(self) -> None:
        super().resume()
        self._paused = False
        self._changed.set()

    # -----------------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track(TRACK, self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        published = await self._room.local_participant.publish_track(track, options)
        await published.wait_for_subscription()

    async def _send(self) -> None:
        while True:
            self._changed.clear()
            while self._to_come and not self._paused:
                await self._send_one(self._to_come.popleft())
            await self._changed.wait()

    async def _send_one(self, frame: rtc.AudioFrame) -> None:
        if not self._begun:
            self._begun = True
            self.on_playback_started(created_at=time.time())
        self._seconds += frame.duration
        self._sent.append(frame)
        while sum(one.duration for one in self._sent) > 2 * AHEAD_MS / 1000 + PIECE_SECONDS:
            self._sent.popleft()
        await self._source.capture_frame(frame)

    def _take_back(self) -> None:
        """What was sent and has not sounded yet is to come again."""
        ahead = self._source.queued_duration
        self._source.clear_queue()
        while self._sent and ahead > 0:
            frame = self._sent.pop()
            self._seconds -= frame.duration
            if frame.duration > ahead:
                sounded, frame = _split(frame, frame.duration - ahead)
                self._seconds += sounded.duration
            self._to_come.appendleft(frame)
            ahead -= frame.duration

    async def _end(self) -> None:
        """When all of the segment has sounded, or the rest of it never will."""
        sounded = asyncio.create_task(self._sounded())
        cut = asyncio.create_task(self._cut.wait())
        try:
            await asyncio.wait({sounded, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sounded.cancel()
            cut.cancel()
        interrupted, seconds = self._cut.is_set(), max(self._seconds, 0.0)
        self._cut.clear()
        self._sent.clear()
        self._seconds, self._segment, self._begun, self._ending = 0.0, False, False, None
        self.on_playback_finished(playback_position=seconds, interrupted=interrupted)

    async def _sounded(self) -> None:
        while self._to_come or self._source.queued_duration:
            await asyncio.wait({self._sending}, timeout=self._source.queued_duration or LOOK_EVERY)


def _pieces(frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
    pieces = []
    while frame.duration > PIECE_SECONDS:
        piece, frame = _split(frame, PIECE_SECONDS)
        pieces.append(piece)
    return [*pieces, frame]


def _split(frame: rtc.AudioFrame, seconds: float) -> tuple[rtc.AudioFrame, rtc.AudioFrame]:
    """The first so many seconds, and the rest."""
    at = round(seconds * frame.sample_rate)
    return _part(frame, 0, at), _part(frame, at, frame.samples_per_channel)


def _part(frame: rtc.AudioFrame, start: int, end: int) -> rtc.AudioFrame:
    sound = frame.data[start:end]
    return rtc.AudioFrame(sound.tobytes(), frame.sample_rate, 1, end - start)
