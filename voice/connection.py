"""What it means for the call that a caller leaves: a blip of the network, a dead line, or the phone put down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from livekit import rtc

from voice.presence import Ending, Presence
from voice.timers import Later

log = structlog.get_logger(__name__)


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
        self._call = call
        self._back = back
        self._leaving: asyncio.Task[Ending] | None = None
        self._over = asyncio.Event()
        self._put_through = False
        self._missed: Ending | None = None  #: left while they were put through
        room.on("disconnected", self._we_left)
        self._caller = Presence(
            room, caller, blip=blip, gone=self._left, back=self._came_back, later=later
        )

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
            if through:
                self._end("hung_up")
            elif self._missed is not None:
                self._end(self._missed)
        return through

    async def still_there(self) -> bool:
        """Wait while the caller is away for a moment. If they are gone, the end is on its way."""
        await self._caller.settled()
        return self._leaving is None

    async def close(self) -> None:
        """The job ends. Whoever is still on the line has a call to be resumed."""
        self._end("dropped")
        await self.over()

    def _left(self, ending: Ending) -> None:
        if self._put_through:
            self._missed = ending
        else:
            self._end(ending)

    def _came_back(self) -> None:
        if not self._put_through:
            self._back()

    def _we_left(self, reason: rtc.DisconnectReason.ValueType) -> None:
        """Nothing reaches the caller any more."""
        deleted = reason == rtc.DisconnectReason.ROOM_DELETED
        self._end("hung_up" if deleted else "dropped")

    def _end(self, ending: Ending) -> None:
        if self._leaving is not None:
            return
        self._caller.close()
        self._room.off("disconnected", self._we_left)
        log.info("caller.left", ending=ending)
        self._leaving = asyncio.create_task(self._put_on_record(ending), name="leaving")
        self._over.set()

    async def _put_on_record(self, ending: Ending) -> Ending:
        await (self._call.hang_up() if ending == "hung_up" else self._call.drop())
        return ending
