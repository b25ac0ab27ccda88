"""What it means that a caller leaves: a blip of the network, a dead line, or the phone put down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import structlog
from livekit import rtc

from voice.timers import Later, Timer

log = structlog.get_logger(__name__)

Ending = Literal[
    "hung_up",  # the caller put the phone down, or was put through
    "dropped",  # the line went dead
]

#: They left on purpose; or their client did, to connect afresh after a change of network, and comes at once.
LEFT = {rtc.DisconnectReason.CLIENT_INITIATED}
RECONNECT_SECONDS = 2.0
#: Seconds after which a caller who is back is taken to hear. LiveKit says so within one, on a good network.
HEARS_WITHIN = 3.0
#: They put the phone down, or we took the room away.
PUT_DOWN = {
    rtc.DisconnectReason.ROOM_DELETED,
    rtc.DisconnectReason.USER_REJECTED,
}
#: Nobody comes back from these: the phone network ended the call, or the caller was thrown out.
DEAD = {
    rtc.DisconnectReason.MEDIA_FAILURE,
    rtc.DisconnectReason.PARTICIPANT_REMOVED,
    rtc.DisconnectReason.ROOM_CLOSED,
    rtc.DisconnectReason.SIP_TRUNK_FAILURE,
    rtc.DisconnectReason.USER_UNAVAILABLE,
}


class Leavable(Protocol):
    """A call as its end sees it: conversation.Conversation."""

    async def hang_up(self) -> bool: ...

    async def drop(self) -> bool: ...


class Connection:
    """Follows one caller in and out of the room, and ends the call once, in one way.

    LiveKit's RoomIO takes the same identity up again by itself; it must not close the session when somebody leaves
    (`close_on_disconnect=False`).
    """

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        call: Leavable,
        *,
        blip: float,
        later: Later | None = None,
        back: Callable[[], None],
    ) -> None:
        """
        Args:
            caller: identity of the participant.
            blip: seconds a caller is waited for whose network went away.
            later: default: the running event loop's timer.
            back: the caller is here again, whose network was away, and hears.
        """
        self._room = room
        self._caller = caller
        self._call = call
        self._blip = blip
        self._later: Later = later or asyncio.get_running_loop().call_later
        self._back = back
        self._timer: Timer | None = None  #: while they are away
        self._deaf: Timer | None = None  #: while they are back, and their media are not
        self._leaving: asyncio.Task[Ending] | None = None
        self._over = asyncio.Event()
        self._put_through = False
        self._missed: rtc.RemoteParticipant | None = None  # left while they were put through
        room.on("participant_disconnected", self._left)
        room.on("participant_connected", self._joined)
        room.on("participant_active", self._hears)
        room.on("disconnected", self._we_left)
        if caller not in room.remote_participants:
            self._wait(blip, "dropped")  # they were gone before anybody looked

    async def over(self) -> Ending:
        """Wait for the end, and until it is on record as far as that is possible."""
        await self._over.wait()
        assert self._leaving is not None
        return await asyncio.shield(self._leaving)

    def hang_up(self) -> None:
        """The call ends here: a goodbye was said, or the caller is with a colleague."""
        self._end("hung_up")

    async def during(self, transfer: Awaitable[bool]) -> bool:
        """Wait for a transfer. A caller who leaves meanwhile has left for the colleague, if it comes to be.

        Returns:
            whether they are with the colleague. If not, and they are still there, the call goes on.
        """
        self._put_through, through = True, False
        try:
            through = await transfer
        finally:
            self._put_through = False
            missed, self._missed = self._missed, None
            if through:
                self._end("hung_up")
            elif missed is not None:
                self._left(missed)
        return through

    async def close(self) -> None:
        """The job ends. Whoever is still on the line has a call to be resumed."""
        self._end("dropped")
        await self.over()

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or self._caller in self._room.remote_participants:
            return  # somebody else; or the same one is here again already
        if self._put_through:
            self._missed = participant
            return
        reason = participant.disconnect_reason
        if reason in PUT_DOWN:
            self._end("hung_up")
        elif reason in DEAD:
            self._end("dropped")
        elif reason in LEFT:
            self._wait(RECONNECT_SECONDS, "hung_up")
        else:
            self._wait(self._blip, "dropped")

    def _joined(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._caller and self._timer is not None:
            self._stop_waiting()
            log.info("caller.back")
            self._deaf = self._later(HEARS_WITHIN, self._is_back)
            if participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE:
                self._is_back()

    def _hears(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._caller and self._deaf is not None:
            self._is_back()

    def _is_back(self) -> None:
        self._stop_waiting()
        self._back()

    def _we_left(self, reason: rtc.DisconnectReason.ValueType) -> None:
        """Nothing reaches the caller any more."""
        deleted = reason == rtc.DisconnectReason.ROOM_DELETED
        self._end("hung_up" if deleted else "dropped")

    def _wait(self, seconds: float, ending: Ending) -> None:
        if self._leaving is not None or self._timer is not None:
            return
        self._stop_waiting()
        self._timer = self._later(seconds, lambda: self._end(ending))
        log.info("caller.away", seconds=seconds)

    def _stop_waiting(self) -> None:
        for timer in (self._timer, self._deaf):
            if timer is not None:
                timer.cancel()
        self._timer = self._deaf = None

    def _end(self, ending: Ending) -> None:
        if self._leaving is not None:
            return
        self._stop_waiting()
        self._room.off("participant_disconnected", self._left)
        self._room.off("participant_connected", self._joined)
        self._room.off("participant_active", self._hears)
        self._room.off("disconnected", self._we_left)
        log.info("caller.left", ending=ending)
        self._leaving = asyncio.create_task(self._put_on_record(ending), name="leaving")
        self._over.set()

    async def _put_on_record(self, ending: Ending) -> Ending:
        await (self._call.hang_up() if ending == "hung_up" else self._call.drop())
        return ending
