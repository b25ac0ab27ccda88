"""A callback, step by step: what about, which number, when. Books, moves or cancels, in the caller's time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from graph.context import CallContext
from graph.dialogue import ask, joined_phone, pop, put_top, stumble, tell, top
from graph.proposals import propose
from graph.state import CallbackFlow, CallbackRequest, Case, HandOver
from graph.understanding import commands as c
from graph.wishes import PART_STARTS, Wish, parse_wish
from graph.wording.line import Moment, Phone, Text, any_of, line
from tools.records import CallbackBooking


async def serve_callback(case: Case, flow: CallbackFlow, context: CallContext, turn: int) -> Case:
    """The next step of the callback on top of the stack: a question or a proposal."""
    case, flow = _own_number_settled(case, flow, context)
    if flow.phone is not None and not flow.phone.startswith("+"):
        joined = joined_phone(flow, case.country)
        # Digits that still make no number are said to be incomplete below.
        flow = joined.model_copy(update={"phone": joined.phone or flow.phone})
        case = put_top(case, flow)
    if case.turn_commands and _at_confirm(case):
        return case  # a yes or no to the read-back: for confirm
    if flow.action != "book":
        return await _existing(case, flow, context, turn)
    if flow.topic is None:
        return ask(case, turn, "callback.topic", "ask-callback-topic", slot="topic")
    stopped = _number_missing(case, flow, context, turn)
    if stopped is not None:
        return stopped
    return await _when(case, flow, context, turn)


def _at_confirm(case: Case) -> bool:
    return case.question is not None and case.question.asks == "callback.confirm"


def _own_number_settled(
    case: Case, flow: CallbackFlow, context: CallContext
) -> tuple[Case, CallbackFlow]:
    """Yes or no to "shall we ring the number you are calling from?"."""
    at_phone = case.question is not None and case.question.asks == "callback.phone"
    if not at_phone or not case.turn_commands:
        return case, flow
    head, *rest = case.turn_commands
    if isinstance(head, c.Affirm) and not flow.own_number_refused:
        flow = flow.model_copy(update={"phone": context.caller_number})
    elif isinstance(head, c.Affirm | c.Deny):
        # A yes to "which number?": their own is offered again.
        refused = isinstance(head, c.Deny)
        flow = flow.model_copy(update={"own_number_refused": refused})
    case = case.model_copy(update={"turn_commands": tuple(rest), "question": None})
    return put_top(case, flow), flow


def _number_missing(case: Case, flow: CallbackFlow, context: CallContext, turn: int) -> Case | None:
    if flow.phone is not None and flow.phone.startswith("+"):
        return None
    if flow.phone is not None:
        # Another number than their own is being given, if only in pieces.
        case = put_top(case, flow.model_copy(update={"phone": None, "own_number_refused": True}))
        case = stumble(tell(case, line("phone-incomplete")))
        if not isinstance(top(case), CallbackFlow):
            return case
    elif context.caller_number and not flow.own_number_refused:
        number = Phone(value=context.caller_number)
        return ask(case, turn, "callback.phone", "ask-callback-own-number", phone=number)
    return ask(case, turn, "callback.phone", "ask-callback-number", slot="phone")


async def _booked_to_own_number(
    case: Case, flow: CallbackFlow, context: CallContext
) -> tuple[Case, CallbackFlow]:
    """Nobody needs to be asked for the number when something is booked to the one they call from."""
    number = context.caller_number
    if flow.phone is not None or flow.own_number_refused or number is None:
        return case, flow
    if not await context.desk.callbacks.booked_for(number):
        return case, flow
    flow = flow.model_copy(update={"phone": number})
    return put_top(case, flow), flow


async def _existing(case: Case, flow: CallbackFlow, context: CallContext, turn: int) -> Case:
    """Move or cancel the next callback booked to the caller's number."""
    case, flow = await _booked_to_own_number(case, flow, context)
    stopped = _number_missing(case, flow, context, turn)
    if stopped is not None:
        return stopped
    booked = await context.desk.callbacks.booked_for(flow.phone or "")
    if not booked:
        return pop(tell(case, line("callback-none-found")), served=False)
    booking = booked[0]
    today = context.now(case.zone).date()
    local = booking.starts_at.astimezone(ZoneInfo(case.zone))
    if flow.action == "cancel":
        change = _request(case, flow, booking.starts_at, "cancel_callback", booking)
        read_back = line("read-back-callback-cancel", when=Moment(value=local, today=today))
        return propose(case, change, read_back, context, turn)
    if flow.callback_id is None:
        case = tell(case, line("callback-found", when=Moment(value=local, today=today)))
        flow = flow.model_copy(update={"callback_id": booking.callback_id})
        case = put_top(case, flow)
    return await _when(case, flow, context, turn, booking)


