"""Cartesia's text-to-speech protocol on loopback, spoken by espeak-ng: `/tts/websocket` and `/tts/bytes`."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
from aiohttp import WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice.loopback import espeak
from voice.loopback.server import LoopbackServer

CHUNK_SECONDS = 0.08
PAUSE_SECONDS = 0.2  # between the sentences of one context
FASTER_THAN_REAL_TIME = 8.0  # how much audio the vendor sends in the time it takes to play it


class Voice(BaseModel):
    """Whose voice: an id, or an embedding."""

    model_config = ConfigDict(extra="ignore")
    mode: Literal["id", "embedding"] = "id"
    id: str | None = None
    embedding: list[float] | None = None

    @property
    def name(self) -> str:
        """What tells this voice from another."""
        return self.id or str(binascii.crc32(repr(self.embedding).encode()))


class OutputFormat(BaseModel):
    """Raw samples without a container."""

    model_config = ConfigDict(extra="ignore")
    container: Literal["raw"]
    encoding: Literal["pcm_s16le", "pcm_f32le"]
    sample_rate: int = Field(ge=8000, le=48000)


class GenerationConfig(BaseModel):
    """How it is said."""

    model_config = ConfigDict(extra="ignore")
    speed: float = Field(default=1.0, ge=0.6, le=2.0)
    volume: float = Field(default=1.0, ge=0.5, le=2.0)
    emotion: str | None = None


class Generation(BaseModel):
    """A piece of text to be spoken, as the vendor's clients ask for it."""

    model_config = ConfigDict(extra="ignore")
    model_id: str
    transcript: str
    voice: Voice
    output_format: OutputFormat
    language: str = "en"
    generation_config: GenerationConfig = GenerationConfig()
    add_timestamps: bool = False
    context_id: str = ""
    continue_: bool = Field(default=False, alias="continue")
    flush: bool = False


@dataclass(frozen=True)
class SpeechRequest:
    """What was asked to be said, and how; kept for tests."""

    transcript: str
    language: str
    voice: str
    model: str
    speed: float
    volume: float
    emotion: str | None
    context: str


@dataclass
class _Context:
    """One context of a socket: texts that are spoken one after the other as one stream of audio."""

    name: str
    request: web.Request  # of its socket
    texts: asyncio.Queue[Generation] = field(default_factory=asyncio.Queue)
    seconds: float = 0.0  # of audio sent so far
    task: asyncio.Task[None] | None = None


class CartesiaServer(LoopbackServer):
    """Speaks what it is asked to; `requests` says what that was."""

    def __init__(self, *, port: int = 0, latency_ms: float = 0.0) -> None:
        super().__init__(port=port, latency_ms=latency_ms)
        self.requests: list[SpeechRequest] = []

    @property
    def url(self) -> str:
        """The plugin's `base_url`."""
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/tts/websocket", self._websocket),
            web.post("/tts/bytes", self._bytes),
        ]

    def records(self) -> list[dict[str, object]]:
        return [asdict(request) for request in self.requests]

    def record(self, asked: Generation) -> None:
        """Remember what was asked."""
        manner = asked.generation_config
        self.requests.append(
            SpeechRequest(
                transcript=asked.transcript.strip(),
                language=asked.language,
                voice=asked.voice.name,
                model=asked.model_id,
                speed=manner.speed,
                volume=manner.volume,
                emotion=manner.emotion,
                context=asked.context_id,
            )
        )

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        if "X-API-Key" not in request.headers:
            return web.json_response(_problem(401, "no API key"), status=401)
        try:
            asked = Generation.model_validate_json(await request.read())
            clip = await speak(asked)
        except (ValidationError, ValueError) as wrong:
            return web.json_response(_problem(400, str(wrong)), status=400)
        await self.faults_of(request).stalled()
        if self.faults_of(request).now == "error":
            return web.json_response(_problem(500, "internal error"), status=500)
        self.record(asked)
        await asyncio.sleep(self.latency_ms / 1000)
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        for piece, _ in pieces(clip):
            await response.write(encoded(piece, asked))
            if self.faults_of(request).now == "close" and request.transport is not None:
                request.transport.abort()
                break
        else:
            await response.write_eof()
        return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if "X-API-Key" not in request.headers and "api_key" not in request.query:
            return web.json_response(_problem(401, "no API key"), status=401)
        async with self.socket(request) as socket:
            contexts: dict[str, _Context] = {}
            try:
                async for message in socket:
                    if message.type == WSMsgType.TEXT:
                        await self._take(socket, request, contexts, message.data)
            finally:
                for context in list(contexts.values()):
                    await _ended(context)
        return socket

    async def _take(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        contexts: dict[str, _Context],
        body: str,
    ) -> None:
        """Put a message to its context: text to be spoken, or the wish to be quiet."""
        name = _context_id(body)
        if _cancels(body):
            if context := contexts.pop(name, None):
                await _ended(context)
            return
        try:
            asked = Generation.model_validate_json(body)
        except ValidationError as wrong:
            await socket.send_json(_failure(name, 400, str(wrong)))
            return
        context = contexts.setdefault(name, _Context(name, request))
        context.texts.put_nowait(asked)
        if context.task is None:
            context.task = asyncio.create_task(self._speak(socket, context))
            context.task.add_done_callback(lambda _: contexts.pop(name, None))

    async def _speak(self, socket: web.WebSocketResponse, context: _Context) -> None:
        """Speak a context's texts until the last, as fast as the vendor does."""
        try:
            while True:
                asked = await context.texts.get()
                if asked.transcript.strip() and not await self._say(socket, context, asked):
                    return
                if asked.flush:
                    await socket.send_json(
                        {"type": "flush_done", "context_id": context.name, "done": False}
                    )
                if not asked.continue_:
                    await socket.send_json(_done(context.name))
                    return
        except ConnectionError:
            return  # the client has gone

    async def _say(
        self, socket: web.WebSocketResponse, context: _Context, asked: Generation
    ) -> bool:
        """Send a text as chunks of audio and the times of its words; false if that failed."""
        self.record(asked)
        begun = context.seconds > 0
        try:
            clip = await speak(asked)
        except ValueError as wrong:
            await socket.send_json(_failure(context.name, 400, str(wrong)))
            return False
        await asyncio.sleep(0 if begun else self.latency_ms / 1000)
        offset = context.seconds
        for piece, words in pieces(after_a_pause(clip) if begun else clip):
            await self.faults_of(context.request).stalled()
            if self.faults_of(context.request).now == "error":
                await socket.send_json(_failure(context.name, 500, "internal error"))
                return False
            if asked.add_timestamps and words:
                await socket.send_json(_timestamps(context.name, words, offset))
            await socket.send_json(_chunk(context.name, encoded(piece, asked)))
            if self.faults_of(context.request).now == "close":
                await socket.close(code=1011)
                return False
            seconds = len(piece) / clip.rate
            context.seconds += seconds
            await asyncio.sleep(seconds / FASTER_THAN_REAL_TIME)
        return True


