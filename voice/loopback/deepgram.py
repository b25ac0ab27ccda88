"""Deepgram's speech-to-text protocol on loopback: `/v1/listen`, recognising from the audio it receives."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
import wave
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from aiohttp import WSMsgType, web
from multidict import MultiMapping

from voice.loopback.decoder import HeardWord
from voice.loopback.library import Library
from voice.loopback.recogniser import Event, Heard, Recogniser, SpeechBegan, SpeechEnded
from voice.loopback.server import LoopbackServer, Sentence


@dataclass(frozen=True)
class ListenRequest:
    """What a client asked for when it connected; kept for tests."""

    model: str
    language: str
    keyterms: tuple[str, ...]
    rate: int
    endpointing_ms: int | None
    utterance_end_ms: int | None
    interim_results: bool
    vad_events: bool
    diarize: bool
    punctuate: bool

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages to listen for; None for any."""
        return None if self.language == "multi" else frozenset({self.language.split("-")[0]})


@dataclass(frozen=True)
class Transcript:
    """A final result that had words; kept for tests."""

    text: str
    language: str
    confidence: float
    speaker: str  # espeak-ng's variant, whatever the number the client was given


class DeepgramServer(LoopbackServer):
    """Recognises the sentences of its library; `requests` and `heard` say what it was asked and what it heard."""

    def __init__(
        self, library: Library | None = None, *, port: int = 0, latency_ms: float = 0.0
    ) -> None:
        super().__init__(port=port, latency_ms=latency_ms)
        self.library = library or Library()
        self.requests: list[ListenRequest] = []
        self.heard: list[Transcript] = []

    @property
    def url(self) -> str:
        """The plugin's `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1/listen"

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/listen", self._stream), web.post("/v1/listen", self._recording)]

    async def learn(self, sentences: Sequence[Sentence]) -> None:
        pairs = [(sentence.text, sentence.language) for sentence in sentences]
        await asyncio.to_thread(self.library.extend, pairs)

    def records(self) -> list[dict[str, object]]:
        return [asdict(request) for request in self.requests]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        refused = _refused(request)
        if refused is not None:
            return refused
        asked = _asked(request.query)
        self.requests.append(asked)
        async with self.socket(request) as socket:
            await _Stream(self, request, socket, asked).run()
        return socket

    async def _recording(self, request: web.Request) -> web.StreamResponse:
        """Recognise a whole WAV file."""
        refused = _refused(request)
        if refused is not None:
            return refused
        await self.faults_of(request).stalled()
        if self.faults_of(request).now in {"error", "close"}:
            return _problem(500, "INTERNAL_SERVER_ERROR", "internal error")
        asked = _asked(request.query)
        self.requests.append(asked)
        with wave.open(io.BytesIO(await request.read())) as recording:
            rate = recording.getframerate()
            samples = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
        recogniser = Recogniser(self.library, rate, languages=asked.languages)
        events: list[Event] = [*recogniser.push(samples), recogniser.finish()]
        words = [
            word
            for event in events
            if isinstance(event, Heard) and event.final
            for word in event.words
        ]
        await asyncio.sleep(self.latency_ms / 1000)
        channel: dict[str, object] = {"alternatives": [_alternative(words, asked, {})]}
        if words:
            channel["detected_language"] = words[0].language
        return web.json_response(
            {
                "metadata": {"request_id": str(uuid.uuid4()), "channels": 1},
                "results": {"channels": [channel]},
            }
        )


@dataclass
class _Stream:
    """One client's stream of audio and the results it is sent, each when it is due."""

    server: DeepgramServer
    request: web.Request
    socket: web.WebSocketResponse
    asked: ListenRequest
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    speakers: dict[str, int] = field(default_factory=dict)  # in the order they were first heard
    seconds: float = 0.0  # of audio received
    due: asyncio.Queue[tuple[float, Mapping[str, object]] | None] = field(
        default_factory=asyncio.Queue
    )

    async def run(self) -> None:
        """Serve the client until either side closes."""
        sender = asyncio.create_task(self._send())
        try:
            await self._receive()
            self.due.put_nowait(None)
            await sender
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _receive(self) -> None:
        asked = self.asked
        recogniser = Recogniser(
            self.server.library,
            asked.rate,
            languages=asked.languages,
            endpointing=None if asked.endpointing_ms is None else asked.endpointing_ms / 1000,
            utterance_end=asked.utterance_end_ms and asked.utterance_end_ms / 1000,
        )
        async for message in self.socket:
            if message.type == WSMsgType.BINARY:
                samples = np.frombuffer(message.data, dtype="<i2")
                self.seconds += len(samples) / asked.rate
                for event in recogniser.push(samples):
                    self._answer(event)
                continue
            order = _order(message.data)
            if order in {"Finalize", "CloseStream"}:
                self._answer(recogniser.finish(), from_finalize=order == "Finalize")
            if order == "CloseStream":
                self._later(_metadata(self))
                return

    def _answer(self, event: Event, *, from_finalize: bool = False) -> None:
        """Put what is sent about an event, if the client asked for such."""
        if isinstance(event, SpeechBegan):
            if self.asked.vad_events:
                self._later(
                    {"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(event.at, 3)}
                )
        elif isinstance(event, SpeechEnded):
            self._later(
                {
                    "type": "UtteranceEnd",
                    "channel": [0, 1],
                    "last_word_end": round(event.last_word_end, 3),
                }
            )
        elif event.final or self.asked.interim_results:
            self._later(_results(self, event, from_finalize=from_finalize))
            self._keep(event)

    def _keep(self, heard: Heard) -> None:
        if heard.final and heard.words:
            text = " ".join(word.text for word in heard.words)
            first = heard.words[0]
            confidence = _confidence(heard.words)
            self.server.heard.append(Transcript(text, first.language, confidence, first.speaker))

    def _later(self, message: Mapping[str, object]) -> None:
        due = asyncio.get_running_loop().time() + self.server.latency_ms / 1000
        self.due.put_nowait((due, message))

    async def _send(self) -> None:
        """Send what is due, in order, with whatever is wrong with the server now."""
        clock = asyncio.get_running_loop()
        try:
            while (item := await self.due.get()) is not None:
                due, message = item
                await asyncio.sleep(max(due - clock.time(), 0))
                await self.server.faults_of(self.request).stalled()
                wrong = self.server.faults_of(self.request).now
                if wrong == "error":
                    message = {"type": "Error", "description": "internal error"}
                await self.socket.send_json(message)
                if wrong in {"error", "close"}:
                    await self.socket.close(code=1011)
                    return
        except ConnectionError:
            return  # the client has gone


def _refused(request: web.Request) -> web.Response | None:
    """Return the answer to a request that can't be served."""
    if not request.headers.get("Authorization", "").startswith(("Token ", "Bearer ")):
        return _problem(401, "INVALID_AUTH", "invalid credentials")
    if request.query.get("encoding", "linear16") != "linear16":
        return _problem(400, "UNSUPPORTED_ENCODING", "only linear16 is spoken here")
    return None


def _problem(status: int, code: str, message: str) -> web.Response:
    body = {"err_code": code, "err_msg": message, "request_id": str(uuid.uuid4())}
    return web.json_response(body, status=status)


def _asked(query: MultiMapping[str]) -> ListenRequest:
    endpointing = query.get("endpointing", "10")
    utterance_end = query.get("utterance_end_ms")
    return ListenRequest(
        model=query.get("model", "base"),
        language=query.get("language", "en"),
        keyterms=tuple(query.getall("keyterm", ())),
        rate=int(query.get("sample_rate", "16000")),
        endpointing_ms=None if endpointing == "false" else int(endpointing),
        utterance_end_ms=int(utterance_end) if utterance_end else None,
        interim_results=query.get("interim_results") == "true",
        vad_events=query.get("vad_events") == "true",
        diarize=query.get("diarize") == "true",
        punctuate=query.get("punctuate") == "true" or query.get("smart_format") == "true",
    )


def _order(text: str) -> str:
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        return ""
    return str(fields.get("type", "")) if isinstance(fields, dict) else ""


def _results(stream: _Stream, heard: Heard, *, from_finalize: bool) -> dict[str, object]:
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": round(heard.start, 3),
        "duration": round(heard.end - heard.start, 3),
        "is_final": heard.final,
        "speech_final": heard.final and heard.pause,
        "channel": {"alternatives": [_alternative(heard.words, stream.asked, stream.speakers)]},
        "metadata": {
            "request_id": stream.id,
            "model_info": {"name": stream.asked.model, "version": "loopback", "arch": "loopback"},
        },
        "from_finalize": from_finalize,
    }


