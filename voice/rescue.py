"""A caller whose worker died gets another one: looks at the rooms, and asks LiveKit for an agent where one is missing.

LiveKit tells of a killed agent only after 21 s (measured, v1.13.5), and then starts no other. The register of calls
knows sooner: at once that the process is gone which held the call, after a few seconds if it was another host's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

import aiohttp
import structlog
from livekit import api
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import ParticipantInfo, Room
from pydantic import BaseModel, ConfigDict, ValidationError

from checkpoints.calls import LEASE, CallRecord
from checkpoints.errors import StorageError
from voice.transfer import COLLEAGUE, ROLE

log = structlog.get_logger(__name__)

EVERY = 2.0  #: seconds between two looks
COMING = timedelta(seconds=5)  #: a caller who just came has an agent on its way
UNTAKEN = timedelta(seconds=3)  #: workers say yes within one, or there is none that can
STARTING = timedelta(seconds=12)  #: a worker that said yes may have to start a process
FORGOTTEN = timedelta(seconds=10)  #: alone after the goodbye: whoever was to hang up is gone
ENOUGH = 4  #: workers that took a call and died of it

CallSeen = Literal[
    "unknown",  # nobody answered in this room yet
    "held",  # by a worker that lives
    "dead",  # the process that held it is gone
    "lapsed",  # its lease ran out
    "left",  # interrupted: its worker is leaving, or was
    "over",
]
#: How long a room must look so. With an agent in it: it may be saying goodbye, or may be back in a moment.
WITH_AGENT: dict[CallSeen, timedelta] = {
    "dead": timedelta(),
    "lapsed": timedelta(),
    "left": timedelta(seconds=15),
}
ALONE: dict[CallSeen, timedelta] = {
    "unknown": timedelta(),
    "held": timedelta(seconds=5),
    "dead": timedelta(),
    "lapsed": timedelta(),
    "left": timedelta(seconds=1),
}


class InRoom(BaseModel):
    """What a room's metadata says: which call is spoken in it."""

    model_config = ConfigDict(frozen=True)

    call: UUID


class Rescued(BaseModel):
    """What a dispatch's metadata says: which call to take up, and from whom."""

    model_config = ConfigDict(frozen=True)

    call: UUID
    lease: int  #: the counter of the lease that was lost
    stayed: str | None = (
        None  #: the one caller who was there at the last turn, by LiveKit's id of their joining
    )


@dataclass(frozen=True)
class RoomSeen:
    """A room as far as a rescue is concerned."""

    name: str
    since: datetime  #: how long agents and call have been so
    caller_since: datetime | None = None  #: None: no caller in it
    callers: int = 1  #: more than one talk with each other
    agents: tuple[str, ...] = ()
    colleague: bool = False
    call: CallSeen = "unknown"
    lost: Rescued | None = None  #: the call and the lease that it is known by
    asked_at: datetime | None = None  #: when an agent was last asked for, by anybody
    taken: bool = False  #: and did a worker say yes?


def whom_to_rescue(rooms: tuple[RoomSeen, ...], now: datetime) -> tuple[RoomSeen, ...]:
    """Rooms in which a caller waits for nobody."""
    return tuple(room for room in rooms if _waits_for_nobody(room, now))


def whom_to_hang_up_on(rooms: tuple[RoomSeen, ...], now: datetime) -> tuple[RoomSeen, ...]:
    """Rooms in which a caller sits alone and in silence after the end of their call."""
    return tuple(
        room
        for room in rooms
        if room.call == "over"
        and not (room.agents or room.colleague)
        and room.caller_since is not None
        and room.callers == 1
        and now - max(room.since, room.caller_since) >= FORGOTTEN
    )


def _waits_for_nobody(room: RoomSeen, now: datetime) -> bool:
    patience = (WITH_AGENT if room.agents else ALONE).get(room.call)
    if room.caller_since is None or room.colleague or patience is None:
        return False
    if room.call == "unknown" and now - room.caller_since < COMING:
        return False
    if room.asked_at is not None and now - room.asked_at < (STARTING if room.taken else UNTAKEN):
        return False
    return now - room.since >= patience


class Calls(Protocol):
    """The register, as far as it is needed here: checkpoints.calls.CallRegister."""

    async def find(self, call_id: UUID) -> CallRecord | None: ...

    async def mark_gone(self) -> None: ...


