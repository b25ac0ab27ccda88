"""Ear: the caller's words, from whichever provider can hear them.

LiveKit's own stt.FallbackAdapter goes on with the next sound when a connection breaks: the words in the air are lost.
And Deepgram's plugin counts speakers and times anew with every connection it makes for new key terms. Here all sound
since the last final transcript is given again to the next connection, and each connection's times are known.
"""

from __future__ import annotations

import asyncio
import dataclasses
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, LanguageCode, stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer, aio

from voice.audio import CallerVoice, loudness
from voice.standing import Standing

log = structlog.get_logger(__name__)

SAMPLE_RATE = 16000
#: Seconds a connection may take.
CONNECT_SECONDS = 2.0
#: Seconds between tries when no provider can be reached, doubled up to the second.
PAUSE_SECONDS = (0.1, 2.0)
#: Seconds of sound that are kept for the next connection, at most.
KEPT_SECONDS = 10.0
#: Seconds kept before the first loud sound, and the loudness (RMS of 16 bits) that counts as such.
LEAD_SECONDS, LOUD = 0.3, 100.0
ROUNDING = 0.001  #: seconds; connections' times are added and taken away again

Terms = tuple[str, ...]
_SPOKEN = (stt.SpeechEventType.FINAL_TRANSCRIPT, stt.SpeechEventType.INTERIM_TRANSCRIPT)


AnySTT = stt.STT[
    Any
]  #: the type argument names events of a plugin's own, which nobody here listens to


@dataclass(frozen=True)
class Recogniser:
    """A provider, made anew for each list of key terms."""

    name: str
    make: Callable[[Terms], AnySTT]
    diarizes: bool = False
    times_words: bool = False


class Ear(AnySTT):
    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        caller: CallerVoice | None = None,
    ) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True,
                interim_results=True,
                diarization=caller is not None and any(one.diarizes for one in recognisers),
                aligned_transcript="word" if all(one.times_words for one in recognisers) else False,
            )
        )
        self.standing = Standing(recognisers)
        self.caller = caller
        self.words = 0  #: how often new ones came that may be the caller's
        self.terms: Terms = ()
        self.active = recognisers[0]  #: hears now, or heard last
        self._made: dict[str, tuple[Terms, AnySTT]] = {}
        self._streams: weakref.WeakSet[Listening] = weakref.WeakSet()

    @property
    def model(self) -> str:
        return self.recognise(self.active).model

    @property
    def provider(self) -> str:
        return self.recognise(self.active).provider

    def recognise(self, recogniser: Recogniser) -> AnySTT:
        """A provider that knows the key terms of now."""
        known = self._made.get(recogniser.name)
        if known is None or known[0] != self.terms:
            known = self._made[recogniser.name] = (self.terms, recogniser.make(self.terms))
        return known[1]

    def listen_for(self, terms: Terms) -> None:
        """Other key terms; a new connection has them as soon as nobody is in the middle of a word."""
        if terms != self.terms:
            self.terms = terms
            for stream in self._streams:
                stream.renew()

    def unheard(self) -> None:
        """The caller spoke, no words came: the sound goes to a new connection, the second time to another provider."""
        for stream in self._streams:
            stream.unheard()

    def conclude(self) -> None:
        """Nothing more comes of what is being said: its words are wanted now, as final ones."""
        for stream in self._streams:
            stream.conclude()

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,  # noqa: ARG002 - each provider is set to all three
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> Listening:
        stream = Listening(self, conn_options)
        self._streams.add(stream)
        return stream

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        first = self.standing.order()[0]
        return await self.recognise(first).recognize(
            buffer, language=language, conn_options=conn_options
        )

    async def aclose(self) -> None:
        for stream in list(self._streams):
            await stream.aclose()
        for _, recogniser in self._made.values():
            await recogniser.aclose()


class Sound:
    """The last seconds of what was heard, by position in the stream."""

    def __init__(self) -> None:
        self.heard = 0.0  #: seconds
        self._kept: deque[tuple[float, float, rtc.AudioFrame]] = deque()  # end, loudness, frame

    def add(self, frame: rtc.AudioFrame) -> None:
        self.heard += frame.duration
        self._kept.append((self.heard, loudness(frame), frame))
        self.forget(self.heard - KEPT_SECONDS)

    def forget(self, until: float) -> None:
        while self._kept and self._kept[0][0] <= until + ROUNDING:
            self._kept.popleft()

    def again(self) -> tuple[float, list[rtc.AudioFrame]]:
        """What may not have been understood yet, without the silence before it, and where it begins."""
        loud = next((end for end, level, _ in self._kept if level > LOUD), self.heard)
        self.forget(loud - LEAD_SECONDS)
        frames = [frame for _, _, frame in self._kept]
        return self.heard - sum(frame.duration for frame in frames), frames

    def voice(self, start: float, end: float) -> float | None:
        """The loudness of the voice in a stretch: of its louder part, so that the pauses in it don't count."""
        stretch = [level for at, level, _ in self._kept if start <= at <= end]
        return float(np.percentile(stretch, 75)) if stretch else None


