"""Carries the voices between two rooms, for as long as both people are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from voice.presence import Ending, Presence

RATE = 24000  #: samples a second, both ways
TRACK = "bridge"
#: Pieces of 10 ms that wait to be carried, and seconds that wait to be heard: after a stall, what is older is left out,
#: or the two would talk over each other for the rest of their talk.
WAITING_PIECES, LATE_SECONDS = 20, 0.3
Side = tuple[rtc.Room, str]  #: a room, and who is in it


class Bridge:
    """Two people in two rooms who hear each other. Made by `bridged`."""

    def __init__(self, sides: tuple[Side, Side], blip: float) -> None:
        self._sides = sides
        self._blip = blip
        self._ways: tuple[_Way, ...] = ()
        self._left = asyncio.Event()

    async def open(self) -> None:
        one, other = self._sides
        for said_by, heard_in in ((one, other[0]), (other, one[0])):
            said_by[0].on("disconnected", self._is_over)
            source = await _published(heard_in)
            self._ways += (_Way(said_by, source, self._blip, self._is_over),)

    async def over(self) -> None:
        """Wait until one of the two has left for good, then stop. The rooms stay whose they were."""
        await self._left.wait()
        for room, _ in self._sides:
            room.off("disconnected", self._is_over)
        for way in self._ways:
            await way.close()

    def _is_over(self, _: object) -> None:
        self._left.set()


class _Way:
    """What one person says, carried to where the other hears it; through their blips, too."""

    def __init__(
        self, side: Side, source: rtc.AudioSource, blip: float, gone: Callable[[Ending], None]
    ) -> None:
        self._side = side
        self._source = source
        self._carrying = asyncio.create_task(_carried(side, source), name=TRACK)
        room, identity = side
        self._person = Presence(room, identity, blip=blip, gone=gone, back=self._begin_again)

    async def close(self) -> None:
        self._person.close()
        self._carrying.cancel()
        await asyncio.wait({self._carrying})
        await self._source.aclose()

    def _begin_again(self) -> None:
        """LiveKit knows whoever is back as another participant."""
        before = self._carrying
        before.cancel()
        self._carrying = asyncio.create_task(self._carried_after(before), name=TRACK)

    async def _carried_after(self, before: asyncio.Task[None]) -> None:
        await asyncio.wait({before})
        await _carried(self._side, self._source)


async def bridged(one: Side, other: Side, blip: float) -> Bridge:
    """Each of the two hears the other from now on.

    Args:
        blip: seconds somebody is waited for whose network went away.
    """
    bridge = Bridge((one, other), blip)
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
    person = room.remote_participants.get(identity)
    if person is None:
        return  # away: it begins when they are back
    stream = rtc.AudioStream.from_participant(
        participant=person,
        track_source=rtc.TrackSource.SOURCE_MICROPHONE,
        sample_rate=RATE,
        num_channels=1,
        capacity=WAITING_PIECES,
    )
    try:
        async for event in stream:
            if source.queued_duration > LATE_SECONDS:
                source.clear_queue()
            await source.capture_frame(event.frame)
    finally:
        await stream.aclose()
