"""LiveKit's webhooks, checked: what they say is only a reason to look now."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import jwt
from aiohttp import web
from google.protobuf.json_format import ParseError
from livekit import api

from settings import LiveKitSettings

PATH = "/livekit"
LARGEST = 256 * 1024  #: bytes
WORTH_A_LOOK = {"participant_joined", "participant_left", "participant_connection_aborted"}


class Webhooks:
    """Calls back when somebody came or left."""

    def __init__(self, livekit: LiveKitSettings, look: Callable[[], None]) -> None:
        self._tokens = api.TokenVerifier(livekit.api_key, livekit.api_secret.get_secret_value())
        self._receiver = api.WebhookReceiver(self._tokens)
        self._look = look

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post(PATH, self._received)
        return app

    async def _received(self, request: web.Request) -> web.Response:
        try:
            body = await request.text()
            token = request.headers.get("Authorization", "")
            if not self._is_signed(body, token):
                raise web.HTTPUnauthorized
            event = self._receiver.receive(body, token)
        except (ParseError, UnicodeDecodeError):
            raise web.HTTPBadRequest from None
        if event.event in WORTH_A_LOOK:
            self._look()
        return web.Response()

    def _is_signed(self, body: str, token: str) -> bool:
        """Looked at before the receiver does, which says what is wrong by a bare Exception."""
        try:
            claimed = base64.b64decode(self._tokens.verify(token).sha256 or "", validate=True)
        except (jwt.PyJWTError, binascii.Error, ValueError):
            return False
        return hmac.compare_digest(claimed, hashlib.sha256(body.encode()).digest())


@asynccontextmanager
async def listening(webhooks: Webhooks, host: str, port: int) -> AsyncIterator[int]:
    """The port that LiveKit can call."""
    runner = web.AppRunner(webhooks.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
