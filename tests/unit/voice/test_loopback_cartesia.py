"""The loopback Cartesia server, spoken to by LiveKit's real plugin; a few orders it never gives are given by hand."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from livekit.agents import APIConnectOptions, APIError, APIStatusError, tts
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT
from livekit.agents.voice.io import TimedString
from livekit.plugins import cartesia

from tests.unit.voice.sound import RATE, eventually
from voice.loopback import espeak
from voice.loopback.cartesia import CartesiaServer
from voice.loopback.faults import Fault

pytestmark = pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")

REPLY = "Your order has been sent. It should be with you on Tuesday."
ONCE = APIConnectOptions(max_retry=0, timeout=20)
AGAIN = APIConnectOptions(max_retry=3, retry_interval=0.05, timeout=20)


@pytest.fixture
async def server() -> AsyncIterator[CartesiaServer]:
    async with CartesiaServer() as running:
        yield running


@pytest.fixture
async def plugin(server: CartesiaServer) -> AsyncIterator[cartesia.TTS]:
    async with aiohttp.ClientSession() as http:
        speaker = cartesia.TTS(api_key="key", base_url=server.url, http_session=http, voice="f2")
        yield speaker
        await speaker.aclose()


async def said(
    plugin: tts.TTS, text: str, options: APIConnectOptions = ONCE
) -> list[tts.SynthesizedAudio]:
    async with plugin.stream(conn_options=options) as stream:
        stream.push_text(text)
        stream.end_input()
        return [audio async for audio in stream]


def samples(audio: list[tts.SynthesizedAudio]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.concatenate([np.frombuffer(part.frame.data, np.int16) for part in audio])


def timed(audio: list[tts.SynthesizedAudio]) -> list[TimedString]:
    return [
        word for part in audio for word in part.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
    ]


async def test_a_reply_is_spoken_with_the_times_of_its_words(plugin: cartesia.TTS) -> None:
    audio = await said(plugin, REPLY)
    words = timed(audio)
    assert "".join(words).split() == REPLY.split()
    starts = [float(word.start_time) for word in words]
    assert starts == sorted(starts)
    assert float(words[-1].end_time) <= len(samples(audio)) / plugin.sample_rate


async def test_the_sentences_of_a_reply_are_one_context(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    await said(plugin, REPLY)
    assert [request.transcript for request in server.requests] == [
        "Your order has been sent.",
        "It should be with you on Tuesday.",
    ]
    assert len({request.context for request in server.requests}) == 1


async def test_what_was_asked_for_is_kept(server: CartesiaServer, plugin: cartesia.TTS) -> None:
    plugin.update_options(language="fr", voice="m7", speed=0.9, volume=0.8, emotion="sympathetic")
    await said(plugin, "Je suis désolé.")
    asked = server.requests[-1]
    assert (asked.language, asked.voice, asked.speed, asked.volume, asked.emotion) == (
        "fr",
        "m7",
        0.9,
        0.8,
        "sympathetic",
    )
    assert asked.model == "sonic-3"


async def test_speed_volume_voice_and_language_are_heard(plugin: cartesia.TTS) -> None:
    plain = samples(await said(plugin, "Good morning."))
    plugin.update_options(speed=1.5)
    fast = samples(await said(plugin, "Good morning."))
    plugin.update_options(speed=1.0, volume=0.5)
    quiet = samples(await said(plugin, "Good morning."))
    plugin.update_options(volume=1.0, voice="m3")
    other = samples(await said(plugin, "Good morning."))
    plugin.update_options(language="es")
    spanish = samples(await said(plugin, "Good morning."))
    assert len(fast) < 0.85 * len(plain)
    assert np.abs(quiet).max() < 0.6 * np.abs(plain).max()
    assert len({plain.tobytes(), other.tobytes(), spanish.tobytes()}) == 3


async def test_a_whole_text_is_had_over_http(server: CartesiaServer, plugin: cartesia.TTS) -> None:
    async with plugin.synthesize("Good morning.", conn_options=ONCE) as stream:
        whole = samples([audio async for audio in stream])
    streamed = samples(await said(plugin, "Good morning."))
    assert np.array_equal(
        whole[:RATE], streamed[:RATE]
    )  # the last frame is filled up by the plugin
    assert [request.transcript for request in server.requests] == ["Good morning."] * 2


async def test_a_language_nobody_speaks_is_an_error(plugin: cartesia.TTS) -> None:
    plugin.update_options(language="tlh")
    with pytest.raises(APIError):
        await said(plugin, "Qapla'.")


@pytest.mark.parametrize("fault", ["refuse", "close", "error"])
async def test_a_fault_is_the_plugins_retryable_error(
    server: CartesiaServer, plugin: cartesia.TTS, fault: Fault
) -> None:
    server.fail(fault)
    with pytest.raises(APIError) as failed:
        await said(plugin, REPLY)
    assert failed.value.retryable
    server.recover()
    assert len(timed(await said(plugin, REPLY))) == len(REPLY.split())


async def test_the_plugins_own_retry_gets_over_a_fault(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    server.fail("refuse")
    plugin.on("error", lambda _: server.recover())
    assert len(timed(await said(plugin, REPLY, AGAIN))) == len(REPLY.split())


async def test_what_a_stall_held_back_comes_when_it_is_over(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    server.fail("stall")
    waiting = asyncio.create_task(said(plugin, "Good morning."))
    await eventually(lambda: bool(server.requests))
    assert not waiting.done()
    server.recover()
    assert len(timed(await waiting)) == 2


async def test_a_process_that_is_held_back_or_dropped_keeps_nobody_else(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    server.fail("stall", of=os.getppid())
    assert len(timed(await said(plugin, "Good morning."))) == 2
    await server.drop(of=os.getppid())
    server.fail("stall", of=os.getpid())
    waiting = asyncio.create_task(said(plugin, "Good morning."))
    await eventually(lambda: len(server.requests) == 2)
    assert not waiting.done()
    await server.drop(of=os.getpid())
    with pytest.raises(APIError):
        await waiting


async def test_a_connection_dropped_while_idle_costs_nothing(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    await said(plugin, "Good morning.")
    await server.drop()
    assert len(timed(await said(plugin, "Good morning.", AGAIN))) == 2


async def test_latency_is_what_the_first_sound_waits_for(plugin: cartesia.TTS) -> None:
    async with CartesiaServer(latency_ms=600_000) as slow, aiohttp.ClientSession() as http:
        late = cartesia.TTS(api_key="key", base_url=slow.url, http_session=http)
        waiting = asyncio.create_task(said(late, "Good morning."))
        await said(plugin, "Good morning.")
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await late.aclose()


async def test_without_a_key_nothing_is_said(server: CartesiaServer) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/tts/websocket")
        assert refused.value.status == 401
        async with http.post(f"{server.url}/tts/bytes", json={}) as answer:
            assert answer.status == 401


async def test_a_cancelled_context_is_silent_and_the_next_is_heard(server: CartesiaServer) -> None:
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": "key"}) as http,
        http.ws_connect(f"{server.url}/tts/websocket") as socket,
    ):
        await socket.send_json(generation("one", continued=True))
        assert (await socket.receive_json(timeout=20))["context_id"] == "one"
        await socket.send_json({"context_id": "one", "cancel": True})
        await socket.send_json(generation("two", continued=False))
        got = []
        while not got or not got[-1]["done"]:
            got.append(await socket.receive_json(timeout=20))
    after = [message["context_id"] for message in got]
    assert after[-1] == "two"
    assert after == sorted(after)  # nothing of the first among the second


async def test_nonsense_is_answered_by_an_error_that_ends_its_context(
    server: CartesiaServer,
) -> None:
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": "key"}) as http,
        http.ws_connect(f"{server.url}/tts/websocket") as socket,
    ):
        await socket.send_json({"context_id": "one", "transcript": "no voice, no format"})
        answer = await socket.receive_json(timeout=20)
    assert (answer["type"], answer["context_id"], answer["done"]) == ("error", "one", True)


async def test_faults_and_latency_are_set_over_http(
    server: CartesiaServer, plugin: cartesia.TTS
) -> None:
    async with aiohttp.ClientSession() as http:
        order = {"fault": "refuse", "latency_ms": 1.0}
        async with http.post(f"{server.url}/control", json=order) as answer:
            state = await answer.json()
        assert (state["fault"], state["latency_ms"]) == ("refuse", 1.0)
        with pytest.raises(APIStatusError) as refused:
            await said(plugin, "Good morning.")
        assert refused.value.status_code == 503
        await http.post(f"{server.url}/control", json={"clear": True})
        await said(plugin, "Good morning.")
        async with http.get(f"{server.url}/control") as answer:
            state = await answer.json()
    assert [request["transcript"] for request in state["requests"]] == ["Good morning."]


def generation(context: str, *, continued: bool) -> dict[str, object]:
    return {
        "model_id": "sonic-3",
        "transcript": "One, two, three, four, five, six, seven, eight.",
        "voice": {"mode": "id", "id": "f2"},
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
        "language": "en",
        "context_id": context,
        "continue": continued,
    }
