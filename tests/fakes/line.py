"""A LiveKit session without audio: what is heard, said and played happens when the test says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    APIConnectOptions,
    LanguageCode,
    stt,
    tts,
    vad,
)
from livekit.agents.stt import SpeechData, SpeechEvent, SpeechEventType, STTCapabilities
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import io

from conversation import Conversation
from settings import VoiceSettings
from voice.audio import CallerVoice
from voice.call import PhoneCall

RATE = 16000
PATIENCE = 30.0  #: seconds until a test that waits for what never comes fails


class FakeEar(stt.STT[str]):
    """Recognises what it is told to."""

    def __init__(self) -> None:
        super().__init__(capabilities=STTCapabilities(streaming=True, interim_results=True))
        self.events: asyncio.Queue[SpeechEvent] = asyncio.Queue()
        self.words = 0  #: voice.activity.Hearing
        self.caller: CallerVoice | None = None

    def maybe(self, words: str) -> None:
        """Words that the caller may not have finished."""
        self._tell(SpeechEventType.START_OF_SPEECH)
        self._tell(SpeechEventType.PREFLIGHT_TRANSCRIPT, words)

    def says(self, words: str) -> None:
        """A whole utterance."""
        self._tell(SpeechEventType.START_OF_SPEECH)
        self.ends(words)

    def ends(self, words: str) -> None:
        self._tell(SpeechEventType.FINAL_TRANSCRIPT, words)
        self._tell(SpeechEventType.END_OF_SPEECH)

    def conclude(self) -> None:
        """Words are final as soon as they are told here."""

    def _tell(self, kind: SpeechEventType, words: str | None = None) -> None:
        self.words += words is not None
        heard = [] if words is None else [SpeechData(LanguageCode("en"), words, confidence=1.0)]
        self.events.put_nowait(SpeechEvent(type=kind, alternatives=heard))

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _Heard(self, conn_options)

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> SpeechEvent:
        raise NotImplementedError


class _Heard(stt.RecognizeStream):
    def __init__(self, ear: FakeEar, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=ear, conn_options=conn_options)
        self._ear = ear

    async def _run(self) -> None:
        while True:
            self._event_ch.send_nowait(await self._ear.events.get())


class FakeVoice(tts.TTS[str]):
    """Says a sentence as a tenth of a second of silence."""

    def __init__(self) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=RATE, num_channels=1)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)


class _Spoken(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="said", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(RATE // 10 * 2))
        output_emitter.flush()


class FakeSpeaker(io.AudioOutput):
    """Plays a speech for as long as the test likes; the caller hears as much of it as the test says."""

    def __init__(self) -> None:
        super().__init__(
            label="speaker",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=RATE,
        )
        self.hears = ""  #: of a speech that is cut off
        self.holds = False  #: a speech goes on until it is cut off
        self.playing = asyncio.Event()
        self._begun = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._begun:
            self._begun = True
            self.on_playback_started(created_at=time.time())
            self.playing.set()

    def flush(self) -> None:
        super().flush()
        if self._begun and not self.holds:
            self._finish(None)

    def clear_buffer(self) -> None:
        if self._begun:
            self.holds = False  # what is said after it is heard
            self._finish(self.hears)

    def goes_on(self) -> None:
        """What was held is heard to its end, and so is what follows."""
        self.holds = False
        self._finish(None)

    def _finish(self, heard: str | None) -> None:
        self._begun = False
        self.playing.clear()
        self.on_playback_finished(
            playback_position=0.1, interrupted=heard is not None, synchronized_transcript=heard
        )


class _Quiet(io.AudioInput):
    """A microphone that nobody speaks into."""

    def __init__(self) -> None:
        super().__init__(label="quiet")

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.Event().wait()
        raise StopAsyncIteration


class FakeSpeech:
    """voice.speech.Speech without vendors."""

    def __init__(self) -> None:
        self.stt = FakeEar()
        self.tts = FakeVoice()
        self.vad: vad.VAD | None = None
        self.suppressor = None
        self.turn_detection = "stt"
        self.spoken_as: list[tuple[str, str, bool]] = []
        self.expected: list[str | None] = []  #: the open question after each turn
        self.terms: tuple[str, ...] = ()  #: and words of the call that may be said then
        self.more = asyncio.Event()

    def speak_as(self, language: str, mood: str, *, slower: bool) -> None:
        self.spoken_as.append((language, mood, slower))

    def follow(self, tell: Callable[[vad.VADEvent], None]) -> None:
        """There is no sound."""

    def expect(self, asks: str | None, language: str, terms: tuple[str, ...]) -> None:
        self.expected.append(asks)
        self.terms = terms
        self.more.set()


class FakeLine:
    """A caller on a PhoneCall."""

    def __init__(
        self,
        call: Conversation,
        settings: VoiceSettings | None = None,
        speech: FakeSpeech | None = None,
    ) -> None:
        self.call = call
        self.speech = speech or FakeSpeech()
        self.phone = PhoneCall(call, self.speech, settings or VoiceSettings())  # type: ignore[arg-type]
        self.speaker = FakeSpeaker()
        self.phone.session.input.audio = _Quiet()
        self.phone.session.output.audio = self.speaker

    @property
    def ear(self) -> FakeEar:
        return self.speech.stt

    async def replied(self, count: int) -> None:
        """Wait until the call remembers so many turns, the greeting included."""
        async with asyncio.timeout(PATIENCE):
            while len(self.speech.expected) < count:
                self.speech.more.clear()
                await self.speech.more.wait()

    async def said(self) -> None:
        """Wait until the last turn's words were heard."""
        async with asyncio.timeout(PATIENCE):
            assert self.phone.turns.last is not None
            await self.phone.turns.last.over()

    async def until_playing(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.speaker.playing.wait()


@asynccontextmanager
async def on_the_line(
    call: Conversation,
    settings: VoiceSettings | None = None,
    speech: FakeSpeech | None = None,
) -> AsyncIterator[FakeLine]:
    """The caller has been greeted."""
    line = FakeLine(call, settings, speech)
    await line.phone.start(None, None, None)
    try:
        await line.replied(1)
        await line.said()
        yield line
    finally:
        await line.phone.close()
        await call.drop()
