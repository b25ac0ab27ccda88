"""The room aside in which a colleague hears who is waiting, before the caller is joined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from weakref import WeakKeyDictionary

from livekit import api, rtc

from settings import LiveKitSettings

RATE = 24000  #: samples a second
VALID = timedelta(minutes=5)  #: how long the token lets us join


class SpokenConsultation:
    """voice.transfer.Consultation: says the brief with the line's own voice."""

    def __init__(
        self, livekit: LiveKitSettings, brief: Callable[[], AsyncIterator[rtc.AudioFrame]]
    ) -> None:
        """
        Args:
            brief: its audio from the beginning, at `RATE`, each time it is called.
        """
        self._livekit = livekit
        self._brief = brief
        self._mouths: WeakKeyDictionary[rtc.Room, rtc.AudioSource] = WeakKeyDictionary()

    async def open(self, name: str) -> rtc.Room:
        """Raises rtc.ConnectError."""
        grants = api.VideoGrants(room_join=True, room=name, can_publish=True, can_subscribe=True)
        token = (
            api.AccessToken(self._livekit.api_key, self._livekit.api_secret.get_secret_value())
            .with_identity("line")
            .with_kind("agent")
            .with_ttl(VALID)
            .with_grants(grants)
        )
        room = rtc.Room()
        await room.connect(self._livekit.url, token.to_jwt())
        return room

    async def tell(self, room: rtc.Room) -> None:
        mouth = self._mouths.get(room) or await self._published(room)
        async for frame in self._brief():
            await mouth.capture_frame(frame)
        await mouth.wait_for_playout()

    async def _published(self, room: rtc.Room) -> rtc.AudioSource:
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("brief", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(track, options)
        self._mouths[room] = source
        return source