async def speak(asked: Generation) -> espeak.Clip:
    """Synthesise what was asked. Raises ValueError for a language that is not spoken here."""
    clip = await asyncio.to_thread(
        espeak.speech,
        asked.transcript.strip(),
        asked.language,
        asked.generation_config.speed,
        speaker=espeak.speaker_of(asked.voice.name),
        rate=asked.output_format.sample_rate,
    )
    if asked.generation_config.volume == 1.0:
        return clip
    louder = np.clip(clip.samples * asked.generation_config.volume, -32768, 32767)
    return espeak.Clip(louder.astype(np.int16), clip.rate, clip.words)


def after_a_pause(clip: espeak.Clip) -> espeak.Clip:
    """A sentence that follows another in the same context."""
    pause = np.zeros(round(PAUSE_SECONDS * clip.rate), dtype=np.int16)
    later = tuple(
        espeak.Word(word.text, word.start + PAUSE_SECONDS, word.end + PAUSE_SECONDS)
        for word in clip.words
    )
    return espeak.Clip(np.concatenate((pause, clip.samples)), clip.rate, later)


def pieces(clip: espeak.Clip) -> Iterator[tuple[espeak.Samples, list[espeak.Word]]]:
    """Cut a clip as it is streamed, with the words that begin in each piece."""
    step = round(clip.rate * CHUNK_SECONDS)
    for first in range(0, len(clip.samples), step):
        begin, end = first / clip.rate, (first + step) / clip.rate
        words = [word for word in clip.words if begin <= word.start < end]
        yield clip.samples[first : first + step], words


def encoded(samples: espeak.Samples, asked: Generation) -> bytes:
    """Write samples in the encoding that was asked for."""
    if asked.output_format.encoding == "pcm_f32le":
        return (samples.astype("<f4") / 32768).tobytes()
    return samples.astype("<i2").tobytes()


def _chunk(context: str, audio: bytes) -> dict[str, object]:
    return {
        "type": "chunk",
        "context_id": context,
        "status_code": 206,
        "done": False,
        "data": base64.b64encode(audio).decode(),
        "step_time": 0.0,
    }


def _timestamps(context: str, words: list[espeak.Word], offset: float) -> dict[str, object]:
    return {
        "type": "timestamps",
        "context_id": context,
        "status_code": 206,
        "done": False,
        "word_timestamps": {
            "words": [word.text for word in words],
            "start": [round(offset + word.start, 4) for word in words],
            "end": [round(offset + word.end, 4) for word in words],
        },
    }


def _done(context: str) -> dict[str, object]:
    return {"type": "done", "context_id": context, "status_code": 200, "done": True}


def _failure(context: str, status: int, message: str) -> dict[str, object]:
    """An error on a socket: `done` is true in all of the vendor's (docs.cartesia.ai, API errors)."""
    return {
        "type": "error",
        "context_id": context,
        "status_code": status,
        "done": True,
        "request_id": str(uuid.uuid4()),
        **_problem(status, message),
    }


def _problem(status: int, message: str) -> dict[str, object]:
    code = {400: "invalid_request", 401: "unauthorized"}.get(status, "internal_error")
    return {"error_code": code, "title": code.replace("_", " "), "message": message}


def _context_id(body: str) -> str:
    fields = _fields(body)
    return str(fields.get("context_id", ""))


def _cancels(body: str) -> bool:
    return _fields(body).get("cancel") is True


def _fields(body: str) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


async def _ended(context: _Context) -> None:
    """Stop speaking a context."""
    if context.task is not None:
        context.task.cancel()
        await asyncio.gather(context.task, return_exceptions=True)
