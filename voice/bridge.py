"""Carries the voices between two rooms, for as long as both people are there."""

from __future__ import annotations

import asyncio

from livekit import rtc

RATE = 24000  #: samples a second, both ways
TRACK = "bridge"
Side = tuple[rtc.Room, str]  #: a room, and who is in it


class Bridge:
    """Two people in two rooms who hear each other. Made by `bridged`."""

    def __init__(self, sides: tuple[Side, Side]) -> None:
        self._sides = sides
        self._left = asyncio.Event()
        self._ways: tuple[asyncio.Task[None], ...] = ()

    async def open(self) -> None:
        for room, _ in self._sides:
            room.on("participant_disconnected", self._somebody_left)
            room.on("disconnected", self._left.set)
        one, other = self._sides
        ways = [(one, await _published(other[0])), (other, await _published(one[0]))]
        self._ways = tuple(
            asyncio.create_task(_carried(side, source), name=TRACK) for side, source in ways
        )
        if any(identity not in room.remote_participants for room, identity in self._sides):
            self._left.set()

    async def over(self) -> None:
        """Wait until one of the two has left, then stop. The rooms stay whose they were."""
        await self._left.wait()
        for room, _ in self._sides:
            room.off("participant_disconnected", self._somebody_left)
            room.off("disconnected", self._left.set)
        for way in self._ways:
            way.cancel()
        await asyncio.wait(self._ways)

    def _somebody_left(self, participant: rtc.RemoteParticipant) -> None:
        if any(participant.identity == identity for _, identity in self._sides):
            self._left.set()


async def bridged(one: Side, other: Side) -> Bridge:
    """Each of the two hears the other from now on."""
    bridge = Bridge((one, other))
    await bridge.open()
    return bridge


async def _published(room: rtc.Room) -> rtc.AudioSource:
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track(TRACK, source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    return source


async def _carried(side: Side, source: rtc.AudioSource) -> None:
    room, identity = side
    stream = rtc.AudioStream.from_participant(
        participant=room.remote_participants[identity],
        track_source=rtc.TrackSource.SOURCE_MICROPHONE,
        sample_rate=RATE,
        num_channels=1,
    )
    try:
        async for event in stream:
            await source.capture_frame(event.frame)
    finally:
        await stream.aclose()
        await source.aclose()
