"""Puts callers through to rooms: by phone, as LiveKit's SIP bridge does, by browser, or as anybody."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

from livekit.api import AccessToken, RoomAgentDispatch, RoomConfiguration, VideoGrants

from graph.state import Lang
from settings import LiveKitSettings
from tests.acceptance.caller import Announce, Caller
from tests.acceptance.clips import Clips
from tests.acceptance.process import CallerProcess, caller_process
from voice.local_server import LocalLiveKit
from voice.tokens import caller_token

TRUNK = "+15035550100"  #: the line's own number
LIFETIME = timedelta(minutes=10)


@dataclass
class Exchange:
    """The callers of one test."""

    server: LocalLiveKit
    clips: Clips
    folder: Path  #: for their logs
    announce: Announce
    agent_name: str = "holdfast"
    blip: float = 20.0  #: as `settings.voice.blip`
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @asynccontextmanager
    async def process(self) -> AsyncIterator[CallerProcess]:
        """For several callers of different rooms in one process, which is cheaper."""
        async with caller_process(self.folder / f"callers-{next(self._numbers)}.log") as process:
            yield process

    @asynccontextmanager
    async def caller(
        self, token: str, *, language: Lang = "en", process: CallerProcess | None = None
    ) -> AsyncIterator[Caller]:
        """In the room of the token until the block ends; a failure inside it tells the story of the call."""
        async with AsyncExitStack() as stack:
            if process is None:
                process = await stack.enter_async_context(self.process())
            call = f"call-{next(self._numbers)}"
            caller = Caller(process, call, self.clips, self.announce, language)
            await caller.joins(self.server.url, token)
            try:
                yield caller
            except Exception as error:
                error.add_note(caller.story())
                raise
            finally:
                await caller.is_gone()

    def guest(
        self,
        room: str,
        identity: str,
        kind: Literal["standard", "sip"] = "standard",
        **attributes: str,
    ) -> str:
        """A token for a room that no agent is called to."""
        return self._token(room, identity).with_kind(kind).with_attributes(attributes).to_jwt()

    def phone(
        self, number: str, *, room: str, identity: str, dispatch: bool = True, **more: str
    ) -> str:
        """A token as LiveKit's SIP bridge has one: kind SIP, number and call id as attributes."""
        attributes = {
            "sip.phoneNumber": number,
            "sip.callID": f"SCL_{uuid4().hex[:12]}",
            "sip.callIDFull": f"{uuid4()}@127.0.0.1",
            "sip.callStatus": "active",
            "sip.trunkPhoneNumber": TRUNK,
            "sip.trunkID": "ST_tests",
            "sip.ruleID": "SDR_tests",
            **{f"sip.{name}": value for name, value in more.items()},
        }
        token = self._token(room, identity).with_kind("sip").with_attributes(attributes)
        return (token.with_room_config(self._configuration()) if dispatch else token).to_jwt()

    def browser(self, number: str | None, *, room: str, identity: str, language: Lang) -> str:
        """A token as the page gets one."""
        livekit = LiveKitSettings.model_validate(
            {
                "url": self.server.url,
                "api_key": self.server.api_key,
                "api_secret": self.server.api_secret,
            }
        )
        return caller_token(
            livekit,
            room,
            identity,
            language,
            number,
            agent_name=self.agent_name,
            blip=self.blip,
        )

    def _token(self, room: str, identity: str) -> AccessToken:
        token = AccessToken(self.server.api_key, self.server.api_secret)
        grants = VideoGrants(room_join=True, room=room)
        return token.with_identity(identity).with_ttl(LIFETIME).with_grants(grants)

    def _configuration(self) -> RoomConfiguration:
        return RoomConfiguration(
            agents=[RoomAgentDispatch(agent_name=self.agent_name)],
            departure_timeout=int(self.blip) + 10,
        )