async def known_as(livekit: api.LiveKitAPI, room: str, call_id: UUID) -> None:
    """Write on the room which call is spoken in it. The worker does, once it has answered."""
    metadata = InRoom(call=call_id).model_dump_json()
    await livekit.room.update_room_metadata(
        api.UpdateRoomMetadataRequest(room=room, metadata=metadata)
    )


def call_to_take_up(job_metadata: str) -> Rescued | None:
    """The call whose worker died, when that is why this job was asked for."""
    try:
        return Rescued.model_validate_json(job_metadata)
    except ValidationError:
        return None


class Rescue:
    """Looks at all rooms, again and again. Any number may run side by side: each caller gets one worker."""

    def __init__(
        self,
        livekit: api.LiveKitAPI,
        calls: Calls,
        sole: Callable[[str], AbstractAsyncContextManager[bool]],
        *,
        agent_name: str,
        clock: Callable[[], datetime],
    ) -> None:
        """
        Args:
            sole: a block that only one rescue is in at a time, by name; see checkpoints.locks.
            agent_name: which rooms are ours, and what is asked for.
        """
        self._livekit = livekit
        self._calls = calls
        self._sole = sole
        self._agent_name = agent_name
        self._clock = clock
        self._before: dict[str, RoomSeen] = {}
        self._reads_since: datetime | None = None  #: the register answers, without a gap
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something happened: look now."""
        self._woken.set()

    async def run(self, every: float = EVERY) -> None:
        """Until cancelled. What can't be reached is tried again."""
        while True:
            try:
                await self.look()
            except (api.ServerError, aiohttp.ClientError, TimeoutError):
                log.warning("rescue.livekit_away")
            except StorageError:
                log.warning("rescue.database_away")
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._woken.wait()
            self._woken.clear()

    async def look(self) -> tuple[str, ...]:
        """Look once; the rooms that an agent was asked for.

        Raises:
            api.ServerError, aiohttp.ClientError, TimeoutError: LiveKit can't be asked.
            StorageError: the database went away in the middle of it.
        """
        with suppress(StorageError):  # each room shows by itself what is known of its call
            await self._calls.mark_gone()
        listed = await self._livekit.room.list_rooms(api.ListRoomsRequest())
        seen = await asyncio.gather(*(self._seen(room) for room in listed.rooms))
        self._before = {room.name: room for room in seen}
        for room in whom_to_hang_up_on(tuple(seen), self._clock()):
            await self._hung_up(room.name)
        waiting = whom_to_rescue(tuple(seen), self._clock())
        return tuple([room.name for room in waiting if await self._rescued(room)])

    # What is seen ------------------------------------------------------------------------------------------------

    async def _seen(self, room: Room) -> RoomSeen:
        request = api.ListParticipantsRequest(room=room.name)
        people = (await self._livekit.room.list_participants(request)).participants
        callers = [one for one in people if _is_caller(one)]
        call, lost = await self._call_in(room, callers)
        seen = RoomSeen(
            name=room.name,
            since=self._clock(),
            caller_since=min(map(_joined_at, callers), default=None),
            callers=len(callers),
            agents=tuple(sorted(one.identity for one in people if _is_agent(one))),
            colleague=any(one.attributes.get(ROLE) == COLLEAGUE for one in people),
            call=call,
            lost=lost,
        )
        before = self._before.get(room.name)
        same = before is not None and (before.agents, before.call) == (seen.agents, seen.call)
        return replace(seen, since=before.since) if before and same else seen

    async def _call_in(
        self, room: Room, callers: list[ParticipantInfo]
    ) -> tuple[CallSeen, Rescued | None]:
        try:
            call_id = InRoom.model_validate_json(room.metadata).call
        except ValidationError:
            return "unknown", None
        try:
            record = await self._calls.find(call_id)
        except StorageError:
            self._reads_since = None
            return "held", None  # as far as we know
        self._reads_since = self._reads_since or self._clock()
        if record is None:
            return "unknown", None
        stayed = [one.sid for one in callers if _joined_at(one) < record.last_turn_at]
        alone = stayed[0] if stayed and len(callers) == 1 else None
        lost = Rescued(call=call_id, lease=record.lease_counter, stayed=alone)
        return self._state_of(record), lost

    def _state_of(self, record: CallRecord) -> CallSeen:
        if record.state in ("closed", "waiting_for_staff"):
            return "over"
        expires, now = record.lease_expires_at, self._clock()
        if record.state == "interrupted" and expires is None:
            return "left" if record.lease_owner is None else "dead"
        return "lapsed" if expires is not None and expires < now and self._can_tell(now) else "held"

    def _can_tell(self, now: datetime) -> bool:
        """Workers can't renew their leases while the database is away; they do so when it is back."""
        return self._reads_since is not None and now - self._reads_since > LEASE / 2

    # What is done ------------------------------------------------------------------------------------------------

    async def _rescued(self, room: RoomSeen) -> bool:
        """Ask for an agent, unless somebody just did."""
        async with self._sole(f"rescue {room.name}") as ours:
            if not ours:
                return False
            dispatches = await self._livekit.agent_dispatch.list_dispatch(room.name)
            if all(one.agent_name != self._agent_name for one in dispatches):
                return False  # somebody else's room
            if not whom_to_rescue((_asked(room, dispatches),), self._clock()):
                return False
            if room.lost and _died_of_it(room.lost, dispatches) >= ENOUGH:
                await self._given_up(room)
                return False
            await self._sent_for(room)
            return True

    async def _sent_for(self, room: RoomSeen) -> None:
        for agent in room.agents:  # whose process is gone, or who must not speak any more
            with suppress(api.ServerError):
                await self._livekit.room.remove_participant(
                    api.RoomParticipantIdentity(room=room.name, identity=agent)
                )
        metadata = room.lost.model_dump_json() if room.lost else ""
        await self._livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=self._agent_name, room=room.name, metadata=metadata
            )
        )
        log.warning("call.rescued", reason=room.call, call_id=_id_in_log(room))

    async def _given_up(self, room: RoomSeen) -> None:
        """No worker survives this call: better a line that goes dead than one that stays silent."""
        log.error("rescue.given_up", call_id=_id_in_log(room))
        await self._hung_up(room.name)

    async def _hung_up(self, room: str) -> None:
        with suppress(api.ServerError):  # it is closed already
            await self._livekit.room.delete_room(api.DeleteRoomRequest(room=room))


