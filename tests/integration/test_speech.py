"""The line's ear with Deepgram's real plugin, on speech: connections that break, side voices, other questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt

from settings import Settings
from voice.loopback import espeak
from voice.loopback.deepgram import DeepgramServer
from voice.loopback.library import Library
from voice.speech import Speech, build

RATE = 24000  # as a room gives it
SIZE = RATE // 20
SENTENCES = {
    "I would like to change my address please.": "en",
    "Dinner is ready, come to the table.": "en",
    "Quiero cambiar mi dirección de entrega.": "es",
    "Je voudrais savoir où est ma commande.": "fr",
}
ADDRESS, DINNER, SPANISH, FRENCH = SENTENCES


@pytest.fixture(scope="module")
def library() -> Library:
    known = Library()
    known.extend(list(SENTENCES.items()))
    return known


class Caller:
    """Speaks into the line's ear and notes what it makes of it."""

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.stream = speech.stt.stream()
        self.finals: list[stt.SpeechData] = []
        self._heard = asyncio.Event()
        self._before = True
        self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self.stream:
            if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                self.finals.append(event.alternatives[0])
                self._heard.set()

    async def says(
        self, text: str, *, loudness: float = 1.0, speaker: str = "m3", until: float = 1.0
    ) -> None:
        if self._before:  # a caller hears the greeting first
            self._before = False
            await self.sound(np.zeros(RATE * 3 // 2))
        clip = espeak.speech(text, SENTENCES[text], rate=RATE, speaker=speaker)
        samples = clip.samples[: int(len(clip.samples) * until)] * loudness
        await self.sound(np.concatenate([samples, np.zeros(RATE // 2 if until == 1.0 else 0)]))

    async def rest(self, text: str, since: float) -> None:
        clip = espeak.speech(text, SENTENCES[text], rate=RATE)
        samples = clip.samples[int(len(clip.samples) * since) :]
        await self.sound(np.concatenate([samples, np.zeros(RATE // 2)]))

    async def sound(self, samples: Any) -> None:
        suppressor = self.speech.suppressor
        for start in range(0, len(samples) - SIZE + 1, SIZE):
            piece = samples[start : start + SIZE].astype(np.int16)
            frame = rtc.AudioFrame(piece.tobytes(), RATE, 1, SIZE)
            self.stream.push_frame(suppressor._process(frame) if suppressor else frame)
            await asyncio.sleep(0.001)

    async def understood(self, *sentences: str) -> bool:
        """Once as many words are final as these have: are they the same?"""
        expected = " ".join(sentences)
        async with asyncio.timeout(30):
            while len(self.words.split()) < len(expected.split()):
                self._heard.clear()
                await self._heard.wait()
        return self.words == expected

    @property
    def words(self) -> str:
        return " ".join(one.text for one in self.finals)

    async def aclose(self) -> None:
        await self.stream.aclose()
        await self._following


@dataclass
class Setting:
    one: DeepgramServer
    two: DeepgramServer
    http: aiohttp.ClientSession
    closing: AsyncExitStack

    def caller(self, **voice: Any) -> Caller:
        providers = [{"provider": "deepgram", "base_url": one.url} for one in (self.one, self.two)]
        keys = {"DEEPGRAM_API_KEY": "deepgram", "CARTESIA_API_KEY": "cartesia"}
        # The stand-in for Deepgram compares with clean speech, and WebRTC's suppression changes it a little.
        voice = {"stt": providers, "noise_suppression": False, **voice}
        given = Settings(_env_file=None, voice=voice, **keys)
        speech = build(given, self.http)
        caller = Caller(speech)
        self.closing.push_async_callback(speech.aclose)
        self.closing.push_async_callback(caller.aclose)
        return caller


@pytest.fixture
async def setting(library: Library) -> AsyncIterator[Setting]:
    async with (
        DeepgramServer(library) as one,
        DeepgramServer(library) as two,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as closing,
    ):
        yield Setting(one, two, http, closing)


@pytest.mark.parametrize("sentence", [ADDRESS, SPANISH, FRENCH])
async def test_three_languages_are_heard_without_being_told_which(
    setting: Setting, sentence: str
) -> None:
    caller = setting.caller()
    await caller.says(sentence)
    assert await caller.understood(sentence), caller.words
    assert {one.language for one in caller.finals} == {SENTENCES[sentence]}
    (asked,) = setting.one.requests
    assert (asked.model, asked.language, asked.diarize) == ("nova-3", "multi", True)


async def test_key_terms_are_those_of_the_open_question(setting: Setting) -> None:
    caller = setting.caller()
    caller.speech.expect("account.address", "fr", ["Rue des Lilas"])
    await caller.says(FRENCH)
    assert await caller.understood(FRENCH), caller.words
    caller.speech.expect("account.confirm", "fr")
    await caller.says(FRENCH)
    assert await caller.understood(FRENCH, FRENCH), caller.words
    first, second = setting.one.requests[-2:]
    assert {"Rue des Lilas", "rue", "HF"} <= set(first.keyterms)
    assert "oui" in second.keyterms
    assert "rue" not in second.keyterms


async def test_a_connection_that_breaks_in_the_middle_of_a_sentence_loses_none_of_it(
    setting: Setting,
) -> None:
    caller = setting.caller()
    await caller.says(ADDRESS, until=0.6)
    await setting.one.drop()
    await caller.rest(ADDRESS, since=0.6)
    assert await caller.understood(ADDRESS), caller.words
    assert setting.two.heard


async def test_a_provider_that_refuses_is_replaced(setting: Setting) -> None:
    setting.one.fail("refuse")
    caller = setting.caller()
    await caller.says(SPANISH)
    assert await caller.understood(SPANISH), caller.words


async def test_a_provider_that_falls_silent_is_replaced_when_the_line_notices(
    setting: Setting,
) -> None:
    caller = setting.caller()
    setting.one.fail("stall")
    await caller.says(ADDRESS)
    caller.speech.stt.unheard()  # a new connection
    await asyncio.sleep(0.1)
    caller.speech.stt.unheard()  # another provider
    assert await caller.understood(ADDRESS), caller.words
    assert " ".join(one.text for one in setting.two.heard) == ADDRESS


@pytest.mark.parametrize("noise_suppression", [True, False])
async def test_a_side_voice_is_left_out_even_when_its_words_change_connections(
    setting: Setting, noise_suppression: bool
) -> None:
    caller = setting.caller(noise_suppression=noise_suppression)
    await caller.says(ADDRESS)
    await caller.understood(ADDRESS)
    await caller.says(DINNER, loudness=0.25, speaker="f2")
    caller.speech.expect("account.address", "en")
    await caller.says(DINNER, loudness=0.25, speaker="f2")
    await caller.says(ADDRESS)
    assert await caller.understood(ADDRESS, ADDRESS), caller.words
    heard = " ".join(one.text for one in setting.one.heard)
    assert heard.count("Dinner is ready,") == 2, "the provider did hear it"


async def test_two_voices_at_the_phone_are_both_heard(setting: Setting) -> None:
    caller = setting.caller()
    await caller.says(ADDRESS)
    await caller.understood(ADDRESS)
    await caller.says(DINNER, speaker="f2")
    assert await caller.understood(ADDRESS, DINNER), caller.words
