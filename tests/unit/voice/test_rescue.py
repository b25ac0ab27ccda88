"""Which callers wait for nobody, and that each of them gets one worker."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
from livekit import api
from livekit.protocol.agent import Job
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState
from livekit.protocol.models import ParticipantInfo, Room
from pydantic import SecretStr

from checkpoints.calls import LEASE, CallRecord
from checkpoints.errors import StorageDown
from settings import LiveKitSettings
from voice.rescue import (
    COMING,
    ENOUGH,
    FORGOTTEN,
    STARTING,
    UNTAKEN,
    InRoom,
    Rescue,
    Rescued,
    RoomSeen,
    call_to_take_up,
    known_as,
    whom_to_rescue,
)
from voice.webhooks import PATH, Webhooks, listening

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=5)
CALL = uuid4()
OWNER, DEAD_OWNER = "one process", "a process that is gone"
AGENT = "holdfast"


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


# The decision -----------------------------------------------------------------------------------------------

ALONE = RoomSeen("room", since=LONG_AGO, caller_since=LONG_AGO)
ANSWERED = replace(ALONE, lost=Rescued(call=CALL, lease=1), call="dead")
WITH_AGENT = replace(ANSWERED, agents=("agent-1",))


def rescued(room: RoomSeen) -> bool:
    return whom_to_rescue((room,), NOW) == (room,)


def test_caller_whose_worker_is_dead_is_rescued_though_livekit_still_shows_the_agent() -> None:
    assert rescued(WITH_AGENT)
    assert rescued(replace(WITH_AGENT, since=NOW))
    assert rescued(replace(WITH_AGENT, call="lapsed"))


def test_caller_with_a_living_agent_is_left_alone() -> None:
    assert not rescued(replace(WITH_AGENT, call="held"))


def test_caller_to_whom_the_agent_has_not_spoken_yet_is_left_alone() -> None:
    assert not rescued(replace(WITH_AGENT, call="unknown", lost=None))


@pytest.mark.parametrize("agents", [(), ("agent-1",)])
def test_room_of_a_call_that_is_over_is_left_alone(agents: tuple[str, ...]) -> None:
    assert not rescued(replace(ANSWERED, agents=agents, call="over"))


def test_room_without_a_caller_is_left_alone() -> None:
    assert not rescued(replace(ANSWERED, caller_since=None))


def test_caller_who_is_with_a_colleague_is_left_alone() -> None:
    assert not rescued(replace(ANSWERED, colleague=True))


def test_caller_who_just_came_waits_for_the_agent_that_is_on_its_way() -> None:
    new = replace(ALONE, since=NOW)
    assert not rescued(replace(new, caller_since=NOW - COMING + seconds(0.1)))
    assert rescued(replace(new, caller_since=NOW - COMING))


def test_caller_who_is_back_after_a_blip_is_not_taken_for_a_new_one() -> None:
    assert rescued(replace(ANSWERED, caller_since=NOW))


def test_nobody_is_sent_while_somebody_is_on_the_way() -> None:
    assert not rescued(replace(WITH_AGENT, asked_at=NOW - UNTAKEN + seconds(0.1)))
    assert rescued(replace(WITH_AGENT, asked_at=NOW - UNTAKEN))


def test_worker_that_said_yes_has_time_to_start() -> None:
    taken = replace(WITH_AGENT, taken=True)
    assert not rescued(replace(taken, asked_at=NOW - STARTING + seconds(0.1)))
    assert rescued(replace(taken, asked_at=NOW - STARTING))


def test_agent_that_says_goodbye_may_end_its_sentence() -> None:
    leaving = replace(WITH_AGENT, call="left")
    assert not rescued(replace(leaving, since=NOW - seconds(14)))
    assert rescued(replace(leaving, since=NOW - seconds(15)))


def test_agent_that_left_with_the_caller_still_there_is_replaced() -> None:
    left = replace(ANSWERED, call="left")
    assert not rescued(replace(left, since=NOW))
    assert rescued(replace(left, since=NOW - seconds(1)))


def test_agent_whose_own_network_went_away_has_a_moment() -> None:
    held = replace(ANSWERED, call="held")
    assert not rescued(replace(held, since=NOW - seconds(4)))
    assert rescued(replace(held, since=NOW - seconds(5)))


def test_each_room_is_judged_by_itself() -> None:
    rooms = tuple(
        replace(one, name=str(number))
        for number, one in enumerate((ANSWERED, replace(WITH_AGENT, call="held"), WITH_AGENT))
    )
    assert [room.name for room in whom_to_rescue(rooms, NOW)] == ["0", "2"]


# Looking -----------------------------------------------------------------------------------------------------


@dataclass
class FakeLiveKit:
    """The part of LiveKit's API that is used, on rooms that the test fills."""

    now: datetime = NOW
    rooms: dict[str, Room] = field(default_factory=dict)
    people: dict[str, dict[str, ParticipantInfo]] = field(default_factory=dict)
    dispatches: dict[str, list[AgentDispatch]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    workers: bool = True  #: is there one that says yes?

    @property
    def room(self) -> FakeLiveKit:
        return self

    @property
    def agent_dispatch(self) -> FakeLiveKit:
        return self

    def add(self, room: str, *people: ParticipantInfo, call: UUID | None = CALL) -> None:
        metadata = InRoom(call=call).model_dump_json() if call else ""
        self.rooms[room] = Room(name=room, metadata=metadata)
        self.people[room] = {one.identity: one for one in people}
        self.dispatches[room] = [dispatched(LONG_AGO, taken=True)]

    async def list_rooms(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(rooms=list(self.rooms.values()))

    async def list_participants(self, asked: api.ListParticipantsRequest) -> SimpleNamespace:
        return SimpleNamespace(participants=list(self.people[asked.room].values()))

    async def remove_participant(self, asked: api.RoomParticipantIdentity) -> None:
        if self.people[asked.room].pop(asked.identity, None) is None:
            raise api.ServerError("not_found", "no such participant", status=404)

    async def delete_room(self, asked: api.DeleteRoomRequest) -> None:
        self.deleted.append(asked.room)

    async def update_room_metadata(self, asked: api.UpdateRoomMetadataRequest) -> None:
        self.rooms[asked.room].metadata = asked.metadata

    async def list_dispatch(self, room: str) -> list[AgentDispatch]:
        return self.dispatches[room]

    async def create_dispatch(self, asked: api.CreateAgentDispatchRequest) -> None:
        made = dispatched(self.now, metadata=asked.metadata, taken=self.workers)
        made.agent_name = asked.agent_name
        self.dispatches[asked.room].append(made)

    def sent(self, room: str = "room") -> list[UUID | None]:
        """The calls that agents were asked for after the first."""
        lost = [call_to_take_up(one.metadata) for one in self.dispatches[room][1:]]
        return [one.call if one else None for one in lost]


def dispatched(at: datetime, *, metadata: str = "", taken: bool = False) -> AgentDispatch:
    created = int(at.timestamp() * 1e9)
    state = AgentDispatchState(created_at=created, jobs=[Job(id="AJ_1")] if taken else [])
    return AgentDispatch(agent_name=AGENT, metadata=metadata, state=state)


def person(identity: str, kind: str = "STANDARD", since: datetime = LONG_AGO) -> ParticipantInfo:
    return ParticipantInfo(
        identity=identity,
        kind=ParticipantInfo.Kind.Value(kind),
        state=ParticipantInfo.State.ACTIVE,
        joined_at_ms=int(since.timestamp() * 1000),
        sid=f"PA_{identity}",
    )


def record(**changed: object) -> CallRecord:
    return CallRecord.model_validate(
        {
            "call_id": CALL,
            "caller_hash": None,
            "state": "live",
            "language": "en",
            "open_flow": None,
            "asks": None,
            "verified": 0,
            "lease_owner": OWNER,
            "lease_counter": 1,
            "lease_expires_at": NOW + LEASE,
            "started_at": LONG_AGO,
            "last_turn_at": LONG_AGO,
            "interrupted_at": None,
            "ended_at": None,
            "turns": 1,
            "legs": 1,
            "outcome": None,
            "topics": (),
            "satisfaction": None,
            **changed,
        }
    )


@dataclass
class Scene:
    """Rooms, a register, and rescues that look at them."""

    livekit: FakeLiveKit = field(default_factory=FakeLiveKit)
    record: CallRecord | None = field(default_factory=record)
    database_away: bool = False
    locked: set[str] = field(default_factory=set)

    async def find(self, call_id: UUID) -> CallRecord | None:
        if self.database_away:
            raise StorageDown
        return self.record if call_id == CALL else None

    async def mark_gone(self) -> None:
        if self.database_away:
            raise StorageDown
        if self.record is not None and self.record.lease_owner == DEAD_OWNER:
            self.record = self.record.model_copy(
                update={"state": "interrupted", "lease_expires_at": None}
            )

    @asynccontextmanager
    async def sole(self, name: str) -> AsyncIterator[bool]:
        if self.database_away:
            raise StorageDown
        got = name not in self.locked
        self.locked.add(name)
        try:
            yield got
        finally:
            if got:
                self.locked.remove(name)

    def rescue(self) -> Rescue:
        return Rescue(
            self.livekit,  # type: ignore[arg-type]
            self,
            self.sole,
            agent_name=AGENT,
            clock=lambda: self.livekit.now,
        )

    def later(self, by: timedelta) -> None:
        self.livekit.now += by

    def change(self, **changed: object) -> None:
        self.record = record(**changed)


CALLER, AGENT_IN_ROOM = person("caller"), person("agent-1", "AGENT")


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.livekit.add("room", CALLER, AGENT_IN_ROOM)
    return scene


async def test_call_of_a_process_that_is_gone_gets_another_worker_at_once(scene: Scene) -> None:
    scene.change(lease_owner=DEAD_OWNER)
    assert await scene.rescue().look() == ("room",)
    assert scene.livekit.sent() == [CALL]
    assert list(scene.livekit.people["room"]) == ["caller"]  # the dead agent is out of the room


@pytest.mark.parametrize(
    ("joined", "stayed"), [(LONG_AGO, "PA_caller"), (NOW, None)], ids=["before it", "after it"]
)
async def test_worker_is_told_whether_the_caller_was_there_at_the_last_turn(
    scene: Scene, joined: datetime, stayed: str | None
) -> None:
    scene.livekit.add("room", person("caller", since=joined), AGENT_IN_ROOM)
    scene.change(lease_owner=DEAD_OWNER, last_turn_at=NOW - seconds(5))
    await scene.rescue().look()
    (_, asked) = scene.livekit.dispatches["room"]
    lost = call_to_take_up(asked.metadata)
    assert lost is not None
    assert lost.stayed == stayed


async def test_worker_that_is_coming_is_waited_for_when_the_caller_joined_anew(
    scene: Scene,
) -> None:
    scene.change(lease_owner=DEAD_OWNER, last_turn_at=NOW - seconds(5))
    rescue = scene.rescue()
    assert await rescue.look() == ("room",)
    scene.livekit.people["room"] = {"caller": person("caller", since=NOW)}
    scene.later(seconds(2))
    assert await rescue.look() == ()


async def test_call_in_progress_is_left_alone(scene: Scene) -> None:
    rescue = scene.rescue()
    for _ in range(100):
        scene.later(seconds(2))
        scene.change(lease_expires_at=scene.livekit.now + LEASE)
        assert await rescue.look() == ()


async def test_call_that_its_worker_left_by_itself_has_a_moment(scene: Scene) -> None:
    """The worker says goodbye, or the caller's line dropped and they are back."""
    rescue = scene.rescue()
    scene.change(state="interrupted", lease_owner=None, lease_expires_at=None)
    assert await rescue.look() == ()
    scene.later(seconds(15))
    assert await rescue.look() == ("room",)


async def test_second_look_sends_nobody_while_the_first_worker_comes(scene: Scene) -> None:
    scene.change(lease_owner=DEAD_OWNER)
    rescue = scene.rescue()
    await rescue.look()
    for _ in range(5):
        scene.later(seconds(2))
        assert await rescue.look() == ()
    assert scene.livekit.sent() == [CALL]


async def test_two_rescues_send_one_worker(scene: Scene) -> None:
    scene.change(lease_owner=DEAD_OWNER)
    first, second = scene.rescue(), scene.rescue()
    assert await first.look() == ("room",)
    assert await second.look() == ()
    assert scene.livekit.sent() == [CALL]


async def test_rescue_that_is_not_alone_with_the_room_does_nothing(scene: Scene) -> None:
    scene.change(lease_owner=DEAD_OWNER)
    scene.locked.add("rescue room")
    assert await scene.rescue().look() == ()


async def test_worker_that_dies_again_is_replaced_again(scene: Scene) -> None:
    scene.change(lease_owner=DEAD_OWNER)
    rescue = scene.rescue()
    await rescue.look()
    scene.later(seconds(3))
    scene.change(lease_owner=DEAD_OWNER, lease_counter=2)  # the second took it up, and died
    assert await rescue.look() == ("room",)
    assert scene.livekit.sent() == [CALL, CALL]


async def test_call_that_kills_its_workers_is_hung_up(scene: Scene) -> None:
    rescue = scene.rescue()
    for counter in range(1, ENOUGH + 3):
        scene.change(lease_owner=DEAD_OWNER, lease_counter=counter)
        await rescue.look()
        scene.later(STARTING)
    assert scene.livekit.sent() == [CALL] * ENOUGH
    assert "room" in scene.livekit.deleted


async def test_without_any_worker_one_is_asked_for_again_and_again(scene: Scene) -> None:
    scene.livekit.workers = False
    scene.change(lease_owner=DEAD_OWNER)
    rescue = scene.rescue()
    for _ in range(20):
        await rescue.look()
        scene.later(UNTAKEN)
    assert len(scene.livekit.sent()) == 20
    assert scene.livekit.deleted == []


async def test_lease_that_ran_out_counts_once_the_register_has_answered_for_a_while(
    scene: Scene,
) -> None:
    scene.change(lease_expires_at=NOW - seconds(1))
    rescue = scene.rescue()
    assert await rescue.look() == ()
    scene.later(LEASE / 2)
    assert await rescue.look() == ()
    scene.later(seconds(1))
    assert await rescue.look() == ("room",)


@pytest.mark.parametrize("state", ["live", "interrupted"])
async def test_leases_that_ran_out_while_the_database_was_away_may_be_renewed_first(
    scene: Scene, state: str
) -> None:
    """Whether or not somebody has marked their calls."""
    scene.change(state=state)
    rescue = scene.rescue()
    await rescue.look()
    scene.later(LEASE)
    scene.database_away = True
    assert await rescue.look() == ()
    scene.later(LEASE)
    scene.database_away = False
    assert await rescue.look() == ()  # it is back; the workers have not told it of themselves yet
    scene.later(LEASE / 3)
    scene.change(lease_expires_at=scene.livekit.now + LEASE)
    assert await rescue.look() == ()


async def test_room_nobody_answered_in_gets_an_agent(scene: Scene) -> None:
    scene.livekit.add("new", person("caller", "SIP", since=NOW), call=None)
    scene.livekit.dispatches["new"] = [dispatched(NOW)]
    rescue = scene.rescue()
    assert await rescue.look() == ()
    scene.later(COMING)
    assert await rescue.look() == ("new",)
    assert scene.livekit.sent("new") == [None]


@pytest.mark.parametrize("state", ["closed", "waiting_for_staff"])
async def test_room_of_an_ended_call_gets_nobody_and_is_closed_when_nobody_else_does(
    scene: Scene, state: str
) -> None:
    scene.change(state=state, lease_owner=None, lease_expires_at=None)
    looked_at: tuple[tuple[tuple[ParticipantInfo, ...], list[str]], ...] = (
        ((CALLER, AGENT_IN_ROOM), []),
        ((), []),
        ((CALLER, person("somebody")), []),
        ((CALLER,), ["room"]),
    )
    for people, deleted in looked_at:
        scene.livekit.add("room", *people)
        rescue = scene.rescue()
        assert await rescue.look() == ()
        scene.later(FORGOTTEN - seconds(1))
        assert await rescue.look() == ()
        assert scene.livekit.deleted == []
        scene.later(seconds(1))
        assert await rescue.look() == ()
        assert scene.livekit.deleted == deleted


async def test_rooms_of_other_applications_are_none_of_ours(scene: Scene) -> None:
    scene.livekit.add("theirs", CALLER, call=None)
    scene.livekit.dispatches["theirs"][0].agent_name = "somebody-elses"
    scene.livekit.add("nobodys", CALLER, call=None)
    scene.livekit.dispatches["nobodys"] = []
    assert await scene.rescue().look() == ()


@pytest.mark.parametrize(
    "who",
    [
        person("agent-2", "AGENT"),
        person("egress", "EGRESS"),
        ParticipantInfo(identity="supervisor", permission={"hidden": True}),
        ParticipantInfo(identity="colleague", attributes={"holdfast.role": "colleague"}),
        ParticipantInfo(identity="gone", state=ParticipantInfo.State.DISCONNECTED),
    ],
)
async def test_only_callers_are_rescued(scene: Scene, who: ParticipantInfo) -> None:
    scene.livekit.add("room", who)
    scene.change(lease_owner=DEAD_OWNER)
    assert await scene.rescue().look() == ()


async def test_room_is_known_by_its_call(scene: Scene) -> None:
    other = uuid4()
    await known_as(scene.livekit, "room", other)  # type: ignore[arg-type]
    assert InRoom.model_validate_json(scene.livekit.rooms["room"].metadata).call == other


@pytest.mark.parametrize("metadata", ["", "{}", "no json", '{"call": "no id", "lease": 1}'])
def test_job_that_is_no_rescue_begins_as_any_other(metadata: str) -> None:
    assert call_to_take_up(metadata) is None


@pytest.mark.parametrize("metadata", ["of another kind", '{"call": 1}', "null", "[]"])
async def test_metadata_that_says_nothing_to_us_is_no_error(scene: Scene, metadata: str) -> None:
    scene.livekit.rooms["room"].metadata = metadata
    assert await scene.rescue().look() == ()


# LiveKit's webhooks ------------------------------------------------------------------------------------------

LIVEKIT = LiveKitSettings(url="ws://x", api_key="devkey", api_secret=SecretStr("s" * 32))
LEFT = '{"event": "participant_left", "room": {"name": "room"}, "numDropped": 0}'


def signed(body: str, key: str = "devkey", secret: str = "s" * 32) -> str:
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return api.AccessToken(key, secret).with_sha256(digest).to_jwt()


async def called_with(body: str, token: str | None) -> tuple[int, int]:
    """The status, and how often it was looked."""
    looks: list[None] = []
    webhooks = Webhooks(LIVEKIT, lambda: looks.append(None))
    async with listening(webhooks, "127.0.0.1", 0) as port, httpx.AsyncClient() as http:
        headers = {"Authorization": token} if token is not None else {}
        answer = await http.post(f"http://127.0.0.1:{port}{PATH}", content=body, headers=headers)
    return answer.status_code, len(looks)


async def test_somebodys_leaving_is_a_reason_to_look() -> None:
    assert await called_with(LEFT, signed(LEFT)) == (200, 1)


async def test_other_events_are_none() -> None:
    body = '{"event": "track_published", "a field of next year": 1}'
    assert await called_with(body, signed(body)) == (200, 0)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "no token",
        signed("another body"),
        signed(LEFT, secret="t" * 32),
        signed(LEFT, key="another"),
        api.AccessToken("devkey", "s" * 32).to_jwt(),
        api.AccessToken("devkey", "s" * 32).with_sha256("no base64!").to_jwt(),
    ],
)
async def test_unsigned_webhook_is_refused(token: str | None) -> None:
    assert await called_with(LEFT, token) == (401, 0)


async def test_signed_nonsense_is_refused() -> None:
    assert await called_with("no json", signed("no json")) == (400, 0)
