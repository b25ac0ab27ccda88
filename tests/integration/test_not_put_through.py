"""A transfer that came to nothing: the caller is told, offered a callback, and nothing is claimed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web
from google.protobuf.message import Message
from livekit import rtc

from conversation import Conversation
from services import Services
from settings import HoldMusic, Settings
from tests.fakes.twirp import KEY, SECRET, client_of, refused, twirp_server
from tests.unit.voice.rooms import SIP, FakeRoom
from tools.errors import BackendDown
from tools.records import TransferOutcome
from voice.hand_over import hand_over

JANE = "+15035550127"
WISH = "i want to talk to a real person"
Answers = Callable[[Message], web.Response | None]


def busy(_: Message) -> web.Response:
    return refused("unavailable", 503, sip_status_code="486")


async def on_the_way(services: Services) -> Conversation:
    """A caller who is to be put through to a colleague now."""
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    return call


async def put_through(
    call: Conversation, network: Answers, trunk: str | None = None
) -> TransferOutcome:
    """By a phone network that answers so; with a trunk, a colleague would be told first."""
    room = FakeRoom("sip_1")
    caller = room.remote_participants["sip_1"]
    caller.kind = SIP
    async with twirp_server() as server, client_of(server) as livekit:
        server.answer("TransferSIPParticipant", network)
        settings = Settings(
            _env_file=None,
            voice={"transfer_to": "tel:+15035550100", "transfer_trunk": trunk},
            LIVEKIT_URL=server.url,
            LIVEKIT_API_KEY=KEY,
            LIVEKIT_API_SECRET=SECRET,
            DEEPGRAM_API_KEY="deepgram",
            CARTESIA_API_KEY="cartesia",
        )
        job = SimpleNamespace(api=livekit, room=room)
        return (await hand_over(job, settings, call, caller)).outcome  # type: ignore[arg-type]


async def on_record(services: Services) -> list[TransferOutcome | None]:
    """What staff see of each transfer."""
    handovers = (await services.company.snapshot())["handovers"]
    return [one["outcome"] for one in handovers if one["way"] == "transfer"]


@pytest.mark.parametrize(("network", "outcome"), [(lambda _: None, "through"), (busy, "busy")])
async def test_staff_see_whether_the_caller_was_put_through(
    services: Services, network: Answers, outcome: TransferOutcome
) -> None:
    call = await on_the_way(services)
    assert await on_record(services) == [None]
    assert await put_through(call, network) == outcome
    assert await on_record(services) == [outcome]


@pytest.mark.parametrize(("trunk", "music"), [("ST_out", "music"), (None, "none")])
async def test_caller_hears_music_while_a_colleague_is_rung_and_the_networks_tone_otherwise(
    services: Services, monkeypatch: pytest.MonkeyPatch, trunk: str | None, music: HoldMusic
) -> None:
    played: list[tuple[str, HoldMusic]] = []

    @asynccontextmanager
    async def on_hold(room: FakeRoom, music: HoldMusic) -> AsyncIterator[None]:
        played.append((room.name, music))
        assert await on_record(services) == [None]
        yield
        played.append((room.name, "none"))

    monkeypatch.setattr("voice.hand_over.on_hold", on_hold)
    monkeypatch.setattr("voice.consultation.SpokenConsultation.open", no_room)
    await put_through(await on_the_way(services), busy, trunk)
    assert played == [("call-1", music), ("call-1", "none")]


async def no_room(*_: object) -> None:
    raise rtc.ConnectError("no room")


async def test_each_transfer_of_a_call_has_its_own_outcome(services: Services) -> None:
    call = await on_the_way(services)
    await put_through(call, busy)
    turn = call.start(call.not_put_through())
    turn.confirm()
    await turn.reply()
    await call.hear("no")
    await call.hear(WISH)
    assert await on_record(services) == ["busy", None]
    await put_through(call, lambda _: None)
    assert await on_record(services) == ["busy", "through"]


async def test_worker_that_lost_the_call_says_nothing_of_its_transfer(services: Services) -> None:
    call = await on_the_way(services)
    async with services.database.connection() as connection:
        await connection.execute("UPDATE calls SET lease_counter = lease_counter + 1")
    assert await put_through(call, busy) == "busy"
    assert await on_record(services) == [None]


async def test_caller_is_with_the_colleague_when_that_can_not_be_recorded(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise BackendDown

    call = await on_the_way(services)
    monkeypatch.setattr(services.company.staff, "transferred", away)
    assert await put_through(call, lambda _: None) == "through"
    assert await on_record(services) == [None]


async def test_line_from_which_nobody_can_be_reached_promises_nobody(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    call.puts_nobody_through()
    await call.begin()
    reply = await call.hear(WISH)
    assert (reply.ended, reply.asks) == (False, "escalation.choice")
    assert "putting you through" not in reply.say


async def test_caller_whom_nobody_takes_is_offered_a_callback(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    assert (await call.hear(WISH)).ended
    handover = call.handover()
    assert handover is not None
    assert handover.reason == "asked"
    turn = call.start(call.not_put_through())
    turn.confirm()
    reply = await turn.reply()
    assert (reply.ended, reply.asks, reply.flow) == (False, "escalation.choice", "talk_to_human")
    assert "couldn't reach" in reply.say
    assert call.handover() is None
    reply = await call.hear("yes")
    assert (reply.asks, reply.flow) == ("callback.topic", "callback")


async def test_line_that_dies_after_a_failed_transfer_claims_none(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    turn = call.start(call.not_put_through())
    turn.confirm()
    await turn.reply()
    assert await call.drop()
    again = await services.answer(JANE, None)
    assert again.record.call_id == call.record.call_id
    reply = await again.begin()
    assert "already with a colleague" not in reply.say
    assert reply.asks == "resume.continue"


async def test_caller_whom_nobody_takes_may_ask_again(services: Services) -> None:
    await services.company.set_staff_available(True)
    call = await services.answer(JANE, None)
    await call.begin()
    await call.hear(WISH)
    turn = call.start(call.not_put_through())
    turn.confirm()
    await turn.reply()
    await call.hear("no")
    reply = await call.hear(WISH)
    assert (reply.ended, reply.did) == (True, ("hand_over",))
    assert await call.hang_up()
    record = await services.register.find(call.record.call_id)
    assert record is not None
    assert (record.state, record.outcome) == ("closed", "escalated")