def _alternative(
    words: Sequence[HeardWord], asked: ListenRequest, speakers: dict[str, int]
) -> dict[str, object]:
    written = [word.text if asked.punctuate else _plain(word.text) for word in words]
    alternative: dict[str, object] = {
        "transcript": " ".join(written),
        "confidence": _confidence(words),
        "words": [_word(word, asked, speakers) for word in words],
    }
    if asked.language == "multi":
        alternative["languages"] = _languages(words)
    if not alternative.get("languages", True):
        del alternative["languages"]
    return alternative


def _languages(words: Sequence[HeardWord]) -> list[str]:
    """The languages that were heard, the one of most words first."""
    heard = [word.language for word in words]
    return sorted(set(heard), key=heard.count, reverse=True)


def _word(word: HeardWord, asked: ListenRequest, speakers: dict[str, int]) -> dict[str, object]:
    described: dict[str, object] = {
        "word": _plain(word.text),
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": round(word.confidence, 4),
    }
    if asked.punctuate:
        described["punctuated_word"] = word.text
    if asked.language == "multi":
        described["language"] = word.language
    if asked.diarize:
        described["speaker"] = speakers.setdefault(word.speaker, len(speakers))
    return described


def _plain(text: str) -> str:
    """A word without its punctuation."""
    return text.lower().strip('.,;:!?¿¡…"«»()')


def _confidence(words: Sequence[HeardWord]) -> float:
    return round(sum(word.confidence for word in words) / len(words), 4) if words else 0.0


def _metadata(stream: _Stream) -> dict[str, object]:
    return {
        "type": "Metadata",
        "request_id": stream.id,
        "duration": round(stream.seconds, 3),
        "channels": 1,
    }
