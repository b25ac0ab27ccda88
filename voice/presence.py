"""One person in and out of a room: away for a moment, or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

import structlog
from livekit import rtc

from voice.timers import Later, Timer

log = structlog.get_logger(__name__)

Ending = Literal[
    "hung_up",  # they put the phone down
    "dropped",  # the line went dead
]

#: They left on purpose; or their client did, to connect afresh after a change of network, and comes at once.
LEFT = {rtc.DisconnectReason.CLIENT_INITIATED}
RECONNECT_SECONDS = 2.0
#: Seconds after which somebody who is back is taken to hear. LiveKit says so within one, on a good network.
HEARS_WITHIN = 3.0
#: They put the phone down, or we took the room away.
PUT_DOWN = {
    rtc.DisconnectReason.ROOM_DELETED,
    rtc.DisconnectReason.USER_REJECTED,
}
#: Nobody comes back from these: the phone network ended the call, or they were thrown out.
DEAD = {
    rtc.DisconnectReason.MEDIA_FAILURE,
    rtc.DisconnectReason.PARTICIPANT_REMOVED,
    rtc.DisconnectReason.ROOM_CLOSED,
    rtc.DisconnectReason.SIP_TRUNK_FAILURE,
    rtc.DisconnectReason.USER_UNAVAILABLE,
}


class Presence:
    """Follows one person until they are gone. LiveKit tells of every leaving, for a moment or for good."""

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        *,
        blip: float,
        gone: Callable[[Ending], None],
        back: Callable[[], None],
        later: Later | None = None,
    ) -> None:
        """
        Args:
            identity: the participant's.
            blip: seconds somebody is waited for whose network went away.
            gone: they will not come back. Called once, and nothing after it.
            back: they are here again, whose network was away, and hear.
            later: default: the running event loop's timer.
        """
        self._room = room
        self._identity = identity
        self._blip = blip
        self._gone = gone
        self._back = back
        self._later: Later = later or asyncio.get_running_loop().call_later
        self._timer: Timer | None = None  #: while they are away
        self._deaf: Timer | None = None  #: while they are back, and their media are not
        self._settled = asyncio.Event()  #: here, or gone
        self._followed = True
        room.on("participant_disconnected", self._left)
        room.on("participant_connected", self._joined)
        room.on("participant_active", self._hears)
        if self._here:
            self._settled.set()
        else:
            self._wait(blip, "dropped")  # they were gone before anybody looked

    async def settled(self) -> None:
        """Wait while they are away: until they are back and hear, or gone."""
        await self._settled.wait()

    def close(self) -> None:
        """Follow them no more."""
        if not self._followed:
            return
        self._followed = False
        self._stop_waiting()
        self._settled.set()
        self._room.off("participant_disconnected", self._left)
        self._room.off("participant_connected", self._joined)
        self._room.off("participant_active", self._hears)

    @property
    def _here(self) -> bool:
        return self._identity in self._room.remote_participants

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._identity or self._here:
            return  # somebody else; or the same one is here again already
        reason = participant.disconnect_reason
        if reason in PUT_DOWN:
            self._is_gone("hung_up")
        elif reason in DEAD:
            self._is_gone("dropped")
        elif reason in LEFT:
            self._wait(RECONNECT_SECONDS, "hung_up")
        else:
            self._wait(self._blip, "dropped")

    def _joined(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity and self._timer is not None:
            self._stop_waiting()
            log.info("participant.back")
            self._deaf = self._later(HEARS_WITHIN, self._is_back)
            if participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE:
                self._is_back()

    def _hears(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity and self._deaf is not None:
            self._is_back()

    def _is_back(self) -> None:
        self._stop_waiting()
        self._settled.set()
        self._back()

    def _wait(self, seconds: float, ending: Ending) -> None:
        if self._timer is not None:
            return
        self._stop_waiting()
        self._settled.clear()
        self._timer = self._later(seconds, lambda: self._is_gone(ending))
        log.info("participant.away", seconds=seconds)

    def _stop_waiting(self) -> None:
        for timer in (self._timer, self._deaf):
            if timer is not None:
                timer.cancel()
        self._timer = self._deaf = None

    def _is_gone(self, ending: Ending) -> None:
        self.close()
        self._gone(ending)
