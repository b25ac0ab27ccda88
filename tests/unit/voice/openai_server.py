"""An OpenAI-compatible speech server on loopback: speaks with espeak-ng, hears what it is told to."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from voice.loopback import espeak

RATE = 22050  # not what OpenAI's own speech has


@dataclass
class OpenAIServer:
    url: str = ""
    hears: str = "hello"  #: answer to every recording
    spoken: list[dict[str, object]] = field(default_factory=list)  #: requests for speech
    recordings: list[float] = field(
        default_factory=list
    )  #: seconds of sound that came to be recognised
    keys: list[str] = field(default_factory=list)

    async def speak(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.spoken.append(asked)
        self.keys.append(request.headers["Authorization"])
        clip = espeak.speech(asked["input"], "en", rate=RATE)
        return web.Response(body=wav(clip), content_type="audio/wav")

    async def recognise(self, request: web.Request) -> web.Response:
        form = await request.post()
        recording = form["file"]
        assert isinstance(recording, web.FileField)
        with wave.open(recording.file) as sound:
            self.recordings.append(sound.getnframes() / sound.getframerate())
        return web.json_response({"text": self.hears})


def wav(clip: espeak.Clip) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(clip.rate)
        sound.writeframes(clip.samples.tobytes())
    return written.getvalue()


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAIServer]:
    server = OpenAIServer()
    app = web.Application()
    app.router.add_post("/v1/audio/speech", server.speak)
    app.router.add_post("/v1/audio/transcriptions", server.recognise)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
