"""One call in a caller process: joins a room, speaks, presses keys, types, and tells what it hears and sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import numpy as np
from livekit import rtc

from tests.acceptance.ear import Ear
from tests.acceptance.mic import Mic, read_wav

KEYS = {**{str(digit): digit for digit in range(10)}, "*": 10, "#": 11}
BETWEEN_KEYS = 0.12  # seconds, as fingers do
CHANNEL_OPENS = 1.0  # seconds after meeting somebody; data sent before may be lost
TRANSCRIPTION, CHAT = "lk.transcription", "lk.chat"
SEGMENT, FINAL = "lk.segment_id", "lk.transcription_final"
SCENARIOS = {
    "signal": rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT,
    "full": rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT,
}

Tell = Callable[..., None]


class Phone:
    """A call from joining to leaving."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._room = rtc.Room()
        self._ear = Ear(self._see_edge)
        self._mic = Mic(tell)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: dict[str, asyncio.Task[None]] = {}  #: by the track
        self._met = asyncio.Event()  #: somebody whose data channel is open
        self._spoke_until = 0.0
        self._sounds: list[float] = []  #: when something began to be heard
        self._sound = asyncio.Event()

    async def join(self, url: str, token: str) -> dict[str, str | float]:
        """Into the room, with an open microphone."""
        began = asyncio.get_running_loop().time()
        self._follow()
        await self._room.connect(url, token)
        track = rtc.LocalAudioTrack.create_audio_track("mic", self._mic.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)
        self._start(self._mic.run())
        for participant in self._room.remote_participants.values():
            self._meet(participant)
        identity = self._room.local_participant.identity
        return {"identity": identity, "room": self._room.name, "began": began}

    async def say(self, path: str) -> dict[str, float]:
        """To the end of the clip."""
        return await self._speak(read_wav(Path(path)))

    async def cut_in(self, path: str, after: float) -> dict[str, float]:
        """Say it so many seconds into the first thing that is heard after our own last words."""
        samples = read_wav(Path(path))
        while not (sounds := [at for at in self._sounds if at > self._spoke_until]):
            self._sound.clear()
            await self._sound.wait()
        await asyncio.sleep(sounds[0] + after - asyncio.get_running_loop().time())
        spoken = await self._speak(samples)
        return {**spoken, "into": spoken["began"] - sounds[0]}

    async def _speak(self, samples: np.ndarray) -> dict[str, float]:
        clip = await self._mic.speak(samples)
        self._spoke_until = clip.ended
        return {"began": clip.began, "ended": clip.ended}

    async def hush(self) -> None:
        self._mic.hush()

    async def surround(self, path: str | None) -> None:
        """With the noise of a place, from now on."""
        self._mic.background(read_wav(Path(path)) if path else None)

    async def press(self, keys: str) -> None:
        await self._met.wait()
        for key in keys:
            await self._room.local_participant.publish_dtmf(code=KEYS[key], digit=key)
            await asyncio.sleep(BETWEEN_KEYS)

    async def type(self, text: str) -> None:
        await self._met.wait()
        await self._room.local_participant.send_text(text, topic=CHAT)

    async def reconnect(self, how: str) -> None:
        """As after a network change: the signalling again, or everything."""
        await self._room.simulate_scenario(SCENARIOS[how])

    async def save(self, path: str) -> dict[str, float]:
        return {"began": self._ear.save(Path(path))}

    async def leave(self) -> None:
        """As by a hang-up button."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._tell("failed", error=repr(task.exception()))

    def _follow(self) -> None:
        room = self._room
        room.on("participant_connected", self._meet)
        room.on("participant_disconnected", self._miss)
        room.on("participant_attributes_changed", self._see_change)
        room.on("track_subscribed", self._hear)
        room.on("track_unsubscribed", self._hear_no_more)
        room.on("sip_dtmf_received", self._see_key)
        room.on("reconnecting", lambda: self._tell("reconnecting"))
        room.on("reconnected", lambda: self._tell("reconnected"))
        room.on("disconnected", lambda why: self._tell("disconnected", why=_reason(why)))
        room.register_text_stream_handler(TRANSCRIPTION, self._open_caption)
        room.register_text_stream_handler(CHAT, self._open_chat)

    def _meet(self, who: rtc.RemoteParticipant) -> None:
        kind = rtc.ParticipantKind.Name(who.kind).removeprefix("PARTICIPANT_KIND_")
        self._tell("met", who=who.identity, kind=kind, attributes=dict(who.attributes))
        asyncio.get_running_loop().call_later(CHANNEL_OPENS, self._met.set)

    def _miss(self, who: rtc.RemoteParticipant) -> None:
        self._tell("missed", who=who.identity, why=_reason(who.disconnect_reason))

    def _see_change(self, changed: dict[str, str], who: rtc.Participant) -> None:
        self._tell("changed", who=who.identity, attributes=changed)

    def _see_key(self, key: rtc.SipDTMF) -> None:
        who = key.participant.identity if key.participant else None
        self._tell("key", who=who, digit=key.digit, code=key.code)

    def _see_edge(self, what: str, at: float, who: str) -> None:
        self._tell(what, at=at, who=who)
        if what == "heard_start":
            self._sounds.append(at)
            self._sound.set()

    def _hear(
        self, track: rtc.Track, _: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._tell("track", who=who.identity)
            self._listening[track.sid] = self._start(self._ear.listen(track, who.identity))

    def _hear_no_more(
        self, track: rtc.Track, _: rtc.RemoteTrackPublication, __: rtc.RemoteParticipant
    ) -> None:
        """WebRTC plays the next track of the same name through this one's stream, too."""
        if track.sid in self._listening:
            self._listening.pop(track.sid).cancel()

    def _open_caption(self, reader: rtc.TextStreamReader, who: str) -> None:
        self._met.set()
        self._start(self._read_caption(reader, who))

    async def _read_caption(self, reader: rtc.TextStreamReader, who: str) -> None:
        """The line's words come one by one in one stream; the caller's anew, whole, with every correction."""
        text = ""
        segment = (reader.info.attributes or {}).get(SEGMENT, reader.info.stream_id)
        async for part in reader:
            text += part
            self._tell("caption", who=who, segment=segment, text=text, final=False)
        final = (reader.info.attributes or {}).get(FINAL) == "true"
        self._tell("caption", who=who, segment=segment, text=text, final=final)

    def _open_chat(self, reader: rtc.TextStreamReader, who: str) -> None:
        self._start(self._read_chat(reader, who))

    async def _read_chat(self, reader: rtc.TextStreamReader, who: str) -> None:
        self._tell("chat", who=who, text=await reader.read_all())


def _reason(why: rtc.DisconnectReason.ValueType | None) -> str | None:
    return None if why is None else rtc.DisconnectReason.Name(why)
