"""Speech as configured, with the vendors' real plugins against servers on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, get_args

import aiohttp
import pytest
from livekit.agents import APIError, inference
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT
from livekit.agents.voice.io import TimedString
from pydantic import ValidationError

import voice.mouth
from graph.understanding.commands import LANGUAGES, Asks
from logs import only_allowed
from settings import Settings
from tests.fakes.logged import logged
from tests.unit.voice.openai_server import OpenAIServer, openai_server
from voice.errors import ProviderUnset
from voice.keyterms import MOST_TERMS, keyterms
from voice.loopback.cartesia import CartesiaServer
from voice.mouth import Mouth
from voice.speech import Speech, build

REPLY = (
    "Your order, H F, 1 0 4 8 2, is on its way. It should be with you tomorrow in the morning. "
    "Can I help you with anything else?"
)


def settings(**voice: Any) -> Settings:
    """As from an environment in which keys are set and nothing else."""
    keys = {"DEEPGRAM_API_KEY": "deepgram", "CARTESIA_API_KEY": "cartesia", "OPENAI_API_KEY": "oa"}
    return Settings(_env_file=None, voice=voice, **keys)


def cartesia_at(*servers: CartesiaServer) -> tuple[dict[str, str], ...]:
    return tuple({"provider": "cartesia", "base_url": one.url} for one in servers)


@dataclass
class Heard:
    """What came out of the line's mouth."""

    words: list[TimedString]
    seconds: float

    @property
    def text(self) -> str:
        return "".join(self.words)


async def say(
    speech: Speech, text: str, meanwhile: Callable[[float], Awaitable[None]] | None = None
) -> Heard:
    heard = Heard([], 0.0)
    async with speech.tts.stream() as stream:
        for word in text.split(" "):
            stream.push_text(f" {word}" if stream._pushed_text else word)
        stream.end_input()
        async for audio in stream:
            heard.seconds += audio.frame.duration
            heard.words += audio.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
            if meanwhile:
                await meanwhile(heard.seconds)
    return heard


@dataclass
class Servers:
    one: CartesiaServer
    two: CartesiaServer
    own: OpenAIServer
    http: aiohttp.ClientSession
    closing: AsyncExitStack

    def speech(self, **voice: Any) -> Speech:
        made = build(settings(**voice), self.http)
        self.closing.push_async_callback(made.aclose)
        made.speak_as("en", "calm")
        return made


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with (
        CartesiaServer() as one,
        CartesiaServer() as two,
        openai_server() as own,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as closing,
    ):
        yield Servers(one, two, own, http, closing)


# What is built --------------------------------------------------------------------------------------------


async def test_by_default_deepgram_hears_and_cartesia_speaks(servers: Servers) -> None:
    speech = servers.speech()
    assert (speech.stt.provider, speech.stt.model) == ("Deepgram", "nova-3")
    assert (speech.tts.provider, speech.tts.model) == ("Cartesia", "sonic-3")
    assert speech.tts.capabilities.aligned_transcript
    assert speech.stt.capabilities.diarization


async def test_the_turn_detector_is_the_local_one_whatever_the_environment_says(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIVEKIT_DEV_MODE", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "1")
    detector = servers.speech().turn_detection
    assert isinstance(detector, inference.TurnDetector)
    assert detector.model == "turn-detector-v1-mini"
    assert servers.speech(turn_detection="vad").turn_detection == "vad"


@pytest.mark.parametrize(
    ("missing", "voice"),
    [
        ("DEEPGRAM_API_KEY", {}),
        ("CARTESIA_API_KEY", {}),
        ("OPENAI_API_KEY", {"stt": [{"provider": "openai"}]}),
        ("OPENAI_API_KEY", {"tts": [{"provider": "cartesia"}, {"provider": "openai"}]}),
    ],
)
def test_a_missing_key_is_named(missing: str, voice: dict[str, Any]) -> None:
    given = settings(**voice).model_copy(update={missing.lower(): None})
    with pytest.raises(ProviderUnset, match=f"^{missing} is not set"):
        build(given)


def test_a_vendor_that_cannot_do_it_is_named() -> None:
    with pytest.raises(ProviderUnset, match="cartesia does not recognise speech"):
        build(settings(stt=[{"provider": "cartesia"}]))
    with pytest.raises(ProviderUnset, match="deepgram does not speak"):
        build(settings(tts=[{"provider": "deepgram"}]))


def test_a_misspelt_provider_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="baseurl"):
        settings(tts=[{"provider": "cartesia", "baseurl": "http://localhost"}])


