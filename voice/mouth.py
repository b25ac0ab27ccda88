"""Mouth: a reply spoken to its end, by whichever provider can.

LiveKit's own tts.FallbackAdapter gives a reply up when a provider breaks off in the middle of it, and reports the
words that were never spoken as spoken. Here the next provider (or the same one, connected anew) goes on with the first
word whose sound is missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog
from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, USERDATA_TIMED_TRANSCRIPT, NotGivenOr
from livekit.agents.utils import is_given
from livekit.agents.voice.io import TimedString

from voice.standing import Standing

log = structlog.get_logger(__name__)

#: Seconds a provider may keep silent about words it was given, before the next one is asked.
STALL_SECONDS = 1.5
#: Seconds it may take over a connection, and over the next message of one that is idle.
IDLE_SECONDS = 10.0
#: Seconds until each provider is tried once more for one reply, and again: a connection that broke is made anew at
#: once, a vendor who is away is waited for as long as a caller holds the line.
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
#: Characters further on that a word is looked for: providers echo the text in its order, with a word changed at most.
NEAR = 24


AnyTTS = tts.TTS[
    Any
]  #: the type argument names events of a plugin's own, which nobody here listens to


class Mouth(AnyTTS):
    def __init__(self, providers: Sequence[AnyTTS], stall_seconds: float = STALL_SECONDS) -> None:
        voices = [
            one if one.capabilities.streaming else tts.StreamAdapter(tts=one) for one in providers
        ]
        super().__init__(
            capabilities=tts.TTSCapabilities(
                streaming=True,
                aligned_transcript=all(one.capabilities.aligned_transcript for one in voices),
            ),
            sample_rate=max(one.sample_rate for one in voices),
            num_channels=1,
        )
        self.stall_seconds = stall_seconds
        self.pauses = PAUSES
        self.standing = Standing(voices)
        self.active = voices[0]  #: spoke last
        self._voices = voices
        self._providers = tuple(providers)

    @property
    def model(self) -> str:
        return self.active.model

    @property
    def provider(self) -> str:
        return self.active.provider

    def prewarm(self) -> None:
        """Connects to the first provider, so that the greeting need not wait for it."""
        self._voices[0].prewarm()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> Saying:
        # Tried again in here, with what is left to say; LiveKit would begin anew.
        return Saying(self, APIConnectOptions(max_retry=0, timeout=conn_options.timeout))

    async def aclose(self) -> None:
        for voice in self._voices:
            await voice.aclose()
        for provider in self._providers:
            if provider not in self._voices:
                await provider.aclose()


class _Resampled:
    """Sound at the rate the line speaks with."""

    def __init__(self, given: int, wanted: int) -> None:
        self._resampler = rtc.AudioResampler(given, wanted) if given != wanted else None

    def push(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        return self._resampler.push(frame) if self._resampler else [frame]

    def flush(self) -> list[rtc.AudioFrame]:
        return self._resampler.flush() if self._resampler else []


class Script:
    """The text of a reply, how far it was said, and how far its words were announced to whoever follows them."""

    def __init__(self) -> None:
        self.text = ""
        self.complete = False  #: no more text comes
        self.said = 0  #: characters whose sound is out
        self.seconds = 0.0  #: of sound
        self._announced = 0  #: characters
        self._found = 0  #: where the next word is looked for
        self._began = 0.0  #: when the provider speaking now began, in seconds of sound
        self._coming: deque[tuple[int, int, TimedString]] = deque()

    def left(self) -> bool:
        """Is there anything to say yet?"""
        return any(letter.isalnum() for letter in self.text[self.said :])

    def begin(self) -> int:
        """A provider begins: with which character?"""
        self._found = self.said
        self._began = self.seconds
        self._coming.clear()
        return self.said

    def timed(self, word: TimedString) -> None:
        """A word of the provider's, with its time."""
        near = self._found + len(word) + NEAR
        at = self.text.find(word.strip(), self._found, near)
        if at < 0:
            return
        end = at + len(word.strip())
        end += len(self.text[end:]) - len(self.text[end:].lstrip())
        self._found = end
        self._coming.append((at, end, word))

    def sounded(self, seconds: float) -> list[TimedString]:
        """Sound is out: the words that have begun with it, not announced before."""
        self.seconds += seconds
        begun: list[TimedString] = []
        for at, end, word in self._coming:
            start = self._began + _time(word.start_time)
            if start > self.seconds:
                break
            if at >= self._announced:
                text = self.text[self._announced : end]
                begun.append(TimedString(text=text, start_time=start, end_time=self._end(word)))
                self._announced = end
        while self._coming and self._over():
            self.said = self._coming.popleft()[1]
        return begun

    def finish(self) -> list[TimedString]:
        """The provider has said everything it was given."""
        rest = self.text[self._announced :]
        self.said = self._announced = len(self.text)
        timed = bool(self._found)
        self._coming.clear()
        return [TimedString(text=rest, start_time=self.seconds)] if rest.strip() and timed else []

    def owed(self) -> bool:
        """Does the provider still owe sound, as far as its own times tell?"""
        unspoken = self.text[self._found :].strip() != ""
        return self.complete and (unspoken or any(is_given(w.end_time) for _, _, w in self._coming))

    def _end(self, word: TimedString) -> float:
        return self._began + _time(word.end_time) if is_given(word.end_time) else self.seconds

    def _over(self) -> bool:
        """Is all of the first word's sound out? Without an end of its own it ends where the next one begins."""
        word = self._coming[0][2]
        if is_given(word.end_time):
            return self._end(word) <= self.seconds
        if len(self._coming) == 1:
            return False
        return self._began + _time(self._coming[1][2].start_time) <= self.seconds