def _asked(room: RoomSeen, dispatches: list[AgentDispatch]) -> RoomSeen:
    """With the last time an agent was asked for because of what is wrong now; before anybody answered, any time."""
    asked = [one for one in dispatches if room.lost is None or _is_of(one, room.lost)]
    last = max(asked, key=lambda one: one.state.created_at, default=None)
    if last is None:
        return room
    asked_at = datetime.fromtimestamp(last.state.created_at / 1e9, UTC)
    return replace(room, asked_at=asked_at, taken=bool(last.state.jobs))


def _died_of_it(lost: Rescued, dispatches: list[AgentDispatch]) -> int:
    taken = [call_to_take_up(one.metadata) for one in dispatches if one.state.jobs]
    return sum(one is not None and one.call == lost.call for one in taken)


def _is_of(dispatch: AgentDispatch, lost: Rescued) -> bool:
    """Was it asked for because this lease was lost? Who is in the room may have changed since."""
    one = call_to_take_up(dispatch.metadata)
    return one is not None and (one.call, one.lease) == (lost.call, lost.lease)


def _id_in_log(room: RoomSeen) -> str | None:
    return str(room.lost.call) if room.lost else None


def _is_caller(person: ParticipantInfo) -> bool:
    kinds = (
        ParticipantInfo.Kind.STANDARD,
        ParticipantInfo.Kind.SIP,
        ParticipantInfo.Kind.CONNECTOR,
    )
    here = person.state != ParticipantInfo.State.DISCONNECTED
    return (
        here
        and person.kind in kinds
        and not person.permission.hidden
        and ROLE not in person.attributes
    )


def _is_agent(person: ParticipantInfo) -> bool:
    return person.kind == ParticipantInfo.Kind.AGENT


def _joined_at(person: ParticipantInfo) -> datetime:
    return datetime.fromtimestamp(person.joined_at_ms / 1000 or person.joined_at, UTC)