# The voice ------------------------------------------------------------------------------------------------


async def test_language_mood_and_pace_hold_from_the_next_reply_on(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one))
    await say(speech, "One moment.")
    speech.speak_as("fr", "angry", slower=True)
    await say(speech, "Un instant.")
    speech.speak_as("es", "upset")
    await say(speech, "Un momento.")
    calm, angry, upset = servers.one.requests
    assert (calm.language, angry.language, upset.language) == ("en", "fr", "es")
    assert len({calm.voice, angry.voice, upset.voice}) == 3
    assert (calm.emotion, upset.emotion, angry.emotion) == ("Content", "Sympathetic", "Calm")
    assert angry.speed < upset.speed < calm.speed == 1.0


async def test_every_provider_in_reserve_speaks_the_same_way(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))
    speech.speak_as("fr", "upset", slower=True)
    servers.one.fail("refuse")
    await say(speech, "Un instant.")
    (asked,) = servers.two.requests
    assert (asked.language, asked.emotion, asked.speed) == ("fr", "Sympathetic", 0.76)


async def test_words_have_the_times_at_which_they_sound(servers: Servers) -> None:
    heard = await say(servers.speech(tts=cartesia_at(servers.one)), REPLY)
    assert heard.text == REPLY
    starts = [word.start_time for word in heard.words]
    assert starts == sorted(starts)
    assert len(heard.words) == len(REPLY.split())


# Providers that fail --------------------------------------------------------------------------------------


async def test_a_provider_that_refuses_is_replaced_within_the_reply(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))
    servers.one.fail("refuse")
    assert (await say(speech, REPLY)).text == REPLY
    assert servers.one.requests == []


async def test_support_sees_which_provider_failed_and_why(servers: Servers) -> None:
    own = {"provider": "openai", "base_url": servers.own.url}
    speech = servers.speech(tts=[*cartesia_at(servers.one), own])
    servers.one.fail("refuse")
    with logged(voice.mouth) as events:
        await say(speech, REPLY)
    (failed,) = [one for one in events if one["event"] == "provider.failed_over"]
    kept = only_allowed(None, "", failed)
    assert (kept["port"], kept["provider"]) == ("speaking", "Cartesia")
    assert kept["error_type"].startswith("API")


@pytest.mark.parametrize("fault", ["stall", "error", "close"])
async def test_whatever_the_failure_the_caller_hears_the_reply(
    servers: Servers, fault: Any
) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))
    speech.tts.stall_seconds = 0.2
    whole = (await say(speech, REPLY)).seconds
    servers.one.fail(fault)
    heard = await say(speech, REPLY)
    assert heard.text == REPLY
    assert heard.seconds == pytest.approx(whole, abs=1.0)
    assert servers.two.requests


async def test_a_reply_broken_off_goes_on_with_the_word_that_is_missing(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))

    async def drop(seconds: float) -> None:
        if seconds > 2 and not servers.two.requests:
            await servers.one.drop()

    heard = await say(speech, REPLY, drop)
    assert heard.text == REPLY
    rest = " ".join(one.transcript for one in servers.two.requests)
    assert REPLY.endswith(rest)
    assert 10 < len(rest) < len(REPLY) - 10
    starts = [word.start_time for word in heard.words]
    assert starts == sorted(starts)


