"""Speech: what a call hears and speaks with, put together from the settings.

What is said aloud is exactly what is remembered and shown: the wording writes for the ear, and nothing changes it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from livekit.agents import inference, stt, vad
from livekit.agents.vad import VADEvent
from livekit.plugins import cartesia, deepgram, openai
from pydantic import SecretStr

from graph.state import Lang
from graph.understanding.commands import Mood
from settings import Settings, SpeechProvider
from voice.activity import RECOGNISED_WITHIN, WHOLE_RECOGNISED_WITHIN, Activity
from voice.audio import CallerVoice, NoiseSuppressor
from voice.ear import AnySTT, Ear, Recogniser, Terms
from voice.errors import ProviderUnset
from voice.keyterms import keyterms
from voice.mouth import AnyTTS, Mouth

#: What is asked for when the caller wants it slower, of the usual speed.
SLOWER = 0.8


@dataclass(frozen=True)
class Manner:
    """How the voice answers a mood."""

    emotion: str  #: Cartesia's name
    speed: float
    instructions: str  #: the same for voices that are told in words


MANNERS: dict[Mood, Manner] = {
    "calm": Manner("Content", 1.0, "Speak in a warm, clear and unhurried way."),
    "upset": Manner("Sympathetic", 0.95, "Speak gently and with understanding, a little slower."),
    "angry": Manner("Calm", 0.92, "Speak calmly and plainly, a little slower, without cheer."),
}


@dataclass
class Speech:
    """What a call hears and speaks with."""

    stt: Ear
    tts: Mouth
    vad: Activity
    turn_detection: inference.TurnDetector | Literal["vad"]
    suppressor: NoiseSuppressor | None
    own_terms: tuple[str, ...]  #: the company's, expected in every turn
    _voices: list[Callable[[Lang, Manner, float], None]] = field(default_factory=list)

    def speak_as(self, language: Lang, mood: Mood, *, slower: bool = False) -> None:
        """The voice of the next reply, with whichever provider speaks it."""
        manner = MANNERS[mood]
        speed = round(manner.speed * (SLOWER if slower else 1.0), 2)
        for voice in self._voices:
            voice(language, manner, speed)

    def expect(self, asks: str | None, language: Lang, terms: Iterable[str] = ()) -> None:
        """The question that is open from now on; `terms` are this call's: what was ordered, the caller's street."""
        self.stt.listen_for(keyterms(asks, language, [*terms, *self.own_terms]))

    def follow(self, tell: Callable[[VADEvent], None]) -> None:
        """Told of every piece of the caller's sound, and how surely it is speech."""
        self.vad.follow(tell)

    async def aclose(self) -> None:
        await self.stt.aclose()
        await self.tts.aclose()


def build(settings: Settings, http: aiohttp.ClientSession | None = None) -> Speech:
    """Speech as configured. Outside a LiveKit job, the plugins need an HTTP session of the caller's.

    Raises:
        ProviderUnset: a provider has no key.
    """
    voice = settings.voice
    # The same Silero model runs in livekit-plugins-silero, which takes 0.018 of a core a call and 145 MB with
    # onnxruntime; this one 0.011 and 102 MB, and a worker's processes share it.
    silero = inference.VAD(model="silero")
    hearing = [_recogniser(settings, one, silero, http) for one in voice.stt]
    speaking = [_speaker(settings, one, http) for one in voice.tts]
    ear = Ear(hearing, CallerVoice() if voice.primary_speaker else None)
    within = RECOGNISED_WITHIN if ear.capabilities.aligned_transcript else WHOLE_RECOGNISED_WITHIN
    suppressor = NoiseSuppressor() if voice.noise_suppression else None
    return Speech(
        stt=ear,
        tts=Mouth([one for one, _ in speaking]),
        vad=Activity(silero, ear, within=within),
        # Unpinned, it would run in LiveKit's cloud when LIVEKIT_API_KEY is set and the worker runs in dev mode.
        turn_detection=(
            inference.TurnDetector(version="v1-mini") if voice.turn_detection == "model" else "vad"
        ),
        suppressor=suppressor,
        own_terms=(settings.company.name, *voice.keyterms),
        _voices=[one for _, one in speaking],
    )


# Providers ------------------------------------------------------------------------------------------------


def _recogniser(
    settings: Settings, one: SpeechProvider, silero: vad.VAD, http: aiohttp.ClientSession | None
) -> Recogniser:
    key = _key(settings, one)
    name = one.base_url or one.provider
    if one.provider == "deepgram":
        diarizes = settings.voice.primary_speaker

        def with_terms(terms: Terms) -> AnySTT:
            return deepgram.STT(
                model=one.model or "nova-3",
                language="multi",
                keyterm=list(terms),
                enable_diarization=diarizes,
                api_key=key,
                http_session=http,
                base_url=one.base_url or "https://api.deepgram.com/v1/listen",
                mip_opt_out=True,  # callers' voices train nobody's model
            )

        return Recogniser(name, with_terms, diarizes=diarizes, times_words=True)
    if one.provider == "openai":
        whole = openai.STT(
            detect_language=True,
            model=one.model or "gpt-4o-mini-transcribe",
            api_key=key,
            base_url=one.base_url or "https://api.openai.com/v1",
        )
        return Recogniser(name, lambda _: stt.StreamAdapter(stt=whole, vad=silero))
    raise ProviderUnset(f"{one.provider} does not recognise speech: HOLDFAST_VOICE__STT")


def _speaker(
    settings: Settings, one: SpeechProvider, http: aiohttp.ClientSession | None
) -> tuple[AnyTTS, Callable[[Lang, Manner, float], None]]:
    """A provider, and what sets its voice."""
    key = _key(settings, one)
    voices = one.voices or (settings.voice.voices if one.provider == "cartesia" else {})
    if one.provider == "cartesia":
        sonic = cartesia.TTS(
            model=one.model or "sonic-3",
            voice=voices["en"],
            word_timestamps=True,
            api_key=key,
            http_session=http,
            base_url=one.base_url or "https://api.cartesia.ai",
        )

        def speak_as(language: Lang, manner: Manner, speed: float) -> None:
            sonic.update_options(
                language=language, voice=voices[language], emotion=manner.emotion, speed=speed
            )

        return sonic, speak_as
    if one.provider == "openai":
        told = openai.TTS(
            model=one.model or "gpt-4o-mini-tts",
            api_key=key,
            base_url=one.base_url or "https://api.openai.com/v1",
            response_format="wav",  # says its own rate, whoever serves it
        )

        def tell(language: Lang, manner: Manner, speed: float) -> None:
            told.update_options(speed=speed, instructions=manner.instructions)
            if language in voices:
                told.update_options(voice=voices[language])

        return told, tell
    raise ProviderUnset(f"{one.provider} does not speak: HOLDFAST_VOICE__TTS")


def _key(settings: Settings, one: SpeechProvider) -> str:
    """A provider's key: its own, or the vendor's. A server of one's own that speaks OpenAI's protocol may need none."""
    vendors: dict[str, tuple[str, SecretStr | None]] = {
        "deepgram": ("DEEPGRAM_API_KEY", settings.deepgram_api_key),
        "cartesia": ("CARTESIA_API_KEY", settings.cartesia_api_key),
        "openai": ("OPENAI_API_KEY", settings.openai_api_key),
    }
    variable, vendors_key = vendors[one.provider]
    own_server = one.provider == "openai" and one.base_url is not None
    key = one.api_key or (None if own_server else vendors_key)
    if key is not None:
        return key.get_secret_value()
    if own_server:
        return "none"
    raise ProviderUnset(f"{variable} is not set: the line can't use {one.provider} without it")
