"""The phone network behind LiveKit's SIP service, which does not come with its server: it speaks that service's API.

Everything else that is asked of it goes on to the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from livekit.protocol import sip
from multidict import CIMultiDict

from tests.acceptance.caller import WITHIN, Caller
from tests.acceptance.exchange import Exchange
from tests.fakes.twirp import refused
from voice.local_server import LocalLiveKit

HOST = "127.0.0.1"
#: Of a connection, not of what is said over it: RFC 9110, section 7.6.1, and RFC 6455.
OWN = ("connection", "content-length", "host", "transfer-encoding", "upgrade")


@dataclass
class Ringing:
    """A colleague's phone, ringing."""

    asked: sip.CreateSIPParticipantRequest
    _answer: asyncio.Future[web.Response]

    def is_busy(self) -> None:
        self._answer.set_result(refused("unavailable", 503, sip_status_code="486"))

    @asynccontextmanager
    async def answered(self, exchange: Exchange) -> AsyncIterator[Caller]:
        """Somebody lifts it, and is in the room for which it rang until the block ends."""
        asked = self.asked
        identity, attributes = asked.participant_identity, dict(asked.participant_attributes)
        token = exchange.guest(asked.room_name, identity, "sip", **attributes)
        async with exchange.caller(token) as colleague:
            self._answer.set_result(_message(sip.SIPParticipantInfo(room_name=asked.room_name)))
            yield colleague


@dataclass
class Moving:
    """A call that the network is asked to move to another number."""

    asked: sip.TransferSIPParticipantRequest
    _answer: asyncio.Future[web.Response]

    def is_done(self) -> None:
        """As a server of one's own answers."""
        self._answer.set_result(_message(sip.SIPTransferInfo()))


@dataclass
class PhoneNetwork:
    """What rings in it, and what it is asked to move."""

    server: LocalLiveKit
    url: str = ""
    _ringing: asyncio.Queue[Ringing] = field(default_factory=asyncio.Queue)
    _moving: asyncio.Queue[Moving] = field(default_factory=asyncio.Queue)

    async def rings(self) -> Ringing:
        """Wait for a phone that rings."""
        return await asyncio.wait_for(self._ringing.get(), WITHIN)

    async def moves(self) -> Moving:
        """Wait for a call that is to be moved."""
        return await asyncio.wait_for(self._moving.get(), WITHIN)

    async def ring(self, request: web.Request) -> web.Response:
        asked = sip.CreateSIPParticipantRequest.FromString(await request.read())
        phone = Ringing(asked, asyncio.get_running_loop().create_future())
        self._ringing.put_nowait(phone)
        return await phone._answer

    async def move(self, request: web.Request) -> web.Response:
        asked = sip.TransferSIPParticipantRequest.FromString(await request.read())
        call = Moving(asked, asyncio.get_running_loop().create_future())
        self._moving.put_nowait(call)
        return await call._answer

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        """To the server, whatever it is."""
        to = self.server.url.replace("ws", "http", 1) + request.path_qs
        headers = _passed(request.headers)
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            if "Upgrade" in request.headers:
                return await _connected(http, to, headers, request)
            body = await request.read()
            async with http.request(request.method, to, headers=headers, data=body) as answer:
                return web.Response(
                    status=answer.status, headers=_passed(answer.headers), body=await answer.read()
                )


def _passed(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value)
        for name, value in CIMultiDict(headers).items()
        if name.lower() not in OWN and not name.lower().startswith("sec-websocket-")
    )


async def _connected(
    http: aiohttp.ClientSession, to: str, headers: CIMultiDict[str], request: web.Request
) -> web.StreamResponse:
    """Until one of the two ends it."""
    near = web.WebSocketResponse(autoping=False, max_msg_size=0)
    async with http.ws_connect(to, headers=headers, autoping=False, max_msg_size=0) as far:
        await near.prepare(request)
        ways = [asyncio.create_task(_carried(near, far)), asyncio.create_task(_carried(far, near))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    await near.close()
    return near


WebSocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _carried(said: WebSocket, to: WebSocket) -> None:
    async for message in said:
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await to.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await to.send_bytes(message.data)
            case aiohttp.WSMsgType.PING:
                await to.ping(message.data)
            case aiohttp.WSMsgType.PONG:
                await to.pong(message.data)


def _message(answer: sip.SIPParticipantInfo | sip.SIPTransferInfo) -> web.Response:
    return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")


@asynccontextmanager
async def phone_network(server: LocalLiveKit) -> AsyncIterator[PhoneNetwork]:
    """In front of the server, on loopback, until the block ends."""
    network = PhoneNetwork(server)
    app = web.Application()
    app.router.add_post("/twirp/livekit.SIP/CreateSIPParticipant", network.ring)
    app.router.add_post("/twirp/livekit.SIP/TransferSIPParticipant", network.move)
    app.router.add_route("*", "/{path:.*}", network.pass_on)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    network.url = "ws://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield network
    finally:
        await runner.cleanup()
