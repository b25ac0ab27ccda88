"""Puts a caller through to a person: the phone network moves them, or a colleague is rung, told, and joined.

Nothing is said here to the caller, and nothing is claimed: whoever calls says what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import aiohttp
import structlog
from google.protobuf.duration_pb2 import Duration
from livekit import api, rtc
from livekit.agents import APIError
from livekit.protocol.sip import SIPTransferStatus

from settings import VoiceSettings
from tools.records import TransferOutcome
from voice.bridge import Bridge, bridged
from voice.presence import Presence
from voice.timers import Later

log = structlog.get_logger(__name__)

COLLEAGUE = "colleague"  #: identity of the person, in whichever room they are
ROLE = "holdfast.role"  #: attribute that says so, for whoever lists the room
TAKE_KEY, DECLINE_KEY = "1", "2"
TIMES_TOLD = 2  #: a person may lift the phone late; a machine never presses a key

_SIP_OUTCOMES: dict[int, TransferOutcome] = {  # RFC 3261, section 21
    408: "no_answer",
    480: "no_answer",
    486: "busy",
    487: "no_answer",
    600: "busy",
    603: "declined",
}
_TRANSFER_OUTCOMES: dict[str, TransferOutcome] = {
    "STR_REJECTED": "declined",
    "STR_RINGING_TIMEOUT": "no_answer",
}


@dataclass(frozen=True)
class PutThrough:
    """What came of it."""

    outcome: TransferOutcome
    bridge: Bridge | None = None  #: carries the two voices for as long as it is open
    aside: rtc.Room | None = None  #: where the colleague is then

    @property
    def through(self) -> bool:
        return self.outcome == "through"


@dataclass(frozen=True)
class Colleague:
    """Whom callers are put through to, and how the phone network reaches them."""

    number: str  #: as the trunk dials it
    trunk: str  #: LiveKit's outbound trunk
    ring: timedelta = timedelta(seconds=25)
    decide: timedelta = timedelta(seconds=6)  #: to press a key, each time after they were told


class Consultation(Protocol):
    """The room in which a colleague is told before the caller is joined."""

    async def open(self, name: str) -> rtc.Room: ...

    async def tell(self, room: rtc.Room) -> None:
        """Say who is waiting and which key takes the call. Returns when it was said to its end."""


def reachable(settings: VoiceSettings, *, by_phone: bool) -> bool:
    """Can a caller who rings by phone, or from a browser, be put through to anybody at all?"""
    return settings.transfer_to is not None and (settings.transfer_trunk is not None or by_phone)


async def put_through(
    livekit: api.LiveKitAPI,
    room: rtc.Room,
    caller: rtc.RemoteParticipant,
    settings: VoiceSettings,
    consultation: Consultation,
) -> PutThrough:
    """Put this caller through as the settings say. Only what is "through" may be called a transfer.

    With a trunk a colleague is told first; without one a phone's call is moved, and a browser's can't be.
    """
    by_phone = caller.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    if settings.transfer_to is None or not reachable(settings, by_phone=by_phone):
        return _ended("failed")
    ring = timedelta(seconds=settings.transfer_ring)
    if settings.transfer_trunk is not None:
        number = settings.transfer_to.removeprefix("tel:")
        colleague = Colleague(number, settings.transfer_trunk, ring)
        blip = settings.blip
        return await consult(livekit, room, caller.identity, colleague, consultation, blip)
    return await refer(livekit, room.name, caller.identity, settings.transfer_to, ring)


async def refer(
    livekit: api.LiveKitAPI,
    room: str,
    caller: str,
    to: str,
    ring: timedelta = timedelta(seconds=25),
) -> PutThrough:
    """Let the phone network move a phone's call to another number (SIP REFER). The caller leaves the room with it.

    Args:
        to: a `tel:` or `sip:` address.
    """
    request = api.TransferSIPParticipantRequest(
        room_name=room, participant_identity=caller, transfer_to=to, play_dialtone=True
    )
    request.ringing_timeout.CopyFrom(_duration(ring))
    try:
        response = await livekit.sip.transfer_sip_participant(request)
    except api.ServerError as error:
        return _ended(_why(error))
    except (aiohttp.ClientError, TimeoutError):
        return _ended("failed")
    if response.status == SIPTransferStatus.STS_TRANSFER_FAILED:
        return _ended("failed")
    return _ended("through")  # a server of one's own answers with nothing, once it is done


async def consult(
    livekit: api.LiveKitAPI,
    room: rtc.Room,
    caller: str,
    colleague: Colleague,
    consultation: Consultation,
    blip: float,
    later: Later | None = None,
) -> PutThrough:
    """Ring a colleague in a room of their own, tell them who is waiting, and join the two when they press the key.

    The caller stays where they are until then. Works for browsers, too.

    Args:
        blip: seconds somebody is waited for whose network went away.
    """
    aside_name = f"{room.name}-{COLLEAGUE}"
    await _hung_up(livekit, aside_name)  # whoever is rung there for a worker that died
    try:
        aside = await consultation.open(aside_name)
    except rtc.ConnectError:
        return _ended("failed")
    after = later or asyncio.get_running_loop().call_later
    through = None
    try:
        asking = _asked(livekit, aside, colleague, consultation, after)
        outcome = await _while_there(room, caller, blip, after, asking)
        if outcome != "through":
            return _ended(outcome)
        through = await _joined(livekit, room, aside, caller, blip)
        return through
    finally:
        if through is None or through.bridge is None:
            await _closed(livekit, aside, aside_name)


async def _while_there(
    room: rtc.Room,
    caller: str,
    blip: float,
    later: Later,
    asking: Coroutine[object, object, TransferOutcome],
) -> TransferOutcome:
    """The colleague's answer, unless the caller leaves for good before it; a blip of theirs is waited for."""
    left = asyncio.Event()
    following = Presence(
        room, caller, blip=blip, gone=lambda _: left.set(), back=_nothing, later=later
    )
    answered, leaving = asyncio.create_task(asking), asyncio.create_task(left.wait())
    try:
        await asyncio.wait({answered, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answered.result() if answered.done() else "caller_left"
    finally:
        following.close()
        answered.cancel()
        leaving.cancel()
        await asyncio.wait({answered, leaving})


def _nothing() -> None:
    """The key may be pressed while the caller is away for a moment: the bridge waits for them."""


async def _asked(
    livekit: api.LiveKitAPI,
    aside: rtc.Room,
    colleague: Colleague,
    consultation: Consultation,
    later: Later,
) -> TransferOutcome:
    """Rung, told, and decided."""
    refused = await _rung(livekit, aside.name, colleague)
    return refused or await _decision(aside, colleague, consultation, later)


async def _rung(livekit: api.LiveKitAPI, room: str, colleague: Colleague) -> TransferOutcome | None:
    """None: somebody, or something, answered."""
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=colleague.trunk,
        sip_call_to=colleague.number,
        room_name=room,
        participant_identity=COLLEAGUE,
        participant_attributes={ROLE: COLLEAGUE},
        hide_phone_number=True,
        wait_until_answered=True,
    )
    request.ringing_timeout.CopyFrom(_duration(colleague.ring))
    try:
        await livekit.sip.create_sip_participant(request)
    except api.ServerError as error:
        return _why(error)
    except (aiohttp.ClientError, TimeoutError):
        return "failed"
    return None


async def _decision(
    aside: rtc.Room, colleague: Colleague, consultation: Consultation, later: Later
) -> TransferOutcome:
    """Told twice at most, the colleague takes the call, declines, puts the phone down, or is a machine."""
    decision = _Decision(aside)
    telling = asyncio.create_task(_told(aside, consultation, colleague.decide, later))
    made = asyncio.create_task(decision.made())
    try:
        await asyncio.wait({made, telling}, return_when=asyncio.FIRST_COMPLETED)
        return made.result() if made.done() else await telling
    finally:
        decision.close()
        made.cancel()
        telling.cancel()
        await asyncio.wait({made, telling})


class _Decision:
    """What the colleague does while they are told."""

    def __init__(self, aside: rtc.Room) -> None:
        self._aside = aside
        self._made: asyncio.Future[TransferOutcome] = asyncio.get_running_loop().create_future()
        aside.on("sip_dtmf_received", self._pressed)
        aside.on("participant_disconnected", self._colleague_left)

    async def made(self) -> TransferOutcome:
        return await self._made

    def close(self) -> None:
        self._aside.off("sip_dtmf_received", self._pressed)
        self._aside.off("participant_disconnected", self._colleague_left)

    def _make(self, outcome: TransferOutcome) -> None:
        if not self._made.done():
            self._made.set_result(outcome)

    def _pressed(self, event: rtc.SipDTMF) -> None:
        if event.participant is None or event.participant.identity != COLLEAGUE:
            return
        if event.digit == TAKE_KEY:
            self._make("through")
        elif event.digit == DECLINE_KEY:
            self._make("declined")

    def _colleague_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == COLLEAGUE:
            self._make("declined")


async def _told(
    aside: rtc.Room, consultation: Consultation, decide: timedelta, later: Later
) -> TransferOutcome:
    """What it means that nothing came of it."""
    for _ in range(TIMES_TOLD):
        try:
            await consultation.tell(aside)
        except APIError:  # the voice failed: nobody is joined to a caller they know nothing of
            return "failed"
        thought = asyncio.Event()
        timer = later(decide.total_seconds(), thought.set)
        try:
            await thought.wait()
        finally:
            timer.cancel()
    return "voicemail"


async def _joined(
    livekit: api.LiveKitAPI, room: rtc.Room, aside: rtc.Room, caller: str, blip: float
) -> PutThrough:
    """LiveKit Cloud moves the colleague; a server of one's own can't, and we carry the voices ourselves."""
    request = api.MoveParticipantRequest(
        room=aside.name, identity=COLLEAGUE, destination_room=room.name
    )
    try:
        await livekit.room.move_participant(request)
    except (api.ServerError, aiohttp.ClientError, TimeoutError):
        bridge = await bridged((room, caller), (aside, COLLEAGUE), blip)
        log.info("transfer.ended", outcome="through")
        return PutThrough("through", bridge, aside)
    return _ended("through")


async def parted(livekit: api.LiveKitAPI, put: PutThrough) -> None:
    """Where we carry their voices: wait until one of the two has left, then hang up on the colleague."""
    if put.bridge is None or put.aside is None:
        return
    name = put.aside.name
    try:
        await put.bridge.over()
    finally:
        await _closed(livekit, put.aside, name)


async def _closed(livekit: api.LiveKitAPI, aside: rtc.Room, name: str) -> None:
    """We leave, and whoever is still in the room is hung up on."""
    await aside.disconnect()
    await _hung_up(livekit, name)


async def _hung_up(livekit: api.LiveKitAPI, name: str) -> None:
    with suppress(api.ServerError, aiohttp.ClientError, TimeoutError):
        await livekit.room.delete_room(api.DeleteRoomRequest(room=name))


def _why(error: api.ServerError) -> TransferOutcome:
    outcome: TransferOutcome = "no_answer" if error.code == "deadline_exceeded" else "failed"
    if isinstance(error, api.SipCallError):
        by_reason = _TRANSFER_OUTCOMES.get(error.sip_transfer_reason or "", outcome)
        outcome = _SIP_OUTCOMES.get(error.sip_status_code or 0, by_reason)
    return outcome


def _ended(outcome: TransferOutcome) -> PutThrough:
    log.info("transfer.ended", outcome=outcome)
    return PutThrough(outcome)


def _duration(time: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(time)
    return duration