def _time(seconds: NotGivenOr[float]) -> float:
    return seconds if is_given(seconds) else 0.0


class Saying(tts.SynthesizeStream):
    """One reply."""

    def __init__(self, mouth: Mouth, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=mouth, conn_options=conn_options)
        self._mouth = mouth
        self._script = Script()
        self._more = asyncio.Event()

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._mouth.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id=utils.shortuuid())
        reading = asyncio.create_task(self._read())
        try:
            await self._say(output_emitter)
        finally:
            await utils.aio.cancel_and_wait(reading)

    async def _read(self) -> None:
        async for text in self._input_ch:
            if isinstance(text, str):
                self._script.text += text
                self._more.set()
        self._script.complete = True
        self._more.set()

    async def _say(self, emitter: tts.AudioEmitter) -> None:
        """Round after round, until all is said.

        Raises:
            APIConnectionError: nobody could.
        """
        if await self._all_said(emitter):
            return
        for pause in self._mouth.pauses:
            await asyncio.sleep(pause)
            if await self._all_said(emitter):
                return
        raise APIConnectionError("no provider of speech could say it")

    async def _all_said(self, emitter: tts.AudioEmitter) -> bool:
        """One round: by one provider after the other."""
        standing = self._mouth.standing
        for voice in standing.order():
            try:
                await self._say_with(voice, emitter)
            except (APIError, TimeoutError) as error:
                standing.failed(voice)
                log.warning(
                    "provider.failed_over",
                    port="speaking",
                    provider=voice.provider,
                    error_type=type(error).__name__,
                )
            else:
                standing.worked(voice)
            if self._script.complete and not self._script.left():
                return True
        return False

    async def _say_with(self, voice: AnyTTS, emitter: tts.AudioEmitter) -> None:
        """What is left, by one provider; raises TimeoutError when it owes sound for too long."""
        script = self._script
        options = APIConnectOptions(max_retry=0, timeout=IDLE_SECONDS)
        resampler = _Resampled(voice.sample_rate, self._mouth.sample_rate)
        async with asyncio.timeout(None) as limit, voice.stream(conn_options=options) as stream:
            feeding = asyncio.create_task(self._feed(stream, script.begin(), limit))
            try:
                async for audio in stream:
                    self._mouth.active = voice
                    for word in audio.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, []):
                        script.timed(word)
                    emitter.push_timed_transcript(script.sounded(audio.frame.duration))
                    for frame in resampler.push(audio.frame):
                        emitter.push_frame(frame)
                    self._watch(limit)
            finally:
                await utils.aio.cancel_and_wait(feeding)
        for frame in resampler.flush():
            emitter.push_frame(frame)
        emitter.push_timed_transcript(script.finish())

    async def _feed(self, stream: tts.SynthesizeStream, start: int, limit: asyncio.Timeout) -> None:
        """Gives a provider the text from a character on, as it comes."""
        while True:
            self._more.clear()
            if len(self._script.text) > start:
                self._mark_started()
                stream.push_text(self._script.text[start:])
                start = len(self._script.text)
            if self._script.complete:
                break
            await self._more.wait()
        stream.end_input()
        self._watch(limit)

    def _watch(self, limit: asyncio.Timeout) -> None:
        if limit.expired():
            return
        owed = self._script.owed()
        now = asyncio.get_running_loop().time()
        limit.reschedule(now + self._mouth.stall_seconds if owed else None)