class Listening(stt.RecognizeStream):
    """One caller's sound, over as many connections as it takes."""

    def __init__(self, ear: Ear, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=ear, conn_options=conn_options, sample_rate=SAMPLE_RATE)
        self._ear = ear
        self._sound = Sound()
        self._stream: stt.RecognizeStream | None = None
        self._connection = 0
        self._terms: Terms = ()  #: that the connection knows
        self._speaking = False  #: as the provider has it
        self._renewal = asyncio.Event()
        self._failures = 0  #: in a row
        self._unheard = 0  #: times in a row
        self._latest = ""  #: words that are not final yet
        self._ended = False

    def renew(self) -> None:
        """A new connection, when it would know other terms and nobody is in the middle of a word."""
        if self._terms != self._ear.terms and not self._speaking:
            self._renewal.set()

    def unheard(self) -> None:
        self._unheard += 1
        if self._unheard > 1:
            self._unheard = 0
            self._ear.standing.failed(self._ear.active)
        self._renewal.set()

    def conclude(self) -> None:
        # Who is given whole utterances would drop the one that has not ended.
        as_spoken = self._ear.recognise(self._ear.active).capabilities.interim_results
        if self._stream is not None and as_spoken:
            with suppress(RuntimeError):  # it has just broken off
                self._stream.flush()

    async def _run(self) -> None:
        feeding = asyncio.create_task(self._feed())
        try:
            while not self._ended:
                await self._connect()
        finally:
            await aio.cancel_and_wait(feeding)

    async def _feed(self) -> None:
        async for data in self._input_ch:
            if isinstance(data, rtc.AudioFrame):
                self._sound.add(data)
            if self._stream is not None:
                with suppress(RuntimeError):  # it has just broken off; the next one gets the sound
                    self._pass_on(self._stream, data)
        self._ended = True
        if self._stream is not None:
            with suppress(RuntimeError):
                self._stream.end_input()

    def _pass_on(
        self, stream: stt.RecognizeStream, data: rtc.AudioFrame | stt.RecognizeStream._FlushSentinel
    ) -> None:
        if isinstance(data, rtc.AudioFrame):
            stream.push_frame(data)
        else:
            stream.flush()

    async def _connect(self) -> None:
        """Listens over one connection until it breaks, ends, or another one is wanted."""
        ear, recogniser = self._ear, self._ear.standing.order()[0]
        ear.active = recogniser
        stream = self._open(recogniser)
        following = asyncio.create_task(self._follow(stream, recogniser))
        renewal = asyncio.create_task(self._renewal.wait())
        try:
            await asyncio.wait({following, renewal}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        except (APIError, TimeoutError) as error:
            self._failed(recogniser, error)
        finally:
            self._stream = None
            await aio.cancel_and_wait(following, renewal)
            await stream.aclose()
        if self._failures >= len(ear.standing.order()):
            await asyncio.sleep(min(PAUSE_SECONDS[0] * 2**self._failures, PAUSE_SECONDS[1]))

    def _open(self, recogniser: Recogniser) -> stt.RecognizeStream:
        self._renewal.clear()
        self._connection += 1
        self._terms = self._ear.terms
        self._speaking = False
        options = APIConnectOptions(max_retry=0, timeout=CONNECT_SECONDS)
        stream = self._ear.recognise(recogniser).stream(conn_options=options)
        position, frames = self._sound.again()
        stream.start_time_offset = self.start_time_offset + position
        for frame in frames:
            stream.push_frame(frame)
        if self._ended:
            stream.end_input()
        self._stream = stream
        return stream

    def _failed(self, recogniser: Recogniser, error: Exception) -> None:
        self._failures += 1
        self._ear.standing.failed(recogniser)
        log.warning(
            "provider.failed_over",
            port="hearing",
            provider=recogniser.name,
            error_type=type(error).__name__,
        )
        self._emit_error(error, recoverable=True)

    async def _follow(self, stream: stt.RecognizeStream, recogniser: Recogniser) -> None:
        async for event in stream:
            if event.type == stt.SpeechEventType.START_OF_SPEECH:
                self._speaking = True
            if event.type in _SPOKEN and event.alternatives:
                self._failures = self._unheard = 0
                self._ear.standing.worked(recogniser)
                callers = self._the_callers(event)
                self._count(callers)
                self._event_ch.send_nowait(callers)
            else:
                self._event_ch.send_nowait(event)
            if event.type == stt.SpeechEventType.END_OF_SPEECH:
                self._speaking = False
                self.renew()

    def _count(self, event: stt.SpeechEvent) -> None:
        """Recognisers repeat the words so far while there is sound of any kind."""
        words = event.alternatives[0].text
        self._ear.words += bool(words) and words != self._latest
        self._latest = "" if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT else words

    def _the_callers(self, event: stt.SpeechEvent) -> stt.SpeechEvent:
        """The event, emptied when somebody else's voice said it."""
        said = event.alternatives[0]
        final = event.type == stt.SpeechEventType.FINAL_TRANSCRIPT
        start = said.start_time - self.start_time_offset
        end = said.end_time - self.start_time_offset if said.end_time else self._sound.heard
        voice = self._sound.voice(start, end)
        if final:
            self._sound.forget(end)
        if voice is None or self._is_theirs(said.speaker_id, voice, final=final):
            return event
        if final:
            log.info("voice.side_speaker")
        # Empty and not final: LiveKit keeps what it showed of the words until then, and an empty final clears nothing.
        nothing = stt.SpeechData(language=LanguageCode(said.language), text="")
        return dataclasses.replace(
            event, type=stt.SpeechEventType.INTERIM_TRANSCRIPT, alternatives=[nothing]
        )

    def _is_theirs(self, speaker: str | None, voice: float, *, final: bool) -> bool:
        """Is it the caller's? Recognisers that tell speakers apart do so of final words only."""
        caller = self._ear.caller
        if caller is None or not self._ear.active.diarizes:
            return True
        if not final:
            return not caller.is_faint(voice, self._sound.heard)
        return speaker is None or caller.spoke(
            (self._connection, speaker), voice, self._sound.heard
        )
