"""The loopback Deepgram server, listened to through LiveKit's real plugin."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from livekit.agents import APIConnectOptions, APIError
from livekit.agents.stt import SpeechEventType
from livekit.plugins import cartesia, deepgram

from tests.unit.voice.sound import (
    RATE,
    SENTENCES,
    eventually,
    finals,
    frame,
    hear,
    mixed,
    silence,
    spoken,
    until,
    white,
)
from voice.loopback import espeak
from voice.loopback.cartesia import CartesiaServer
from voice.loopback.deepgram import DeepgramServer
from voice.loopback.faults import Fault
from voice.loopback.library import Library

pytestmark = pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")

ONCE = APIConnectOptions(max_retry=0, timeout=20)
AGAIN = APIConnectOptions(max_retry=5, retry_interval=0.05, timeout=20)
ORDER_NUMBER = "My order number is four eight two one"


@pytest.fixture(scope="module")
def library() -> Library:
    known = Library()
    known.extend(SENTENCES)
    return known


@pytest.fixture
async def server(library: Library) -> AsyncIterator[DeepgramServer]:
    async with DeepgramServer(library) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def ear(server: DeepgramServer, http: aiohttp.ClientSession, **options: object) -> deepgram.STT:
    wanted = {"language": "multi", "enable_diarization": True, **options}
    return deepgram.STT(api_key="key", base_url=server.url, http_session=http, **wanted)


@pytest.mark.parametrize(("sentence", "language"), [SENTENCES[0], SENTENCES[5], SENTENCES[7]])
async def test_what_cartesia_says_deepgram_hears(
    server: DeepgramServer, http: aiohttp.ClientSession, sentence: str, language: str
) -> None:
    async with CartesiaServer() as speaks, ear(server, http).stream(conn_options=ONCE) as stream:
        mouth = cartesia.TTS(
            api_key="key",
            base_url=speaks.url,
            http_session=http,
            sample_rate=RATE,
            voice="f4",
            language=language,
        )
        stream.push_frame(frame(silence(0.5)))
        async with mouth.stream(conn_options=ONCE) as said:
            said.push_text(sentence)
            said.end_input()
            async for audio in said:
                stream.push_frame(audio.frame)
        events = await hear(stream, silence(0.5))
        await mouth.aclose()
    assert [(final.text, final.language) for final in finals(events)] == [(sentence, language)]


async def test_interim_results_grow_into_the_final_one(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        events = await hear(stream, spoken(ORDER_NUMBER, "en"))
    kinds = [event.type for event in events if event.type != SpeechEventType.RECOGNITION_USAGE]
    interim = kinds.count(SpeechEventType.INTERIM_TRANSCRIPT)
    assert interim >= 2
    assert kinds == [
        SpeechEventType.START_OF_SPEECH,
        *[SpeechEventType.INTERIM_TRANSCRIPT] * interim,
        SpeechEventType.FINAL_TRANSCRIPT,
        SpeechEventType.END_OF_SPEECH,
    ]
    first = next(event for event in events if event.type == SpeechEventType.INTERIM_TRANSCRIPT)
    assert ORDER_NUMBER.startswith(first.alternatives[0].text)
    assert first.alternatives[0].text != ORDER_NUMBER


async def test_words_carry_times_and_confidence(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    said = espeak.speech(ORDER_NUMBER, "en", rate=RATE).words
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        [final] = finals(await hear(stream, spoken(ORDER_NUMBER, "en")))
        offset = stream.start_time_offset
    assert final.words is not None
    assert [str(word) for word in final.words] == ORDER_NUMBER.split()
    for word, original in zip(final.words, said, strict=True):
        assert float(word.start_time) - offset == pytest.approx(0.5 + original.start, abs=0.12)
    assert final.confidence > 0.9


async def test_noise_lowers_the_confidence_and_leaves_the_words(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    sound = spoken(ORDER_NUMBER, "en")
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        [clean] = finals(await hear(stream, sound))
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        [noisy] = finals(await hear(stream, mixed(sound, white(len(sound)), 15)))
    assert noisy.text == ORDER_NUMBER
    assert noisy.confidence < clean.confidence


async def test_two_voices_are_two_speakers(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        speakers = [
            finals(await hear(stream, spoken("Where is my order?", "en", speaker)))[0].speaker_id
            for speaker in ("f2", "m3", "f2")
        ]
    assert speakers == ["S0", "S1", "S0"]
    assert [heard.speaker for heard in server.heard] == ["f2", "m3", "f2"]


async def test_what_was_asked_for_is_kept(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    wants = ear(server, http, keyterm=["HF-", "Main Street"], endpointing_ms=300)
    async with wants.stream(conn_options=ONCE) as stream:
        await hear(stream, spoken("Yes please", "en"))
    asked = server.requests[-1]
    assert (asked.model, asked.language, asked.keyterms) == (
        "nova-3",
        "multi",
        ("HF-", "Main Street"),
    )
    assert (asked.endpointing_ms, asked.rate, asked.diarize) == (300, RATE, True)


async def test_new_keyterms_are_asked_for_on_a_new_connection(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    wants = ear(server, http)
    async with wants.stream(conn_options=ONCE) as stream:
        await hear(stream, spoken("Yes please", "en"))
        wants.update_options(keyterm=["HF-"])
        await eventually(lambda: len(server.requests) == 2)
        [final] = finals(await hear(stream, spoken("Where is my order?", "en")))
    assert final.text == "Where is my order?"
    assert [asked.keyterms for asked in server.requests] == [(), ("HF-",)]


async def test_only_the_language_asked_for_is_listened_for(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    async with ear(server, http, language="fr").stream(conn_options=ONCE) as stream:
        spanish = finals(await hear(stream, spoken("¿Dónde está mi pedido?", "es")))
        [french] = finals(await hear(stream, spoken("Où est ma commande?", "fr")))
    assert "pedido" not in " ".join(final.text for final in spanish)
    assert (french.text, french.language) == ("Où est ma commande?", "fr")


async def test_the_end_of_an_utterance_is_told_when_asked_for(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    wants = ear(server, http, endpointing_ms=0, utterance_end_ms=1000)
    async with wants.stream(conn_options=ONCE) as stream:
        stream.push_frame(frame(spoken("Where is my order?", "en")))
        events = await hear(stream, silence(1.0))
    assert [final.text for final in finals(events)] == ["Where is my order?"]


@pytest.mark.parametrize("fault", ["refuse", "close", "error"])
async def test_a_fault_is_the_plugins_retryable_error(
    server: DeepgramServer, http: aiohttp.ClientSession, fault: Fault
) -> None:
    server.fail(fault)
    with pytest.raises(APIError) as failed:
        async with ear(server, http).stream(conn_options=ONCE) as stream:
            await hear(stream, spoken("Yes please", "en"))
    assert failed.value.retryable
    server.recover()
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        [final] = finals(await hear(stream, spoken("Yes please", "en")))
    assert final.text == "Yes please"


async def test_the_plugins_own_retry_gets_over_a_fault(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    server.fail("refuse")
    wants = ear(server, http)
    wants.on("error", lambda _: server.recover())
    async with wants.stream(conn_options=AGAIN) as stream:
        [final] = finals(await hear(stream, spoken("Yes please", "en")))
    assert final.text == "Yes please"


async def test_of_a_sentence_cut_by_a_dropped_connection_the_rest_is_heard(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    clip = espeak.speech(ORDER_NUMBER, "en", rate=RATE)
    middle = round(clip.words[4].start * RATE)
    async with ear(server, http).stream(conn_options=AGAIN) as stream:
        stream.push_frame(frame(np.concatenate((silence(0.5), clip.samples[:middle]))))
        await until(stream, {SpeechEventType.INTERIM_TRANSCRIPT})
        await server.drop()
        await eventually(lambda: len(server.requests) == 2)
        rest = np.concatenate((silence(0.3), clip.samples[middle:], silence(0.5)))
        [final] = finals(await hear(stream, rest))
    assert final.text == "four eight two one"


async def test_it_fails_for_one_process_and_serves_the_others(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    server.fail("refuse", of=os.getppid())
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        [final] = finals(await hear(stream, spoken("Yes please", "en")))
    assert final.text == "Yes please"
    server.fail("refuse", of=os.getpid())
    with pytest.raises(APIError):
        async with ear(server, http).stream(conn_options=ONCE) as stream:
            await hear(stream, spoken("Yes please", "en"))
    server.recover(os.getpid())
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        assert finals(await hear(stream, spoken("Yes please", "en")))


async def test_what_a_stall_held_back_comes_when_it_is_over(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    server.fail("stall")
    async with ear(server, http).stream(conn_options=ONCE) as stream:
        stream.push_frame(frame(spoken("Yes please", "en")))
        await eventually(lambda: bool(server.heard))  # recognised, and kept back
        server.recover()
        [final] = finals(await hear(stream, silence(0.1)))
    assert final.text == "Yes please"


async def test_a_sentence_is_learned_over_http(http: aiohttp.ClientSession) -> None:
    code = "Seven seven one zero"
    async with DeepgramServer(Library(speakers=("m3",))) as server:
        control = server.url.replace("/v1/listen", "/control")
        order = {"sentences": [{"text": code, "language": "en"}]}
        async with http.post(control, json=order) as answer:
            assert answer.status == 200
        async with http.post(control, json={"sentence": code}) as answer:
            assert answer.status == 400
        async with ear(server, http).stream(conn_options=ONCE) as stream:
            [final] = finals(await hear(stream, spoken(code, "en", "m3")))
    assert final.text == code


async def test_a_recording_is_recognised_over_http(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    recording = frame(spoken("Je voudrais changer mon adresse", "fr"))
    wants = ear(server, http, enable_diarization=False)
    event = await wants.recognize(recording, language="fr", conn_options=ONCE)
    assert event.alternatives[0].text == "Je voudrais changer mon adresse"


async def test_without_a_key_nobody_listens(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(server.url)
    assert refused.value.status == 401


async def test_finalize_brings_out_what_was_said_so_far(
    server: DeepgramServer, http: aiohttp.ClientSession
) -> None:
    clip = espeak.speech("Where is my order?", "en", rate=RATE)
    headers = {"Authorization": "Token key"}
    asked = f"{server.url}?language=multi&sample_rate={RATE}&endpointing=false"
    async with http.ws_connect(asked, headers=headers) as socket:
        await socket.send_bytes(np.concatenate((silence(0.5), clip.samples)).tobytes())
        await socket.send_json({"type": "KeepAlive"})
        await socket.send_json({"type": "Finalize"})
        results = await socket.receive_json(timeout=20)
        await socket.send_json({"type": "CloseStream"})
        rest = [message.json() async for message in socket]
    assert (results["is_final"], results["from_finalize"]) == (True, True)
    assert results["channel"]["alternatives"][0]["transcript"] == "where is my order"
    assert rest[-1]["type"] == "Metadata"
