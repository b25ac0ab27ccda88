"""Serves the page that calls the line, to this machine only: its files, tokens, and what the demo notifier sends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callers import Caller, InvalidCaller
from graph.state import Lang
from services import SentNotice
from settings import LiveKitSettings, VoiceSettings
from tools.errors import BackendDown, Refused
from tools.limits import Window
from voice.tokens import caller_token

PAGE = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = ("line.css", "line.js", "call.js", "captions.js", "texts.js", "icon.svg")
OURSELVES = ("127.0.0.1", "localhost")
LONGEST_BODY = 2048  #: bytes
CALLS_A_MINUTE = 30
M = TypeVar("M", bound=BaseModel)


class Person(BaseModel):
    """A made-up customer whom one can call as."""

    model_config = ConfigDict(frozen=True)

    name: str
    number: str
    language: Lang
    postal_code: str


class About(BaseModel):
    """What the page is told of the line."""

    model_config = ConfigDict(frozen=True)

    company: str
    voices: Literal["vendors", "espeak"]
    people: tuple[Person, ...] = ()


class CallWanted(BaseModel):
    """POST /token: somebody calls, or comes back into the room of a line that was cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Lang | None = None
    number: str | None = Field(default=None, max_length=24)
    again: str | None = Field(default=None, max_length=64, description="the room; else a new one")


class MessagesWanted(BaseModel):
    """POST /messages: what was sent in this call since it was last asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: UUID


@dataclass(frozen=True)
class RoomOfCall:
    """A room that a token was given for."""

    name: str
    identity: str
    language: Lang | None
    number: str | None


@dataclass
class PageServer:
    """The page's server: `application` is what aiohttp runs."""

    livekit: LiveKitSettings
    voice: VoiceSettings
    about: About
    client: Path  #: LiveKit's client, one ES module
    caller_of: Callable[[str | None], Caller]  #: raises InvalidCaller
    sent_notices: Callable[[UUID], Awaitable[Sequence[SentNotice]]]
    rooms_known: int = 1000  #: into which a caller can come back
    _rooms: OrderedDict[str, RoomOfCall] = field(default_factory=OrderedDict)
    _calls: Window = field(default_factory=lambda: Window(CALLS_A_MINUTE, 60.0))

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=LONGEST_BODY)
        for path, file in (
            ("/", PAGE / "index.html"),
            ("/livekit-client.mjs", self.client),
            *((f"/{name}", PAGE / name) for name in FILES),
        ):
            app.router.add_get(path, _serves(file))
        app.router.add_get("/line.json", self._about)
        app.router.add_post("/token", self._token)
        app.router.add_post("/messages", self._messages)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Only our own page is answered, errors are JSON, and every answer carries the headers."""
        response: web.StreamResponse
        try:
            _from_our_page(request)
            response = await handler(request)
        except web.HTTPException as error:
            response = _error(error.status, error.text or error.reason)
            if allowed := error.headers.get("Allow"):
                response.headers["Allow"] = allowed
        response.headers.update(security_headers(self.livekit.url))
        if request.method == "POST":
            response.headers["Cache-Control"] = "no-store"
        return response

    async def _about(self, _: web.Request) -> web.Response:
        return web.json_response(text=self.about.model_dump_json())

    async def _token(self, request: web.Request) -> web.Response:
        wanted = await _read(request, CallWanted)
        try:
            self._calls.take()
        except Refused:
            raise web.HTTPTooManyRequests(text="too many calls in a minute") from None
        room = self._known(wanted.again) if wanted.again else self._opened(wanted)
        token = caller_token(
            self.livekit,
            room.name,
            room.identity,
            room.language,
            room.number,
            agent_name=self.voice.agent_name,
            blip=self.voice.blip,
        )
        return web.json_response({"url": self.livekit.url, "token": token, "room": room.name})

    def _known(self, name: str) -> RoomOfCall:
        if (room := self._rooms.get(name)) is None:
            raise web.HTTPNotFound(text="that call is not known here: begin a new one")
        return room

    def _opened(self, wanted: CallWanted) -> RoomOfCall:
        try:
            number = self.caller_of(wanted.number).number
        except InvalidCaller as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from None
        room = RoomOfCall(f"call-{uuid4()}", f"caller-{uuid4()}", wanted.language, number)
        self._rooms[room.name] = room
        if len(self._rooms) > self.rooms_known:
            self._rooms.popitem(last=False)
        return room

    async def _messages(self, request: web.Request) -> web.Response:
        wanted = await _read(request, MessagesWanted)
        try:
            sent = await self.sent_notices(wanted.call)
        except BackendDown:
            raise web.HTTPServiceUnavailable(text="the database does not answer") from None
        return web.json_response({"messages": [one.model_dump() for one in sent]})


def security_headers(livekit_url: str) -> dict[str, str]:
    """The page runs its own files, speaks with us and with LiveKit, and may use the microphone; nothing else."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": " ".join(("'self'", *_livekit_sources(livekit_url))),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def _livekit_sources(url: str) -> list[str]:
    """Its WebSocket, and its HTTP, which the client asks why a connection failed. LiveKit's cloud has many hosts."""
    parts = urlsplit(url)
    schemes = ("wss", "https") if parts.scheme in {"wss", "https"} else ("ws", "http")
    cloud = (parts.hostname or "").endswith(".livekit.cloud")
    hosts = [parts.netloc, *(["*.livekit.cloud"] if cloud else [])]
    return [f"{scheme}://{host}" for host in hosts for scheme in schemes]


def _serves(file: Path) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Content-Type": TYPES[file.suffix]})

    return serve


def _from_our_page(request: web.Request) -> None:
    """By its address, so that no other site's name leads here; and what changes anything comes from the page itself."""
    if request.url.host not in OURSELVES:
        raise web.HTTPMisdirectedRequest(text="call this page by http://127.0.0.1")
    if request.method == "GET":
        return
    if request.headers.get("Origin") != f"http://{request.host}":
        raise web.HTTPForbidden(text="only the page itself may ask for this")


async def _read(request: web.Request, model: type[M]) -> M:
    """The JSON body as a model; what is wrong with it is said by field, never by value."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send JSON")
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise web.HTTPBadRequest(text=f"{where}: {first['msg']}") from None


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
