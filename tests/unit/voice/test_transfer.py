"""Putting a caller through, with LiveKit's real client against a server that answers as LiveKit does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from google.protobuf.message import Message
from livekit import api, rtc
from livekit.agents import APIError
from livekit.protocol import room as room_api
from livekit.protocol import sip

from settings import VoiceSettings
from tests.fakes.twirp import TwirpServer, client_of, refused, twirp_server
from tests.unit.voice.hand_timer import HandTimer
from tests.unit.voice.rooms import SIP, STANDARD, FakeRoom, Reason
from tools.records import TransferOutcome
from voice.bridge import Bridge
from voice.presence import RECONNECT_SECONDS
from voice.transfer import (
    COLLEAGUE,
    TIMES_TOLD,
    Colleague,
    PutThrough,
    consult,
    parted,
    put_through,
    reachable,
    refer,
)

STAFF = Colleague(number="+15035550100", trunk="ST_out")


@pytest.fixture
async def server() -> AsyncIterator[TwirpServer]:
    async with twirp_server() as server:
        yield server


@pytest.fixture
async def livekit(server: TwirpServer) -> AsyncIterator[api.LiveKitAPI]:
    async with client_of(server) as client:
        yield client


# The phone network moves the call --------------------------------------------------------------------------


async def referred(livekit: api.LiveKitAPI) -> TransferOutcome:
    return (await refer(livekit, "call-1", "sip_1", "tel:+15035550100")).outcome


async def test_phone_is_moved_by_the_phone_network(
    server: TwirpServer, livekit: api.LiveKitAPI
) -> None:
    assert await referred(livekit) == "through"
    (asked,) = server.asked
    assert isinstance(asked, sip.TransferSIPParticipantRequest)
    assert (asked.room_name, asked.participant_identity) == ("call-1", "sip_1")
    assert asked.transfer_to == "tel:+15035550100"
    assert asked.ringing_timeout.seconds == 25
    assert server.grants[0]["call"] is True
    assert server.grants[0]["roomAdmin"] is True


async def test_transfer_that_did_not_come_to_be_is_none(
    server: TwirpServer, livekit: api.LiveKitAPI
) -> None:
    failed = sip.TransferSIPParticipantResponse(status=sip.SIPTransferStatus.STS_TRANSFER_FAILED)
    server.answer("TransferSIPParticipant", lambda _: failed)
    assert await referred(livekit) == "failed"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda: refused("unavailable", 503, sip_status_code="486"), "busy"),
        (lambda: refused("unavailable", 503, sip_status_code="480"), "no_answer"),
        (lambda: refused("unavailable", 503, sip_status_code="603"), "declined"),
        (lambda: refused("internal", 500, sip_status_code="503"), "failed"),
        (lambda: refused("internal", 500, sip_status_code="none"), "failed"),
        (lambda: refused("canceled", 408, sip_transfer_reason="STR_RINGING_TIMEOUT"), "no_answer"),
        (lambda: refused("canceled", 408, sip_transfer_reason="STR_REJECTED"), "declined"),
        (lambda: refused("deadline_exceeded", 408), "no_answer"),
        (lambda: refused("not_found", 404), "failed"),
        (lambda: web.Response(status=502, text="<html>bad gateway</html>"), "failed"),
    ],
)
async def test_transfer_that_fails_says_why(
    server: TwirpServer,
    livekit: api.LiveKitAPI,
    answer: Callable[[], web.Response],
    outcome: TransferOutcome,
) -> None:
    server.answer("TransferSIPParticipant", lambda _: answer())
    assert await referred(livekit) == outcome


async def test_livekit_out_of_reach_is_a_failed_transfer() -> None:
    async with api.LiveKitAPI("http://127.0.0.1:1", "devkey", "x" * 32) as livekit:
        assert await referred(livekit) == "failed"


async def put_through_with(
    livekit: api.LiveKitAPI, kind: rtc.ParticipantKind.ValueType, **settings: object
) -> PutThrough:
    room, aside = FakeRoom("caller"), Aside()
    room.remote_participants["caller"].kind = kind
    aside.presses("1")
    return await put_through(
        livekit,
        room,  # type: ignore[arg-type]
        room.remote_participants["caller"],  # type: ignore[arg-type]
        VoiceSettings.model_validate(settings),
        aside,
    )


@pytest.mark.parametrize("kind", [SIP, STANDARD])
async def test_with_a_trunk_every_caller_gets_a_colleague_who_was_told(
    server: TwirpServer, livekit: api.LiveKitAPI, kind: rtc.ParticipantKind.ValueType
) -> None:
    put = await put_through_with(
        livekit, kind, transfer_to="tel:+15035550100", transfer_trunk="ST_out", transfer_ring=9
    )
    assert put.through
    rung = server.asked[1]
    assert isinstance(rung, sip.CreateSIPParticipantRequest)
    assert (rung.sip_call_to, rung.ringing_timeout.seconds) == ("+15035550100", 9)


@pytest.mark.parametrize(("kind", "outcome"), [(SIP, "through"), (STANDARD, "failed")])
async def test_without_a_trunk_phones_are_moved_and_browsers_can_not_be(
    server: TwirpServer,
    livekit: api.LiveKitAPI,
    kind: rtc.ParticipantKind.ValueType,
    outcome: TransferOutcome,
) -> None:
    put = await put_through_with(livekit, kind, transfer_to="tel:+15035550100")
    assert put.outcome == outcome
    assert len(server.asked) == (outcome == "through")


@pytest.mark.parametrize(
    ("to", "trunk", "by_phone", "can_be"),
    [
        ("tel:+15035550100", None, True, True),
        ("tel:+15035550100", None, False, False),
        ("tel:+15035550100", "ST_out", False, True),
        (None, "ST_out", True, False),
    ],
)
def test_nobody_is_promised_a_colleague_who_can_not_be_reached(
    to: str | None, trunk: str | None, by_phone: bool, can_be: bool
) -> None:
    settings = VoiceSettings.model_validate({"transfer_to": to, "transfer_trunk": trunk})
    assert reachable(settings, by_phone=by_phone) is can_be


async def test_without_a_number_nobody_is_put_through(
    server: TwirpServer, livekit: api.LiveKitAPI
) -> None:
    assert (await put_through_with(livekit, SIP)).outcome == "failed"
    assert not server.asked


# A colleague is told first -----------------------------------------------------------------------------------


#: A worker that died may have left somebody who is still rung; and whoever is there in the end is hung up on.
BEFORE_AND_AFTER = ["call-1-colleague", "call-1-colleague"]


class Aside:
    """voice.transfer.Consultation in a fake room, whose colleague does what the test says while being told."""

    def __init__(self, *reactions: Callable[[], None]) -> None:
        self.room = FakeRoom(COLLEAGUE)
        self.reactions = list(reactions)
        self.told = 0
        self.fails: Exception | None = None

    async def open(self, name: str) -> rtc.Room:
        if isinstance(self.fails, rtc.ConnectError):
            raise self.fails
        self.room.name = name
        return self.room  # type: ignore[return-value]

    async def tell(self, room: rtc.Room) -> None:
        if self.fails is not None:
            raise self.fails
        self.told += 1
        if self.reactions:
            self.reactions.pop(0)()

    def presses(self, key: str) -> None:
        self.reactions.append(lambda: self.room.press(key, COLLEAGUE))


BLIP = 20.0


class Warm:
    """One caller who waits, and a colleague who is rung."""

    def __init__(self, livekit: api.LiveKitAPI) -> None:
        self.livekit = livekit
        self.room = FakeRoom("caller")
        self.aside = Aside()
        self.timer = HandTimer()

    async def run(self) -> PutThrough:
        return await consult(
            self.livekit,
            self.room,  # type: ignore[arg-type]
            "caller",
            STAFF,
            self.aside,
            BLIP,
            self.timer,
        )


@pytest.fixture
def warm(livekit: api.LiveKitAPI) -> Warm:
    return Warm(livekit)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def deleted(server: TwirpServer) -> list[str]:
    asked = server.asked_for(room_api.DeleteRoomRequest)
    return [one.room for one in asked]  # type: ignore[attr-defined]


async def test_colleague_who_takes_the_call_is_moved_to_the_caller(
    server: TwirpServer, warm: Warm
) -> None:
    warm.aside.presses("1")
    put = await warm.run()
    assert (put.outcome, put.through, put.bridge) == ("through", True, None)
    _, rung, moved, _ = server.asked
    assert isinstance(rung, sip.CreateSIPParticipantRequest)
    assert (rung.sip_trunk_id, rung.sip_call_to) == ("ST_out", "+15035550100")
    assert (rung.room_name, rung.participant_identity) == ("call-1-colleague", COLLEAGUE)
    assert rung.wait_until_answered
    assert dict(rung.participant_attributes) == {"holdfast.role": "colleague"}
    assert isinstance(moved, room_api.MoveParticipantRequest)
    assert (moved.room, moved.destination_room) == ("call-1-colleague", "call-1")
    assert deleted(server) == BEFORE_AND_AFTER
    assert not warm.aside.room.connected
    assert warm.room.followed == 0


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("486", "busy"), ("480", "no_answer"), ("603", "declined"), ("500", "failed")],
)
async def test_colleague_who_is_not_reached_hears_nothing(
    server: TwirpServer, warm: Warm, code: str, outcome: TransferOutcome
) -> None:
    server.answer(
        "CreateSIPParticipant", lambda _: refused("unavailable", 503, sip_status_code=code)
    )
    assert (await warm.run()).outcome == outcome
    assert warm.aside.told == 0
    assert deleted(server) == BEFORE_AND_AFTER


async def test_colleague_may_decline(server: TwirpServer, warm: Warm) -> None:
    warm.aside.presses("2")
    assert (await warm.run()).outcome == "declined"
    assert not server.asked_for(room_api.MoveParticipantRequest)
    assert deleted(server) == BEFORE_AND_AFTER


async def test_colleague_who_puts_the_phone_down_has_declined(warm: Warm) -> None:
    aside = warm.aside
    aside.reactions.append(lambda: aside.room.leave(COLLEAGUE, Reason.CLIENT_INITIATED))
    assert (await warm.run()).outcome == "declined"


async def test_machine_that_answers_is_voicemail(server: TwirpServer, warm: Warm) -> None:
    running = asyncio.create_task(warm.run())
    while not running.done():
        await asyncio.sleep(0)
        warm.timer.pass_(STAFF.decide.total_seconds())
    assert running.result().outcome == "voicemail"
    assert warm.aside.told == TIMES_TOLD
    assert not server.asked_for(room_api.MoveParticipantRequest)


async def test_colleague_who_hears_it_the_second_time_takes_the_call(warm: Warm) -> None:
    warm.aside.reactions.append(lambda: None)
    warm.aside.presses("1")
    running = asyncio.create_task(warm.run())
    while not running.done():
        await asyncio.sleep(0)
        if warm.timer.running:
            warm.timer.pass_(STAFF.decide.total_seconds())
    assert running.result().outcome == "through"


async def test_other_keys_and_other_peoples_keys_decide_nothing(warm: Warm) -> None:
    def mistyped() -> None:
        warm.aside.room.press("59*#", COLLEAGUE)
        warm.aside.room.press("1", "caller")
        warm.aside.room.press("2", None)

    warm.aside.reactions.append(mistyped)
    warm.aside.presses("1")
    running = asyncio.create_task(warm.run())
    while not running.done():
        await asyncio.sleep(0)
        warm.timer.pass_(STAFF.decide.total_seconds())
    assert running.result().outcome == "through"
    assert warm.aside.told == 2


async def test_caller_who_leaves_meanwhile_is_not_joined(server: TwirpServer, warm: Warm) -> None:
    warm.aside.reactions.append(lambda: warm.room.leave("caller", Reason.CLIENT_INITIATED))
    running = asyncio.create_task(warm.run())
    await until(lambda: "caller" not in warm.room.remote_participants)
    warm.timer.pass_(RECONNECT_SECONDS)
    assert (await running).outcome == "caller_left"
    assert deleted(server) == BEFORE_AND_AFTER


async def test_caller_who_connects_anew_meanwhile_is_joined(warm: Warm) -> None:
    def anew() -> None:
        warm.room.leave("caller", Reason.CLIENT_INITIATED)
        warm.room.join("caller")

    warm.aside.reactions.append(anew)
    warm.aside.presses("1")
    running = asyncio.create_task(warm.run())
    await until(lambda: warm.aside.told > 0)
    await until(lambda: warm.timer.running > 0)
    warm.timer.pass_(STAFF.decide.total_seconds())
    assert (await running).outcome == "through"


async def test_colleague_is_no_longer_rung_for_a_caller_who_left(
    server: TwirpServer, warm: Warm
) -> None:
    ringing = asyncio.Event()

    async def rings(_: Message) -> web.Response:
        ringing.set()
        await asyncio.Event().wait()
        raise AssertionError

    server.answer("CreateSIPParticipant", rings)
    running = asyncio.create_task(warm.run())
    await ringing.wait()
    warm.room.leave("caller", Reason.CLIENT_INITIATED)
    warm.timer.pass_(RECONNECT_SECONDS)
    assert (await running).outcome == "caller_left"
    assert warm.aside.told == 0
    assert deleted(server) == BEFORE_AND_AFTER
    assert warm.room.followed == 0


@pytest.mark.parametrize("failure", [APIError("no voice"), rtc.ConnectError("no room")])
async def test_colleague_who_can_not_be_told_is_not_joined(warm: Warm, failure: Exception) -> None:
    warm.aside.fails = failure
    assert (await warm.run()).outcome == "failed"


async def test_transfer_that_is_cancelled_hangs_up_on_the_colleague(
    server: TwirpServer, warm: Warm
) -> None:
    running = asyncio.create_task(warm.run())
    while not warm.aside.told:  # noqa: ASYNC110
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert deleted(server) == BEFORE_AND_AFTER
    assert warm.room.followed == 0


async def test_colleague_whose_voice_we_carry_is_hung_up_on_when_the_two_part(
    server: TwirpServer, livekit: api.LiveKitAPI
) -> None:
    class Over(Bridge):
        async def over(self) -> None: ...

    aside = FakeRoom(COLLEAGUE, name="call-1-colleague")
    room = FakeRoom("caller")
    bridge = Over(((room, "caller"), (aside, COLLEAGUE)), BLIP)  # type: ignore[arg-type]
    await parted(livekit, PutThrough("through", bridge, aside))  # type: ignore[arg-type]
    assert deleted(server) == ["call-1-colleague"]
    assert not aside.connected


async def test_nothing_is_left_to_do_for_callers_the_network_moved(
    server: TwirpServer, livekit: api.LiveKitAPI
) -> None:
    await parted(livekit, PutThrough("through"))
    assert not server.asked