def _request(
    case: Case,
    flow: CallbackFlow,
    at: datetime,
    effect: str,
    booking: CallbackBooking | None = None,
) -> CallbackRequest:
    return CallbackRequest.model_validate(
        {
            "effect": effect,
            "topic": flow.topic or "",
            "phone": flow.phone or "",
            "at": at,
            "country": case.country,
            "callback_id": booking.callback_id if booking else None,
            "hands_over": _queued(flow),
        }
    )


def _queued(flow: CallbackFlow) -> HandOver | None:
    person = flow.instead_of
    if person is None:
        return None
    return HandOver(way="queue", reason=person.reason, detail=person.detail)


async def _when(
    case: Case,
    flow: CallbackFlow,
    context: CallContext,
    turn: int,
    booking: CallbackBooking | None = None,
) -> Case:
    if flow.disputed:
        return ask(case, turn, "callback.time", "ask-callback-what-to-correct")
    if flow.at is None and flow.time is not None:
        case, flow = await _fitted(case, flow, context)
    if flow.at is None:
        return _ask_time(case, flow, context, turn)
    return _read_back(case, flow, flow.at, context, turn, booking)


def _read_back(
    case: Case,
    flow: CallbackFlow,
    at: datetime,
    context: CallContext,
    turn: int,
    booking: CallbackBooking | None,
) -> Case:
    effect = "book_callback" if booking is None else "change_callback"
    today = context.now(case.zone).date()
    when = Moment(value=at.astimezone(ZoneInfo(case.zone)), today=today)
    if booking is not None:
        read_back = line("read-back-callback-change", when=when)
    else:
        number = Phone(value=flow.phone or "")
        read_back = line(
            "read-back-callback", when=when, phone=number, topic=Text(value=flow.topic or "")
        )
    return propose(case, _request(case, flow, at, effect, booking), read_back, context, turn)


async def _fitted(
    case: Case, flow: CallbackFlow, context: CallContext
) -> tuple[Case, CallbackFlow]:
    """The wish as a bookable time, or the nearest free ones to choose from."""
    zone = ZoneInfo(case.zone)
    now = context.now(case.zone)
    wish = parse_wish(flow.time or "asap")
    wanted = _wanted(wish, now, zone)
    exact = wish.at is not None and wanted > now
    if exact and await context.desk.callbacks.is_free(wanted, case.country):
        return _with(case, flow.model_copy(update={"at": wanted, "offered": ()}))
    slots = await context.desk.callbacks.free_slots(max(wanted, now), case.country)
    offered = tuple(slot.starts_at.astimezone(zone) for slot in slots)
    flow = flow.model_copy(update={"offered": offered, "time": None if exact else flow.time})
    if exact:
        case = tell(case, line("callback-time-not-free"))
    return _with(case, flow)


def _with(case: Case, flow: CallbackFlow) -> tuple[Case, CallbackFlow]:
    return put_top(case, flow), flow


def _wanted(wish: Wish, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment the wish points at; without a day, today if it is still to come, else tomorrow."""
    if wish.asap:
        return now
    at = wish.at or PART_STARTS.get(wish.part or "morning", time(9, 30))
    if wish.day is not None:
        return datetime.combine(wish.day, at, zone)
    today = datetime.combine(now.date(), at, zone)
    return today if today > now else today + timedelta(days=1)


def _ask_time(case: Case, flow: CallbackFlow, context: CallContext, turn: int) -> Case:
    today = context.now(case.zone).date()
    if not flow.offered:
        return ask(case, turn, "callback.time", "ask-callback-time", slot="time")
    moments = [Moment(value=at, today=today) for at in flow.offered]
    return ask(
        case,
        turn,
        "callback.time",
        "ask-callback-slot",
        slot="time",
        offered=tuple(at.isoformat() for at in flow.offered),
        slots=any_of(line("callback-slot", when=moment) for moment in moments),
    )
