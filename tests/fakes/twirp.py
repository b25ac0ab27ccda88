"""A server on loopback that speaks LiveKit's API: Twirp over HTTP, protobuf both ways, as its clients speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import jwt
from aiohttp import web
from google.protobuf.message import Message
from livekit import api
from livekit.protocol import room, sip

KEY, SECRET = "devkey", "a-secret-of-thirty-two-characters"
REQUESTS: dict[str, type[Message]] = {
    "livekit.SIP/TransferSIPParticipant": sip.TransferSIPParticipantRequest,
    "livekit.SIP/CreateSIPParticipant": sip.CreateSIPParticipantRequest,
    "livekit.RoomService/ListRooms": room.ListRoomsRequest,
    "livekit.RoomService/DeleteRoom": room.DeleteRoomRequest,
    "livekit.RoomService/MoveParticipant": room.MoveParticipantRequest,
}
Answer = Message | web.Response | None
Answering = Callable[[Message], Answer | Awaitable[Answer]]


@dataclass
class TwirpServer:
    """What was asked of it, and what it answers."""

    url: str = ""
    asked: list[Message] = field(default_factory=list)
    grants: list[dict[str, object]] = field(default_factory=list)
    answers: dict[str, Answering] = field(default_factory=dict)

    def answer(self, method: str, answer: Answering) -> None:
        self.answers[method] = answer

    def asked_for(self, kind: type[Message]) -> list[Message]:
        return [one for one in self.asked if isinstance(one, kind)]

    async def respond(self, request: web.Request) -> web.Response:
        path = f"{request.match_info['service']}/{request.match_info['method']}"
        claims = jwt.decode(
            request.headers["Authorization"].removeprefix("Bearer "), SECRET, algorithms=["HS256"]
        )
        message = REQUESTS[path]()
        message.ParseFromString(await request.read())
        self.asked.append(message)
        self.grants.append({**claims.get("video", {}), **claims.get("sip", {})})
        answer = self.answers.get(request.match_info["method"])
        answered = answer(message) if answer else None
        if isinstance(answered, Awaitable):
            answered = await answered
        if isinstance(answered, web.Response):
            return answered
        body = answered.SerializeToString() if answered is not None else b""
        return web.Response(body=body, content_type="application/protobuf")


def refused(code: str, status: int, **meta: str) -> web.Response:
    """As LiveKit tells of a failure."""
    return web.json_response({"code": code, "msg": "refused", "meta": meta}, status=status)


@asynccontextmanager
async def twirp_server() -> AsyncIterator[TwirpServer]:
    server = TwirpServer()
    app = web.Application()
    app.router.add_post("/twirp/{service}/{method}", server.respond)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(server: TwirpServer) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(server.url, KEY, SECRET) as client:
        yield client