async def test_a_single_provider_is_connected_anew(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one))
    dropped: list[float] = []

    async def drop(seconds: float) -> None:
        if seconds > 2 and not dropped:
            dropped.append(seconds)
            await servers.one.drop()

    heard = await say(speech, REPLY, drop)
    assert heard.text == REPLY
    assert dropped


async def test_a_single_provider_that_is_away_is_waited_for(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one))
    speech.tts.pauses = (0.0, *([0.05] * 100))
    servers.one.fail("refuse")
    with logged(voice.mouth) as events:
        saying = asyncio.create_task(say(speech, REPLY))
        while len(events) < 3:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
    servers.one.recover()
    assert (await saying).text == REPLY


async def test_when_nobody_can_speak_it_is_an_error_and_no_word_counts_as_said(
    servers: Servers,
) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))
    speech.tts.pauses = (0.0,)
    servers.one.fail("refuse")
    servers.two.fail("refuse")
    with pytest.raises(APIError):
        await say(speech, REPLY)


async def test_a_provider_that_works_again_is_used_again(servers: Servers) -> None:
    speech = servers.speech(tts=cartesia_at(servers.one, servers.two))
    servers.one.fail("refuse")
    await say(speech, "One moment.")
    servers.one.recover()
    speech.tts.standing.worked(speech.tts.standing.order()[-1])
    await say(speech, "Here it is.")
    assert [one.transcript for one in servers.one.requests] == ["Here it is."]


# Servers of one's own -------------------------------------------------------------------------------------


async def test_an_openai_compatible_server_speaks_without_a_key(servers: Servers) -> None:
    voices = {"en": "alloy", "es": "nova", "fr": "coral"}
    own = {"provider": "openai", "base_url": servers.own.url, "model": "kokoro", "voices": voices}
    speech = servers.speech(tts=[own])
    speech.speak_as("fr", "upset", slower=True)
    heard = await say(speech, REPLY)
    asked = servers.own.spoken[0]
    assert heard.text.split() == REPLY.split()
    assert heard.seconds > 5
    assert (asked["voice"], asked["model"], asked["speed"]) == ("coral", "kokoro", 0.76)
    assert servers.own.keys[0] == "Bearer none", "the vendor's key is not for others"


async def test_it_stands_in_for_cartesia(servers: Servers) -> None:
    own = {"provider": "openai", "base_url": servers.own.url}
    speech = servers.speech(tts=[*cartesia_at(servers.one), own])
    servers.one.fail("refuse")
    heard = await say(speech, REPLY)
    assert heard.text.split() == REPLY.split()
    assert isinstance(speech.tts, Mouth)
    assert json.dumps(servers.own.spoken[0]["instructions"])


# Key terms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("asks", [*get_args(Asks), None])
def test_no_question_has_more_terms_than_a_recogniser_takes(asks: str, language: Any) -> None:
    many = [f"Oak stool number {number}" for number in range(100)]
    assert len(keyterms(asks, language, many)) == MOST_TERMS
    assert sum(len(one) for one in keyterms(asks, language, ["HF"])) < 500


def test_terms_are_those_of_the_question_and_the_language() -> None:
    assert "rue" in keyterms("account.address", "fr")
    assert "calle" in keyterms("account.address", "es")
    assert "rue" not in keyterms("account.confirm", "fr")
    assert "sí" in keyterms("callback.confirm", "es")
    assert keyterms("order.which", "en", ["HF", "Oak stool", "HF"])[:2] == ("HF", "Oak stool")
    assert keyterms(None, "en", ["HF"]) == ("HF",)


async def test_the_companys_words_are_expected_in_every_turn(servers: Servers) -> None:
    speech = servers.speech(keyterms=["HF", "brass lamp"])
    speech.expect("account.confirm", "en", ["Calle Mayor"])
    assert speech.stt.terms[:4] == ("Calle Mayor", "Juniper and Oak", "HF", "brass lamp")
    speech.expect(None, "en")
    assert speech.stt.terms == ("Juniper and Oak", "HF", "brass lamp")
