"""Small moves on a case that every flow shares: tell, ask, stumble, open and close a flow, fill a slot.

Pure functions: a case in, a case out.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeVar

from graph.state import (
    AddressFlow,
    CallbackFlow,
    Case,
    Flow,
    HumanFlow,
    Identity,
    OrderFlow,
    PhoneFlow,
    Question,
)
from graph.understanding.commands import READ_BACK, Asks, FlowName, Slot
from graph.understanding.lexicon import plain
from graph.understanding.spoken import STREET_TYPES, AddressParts, find_phone
from graph.wishes import is_wish, merge_wish
from graph.wording.line import Fact, Line, Text
from tools.records import Level

FlowKind = TypeVar("FlowKind", OrderFlow, AddressFlow, PhoneFlow, CallbackFlow, HumanFlow)

RUNGS = ("", ".again", ".spell")  #: wordings of a question, by rung of the repair ladder
LADDER_END = len(RUNGS)
LONGEST_PIECES = 12  # digits of a number said in pieces; more are a new beginning
ADDRESS_SLOTS: tuple[Slot, ...] = ("line1", "line2", "city", "region", "postal_code", "country")
IDENTITY_SLOTS: tuple[Slot, ...] = ("phone", "email", "order", "postal_code", "code", "name")

PRIVATE_ASKS = ("identity.", "order.", "account.")
FORMS: dict[Slot, re.Pattern[str]] = {
    "phone": re.compile(
        r"\+[1-9]\d{6,14}|\d{1,20}"
    ),  # E.164, or digits that are not a whole number yet
    "country": re.compile(r"[A-Z]{2}"),
}

LEVEL_NEEDED: dict[FlowName, Level] = {
    "order_status": Level.FACT,
    "update_address": Level.CODE,
    "update_phone": Level.CODE,
    "callback": Level.ANONYMOUS,
    "talk_to_human": Level.ANONYMOUS,
}


def tell(case: Case, *lines: Line) -> Case:
    """Say this before the question."""
    return case.model_copy(update={"lines": (*case.lines, *lines)})


def ask(
    case: Case,
    turn: int,
    asks: Asks,
    message: str,
    *,
    slot: Slot | None = None,
    offered: tuple[str, ...] = (),
    **facts: Fact,
) -> Case:
    """Open a question by the id of its message and the facts in it."""
    return open_question(
        case, turn, asks, Line(id=message, facts=facts), slot=slot, offered=offered
    )


def open_question(
    case: Case,
    turn: int,
    asks: Asks,
    words: Line,
    *,
    slot: Slot | None = None,
    offered: tuple[str, ...] = (),
) -> Case:
    """Open a question. Asked again, it stays on its rung of the repair ladder."""
    before = case.question
    same = before is not None and (before.asks, before.slot) == (asks, slot)
    rung = before.rung if same and before is not None else 0
    question = Question(asks=asks, slot=slot, line=words, rung=rung, turn=turn, offered=offered)
    return case.model_copy(update={"question": question})


def stumble(case: Case) -> Case:
    """The answer to the open question was no use: one rung up, or offer a person at the end of the ladder."""
    question = case.question
    if question is None:
        return case
    if question.rung + 1 < LADDER_END:
        raised = question.model_copy(update={"rung": question.rung + 1})
        return case.model_copy(update={"question": raised})
    return offer_person(case, HumanFlow(reason="repair", offered=True))


def offer_person(case: Case, flow: HumanFlow) -> Case:
    """Put the offer of a person on top; the flow underneath waits."""
    if top_flow(case, HumanFlow):
        return case
    return push(case.model_copy(update={"question": None}), flow)


def top(case: Case) -> Flow | None:
    return case.stack[-1] if case.stack else None


def top_flow(case: Case, kind: type[FlowKind]) -> FlowKind | None:
    """The flow being served, when it is of this kind."""
    flow = top(case)
    return flow if isinstance(flow, kind) else None


def push(case: Case, flow: Flow) -> Case:
    """Serve this now. A flow of the same name is not opened twice: the new request replaces it.

    A proposal belongs to the flow that made it: what is underneath proposes again when it comes back.
    """
    others = tuple(open_ for open_ in case.stack if open_.name != flow.name)
    asked = (*case.asked, flow.name)[-20:]
    return case.model_copy(update={"stack": (*others, flow), "asked": asked, "proposal": None})


def put_top(case: Case, flow: Flow) -> Case:
    """The flow being served, changed."""
    return case.model_copy(update={"stack": (*case.stack[:-1], flow)})


def pop(case: Case, *, served: bool) -> Case:
    """The flow being served is over; what is underneath comes back."""
    flow = top(case)
    if flow is None:
        return case
    stack = case.stack[:-1]
    case = answered(case, flow.name) if served else case
    return case.model_copy(
        update={
            "stack": stack,
            "question": None,
            "proposal": None,
            "digressed": bool(stack),
        }
    )


def answered(case: Case, what: str) -> Case:
    """A knowledge topic or a flow was served; however often, it is kept once."""
    return case.model_copy(update={"answered": tuple(dict.fromkeys((*case.answered, what)))})


def digress(case: Case) -> Case:
    """Something else was served while a flow is open: say so when coming back to it."""
    return case.model_copy(update={"digressed": True}) if case.stack else case


def fill(case: Case, slot: Slot, value: str) -> Case:
    """Give a value to whoever is waiting for it: identity or the flow being served.

    A value nobody takes, or that cannot be one, changes nothing.
    """
    if not can_be(slot, value):
        return case
    asks = case.question.asks if case.question else None
    if asks is not None and asks.startswith("identity.") and slot in (*IDENTITY_SLOTS, "choice"):
        return case.model_copy(update={"facts": {**case.facts, slot: value}})
    flow = top(case)
    changed = filled(flow, slot, value) if flow is not None else None
    if changed is None:
        return case
    stale = asks in READ_BACK  # the read-back was of other values
    update = {"proposal": None, "question": None if stale else case.question}
    return put_top(case, changed).model_copy(update=update)


def can_be(slot: Slot, value: str) -> bool:
    """Has the value the form of its slot? Understanding normalises; what it could not is no answer."""
    if slot == "time":
        return is_wish(value)
    form = FORMS.get(slot)
    return bool(value.strip()) if form is None else form.fullmatch(value) is not None


def filled(flow: Flow, slot: Slot, value: str) -> Flow | None:
    """The flow with the slot filled, or None when the flow has no such slot."""
    if isinstance(flow, AddressFlow) and slot in ADDRESS_SLOTS:
        if slot == "line1":
            value = with_house_number(flow.parts.line1, value)
        parts = flow.parts.model_copy(update={slot: value})
        return flow.model_copy(update={"parts": parts, "disputed": False})
    if isinstance(flow, PhoneFlow) and slot == "phone":
        return flow.model_copy(update={"phone": value})
    if isinstance(flow, OrderFlow):
        return _filled_order(flow, slot, value)
    if isinstance(flow, CallbackFlow):
        return _filled_callback(flow, slot, value)
    return None


def with_house_number(street: str | None, value: str) -> str:
    """Street and house number, whichever came first: "no, fifteen", "main street" after "fifty"."""
    if street is None or (street.isdecimal() and value.isdecimal()):
        return value
    if street.isdecimal() and not re.search(r"\d", value):
        return _numbered(value, street)
    if not value.isdecimal():
        return value
    if re.search(r"\d", street):
        return re.sub(r"\d+", value, street, count=1)
    return _numbered(street, value)


def _numbered(street: str, number: str) -> str:
    """The number where the country of the street's word has it."""
    spanish = plain(street).split()[0] in STREET_TYPES["es"] - STREET_TYPES["fr"]
    return f"{street} {number}" if spanish else f"{number} {street}"


def without_house_number(street: str | None) -> str | None:
    """ "The number is wrong": the street is kept and its number asked for."""
    kept = re.sub(r"^\d+\w*\s+|\s+\d+\w*$", "", street or "")
    return kept if kept and not re.search(r"\d", kept) and kept != "PO Box" else None


def emptied_of(flow: Flow, slot: Slot) -> Flow | None:
    """The flow with what was given for a slot dropped, so that it is asked for; None when it has no such slot."""
    if isinstance(flow, AddressFlow) and slot in ("line1", "city", "postal_code", "region"):
        # The postal code tells the region: the one does not change without the other.
        dropped = ("region", "postal_code") if slot in ("region", "postal_code") else (slot,)
        emptied: dict[str, str | None] = dict.fromkeys(dropped)
        if slot == "line1":
            emptied = {"line1": without_house_number(flow.parts.line1)}
        parts = flow.parts.model_copy(update=emptied)
        return flow.model_copy(update={"parts": parts, "disputed": False})
    if not isinstance(flow, CallbackFlow):
        return None
    given: dict[Slot, dict[str, object]] = {
        "time": {"time": None, "at": None, "offered": ()},
        "phone": {"phone": None, "own_number_refused": True},
        "topic": {"topic": None},
    }
    return flow.model_copy(update={**given[slot], "disputed": False}) if slot in given else None


Dialled = TypeVar("Dialled", PhoneFlow, CallbackFlow)


def joined_phone(flow: Dialled, country: str) -> Dialled:
    """Digits become the number they make, alone or after those heard before; or are kept for the next ones."""
    digits = flow.phone or ""
    together = (flow.heard or "") + digits
    for said in (together, digits):
        reading = find_phone(said, "en", country)
        if reading is not None and reading.complete:
            return flow.model_copy(update={"phone": reading.e164, "heard": None})
    kept = together if len(together) < LONGEST_PIECES else digits
    return flow.model_copy(update={"phone": None, "heard": kept})


def _filled_order(flow: OrderFlow, slot: Slot, value: str) -> OrderFlow | None:
    if slot == "order":
        return flow.model_copy(update={"order": value, "last": False})
    if slot == "choice" and value.isdecimal() and 0 < int(value) <= len(flow.offered):
        return flow.model_copy(update={"order": plain_order(flow.offered[int(value) - 1])})
    return None


def plain_order(order_id: str) -> str:
    """An order id as it is heard: letters and digits, no separators."""
    return "".join(char for char in order_id.upper() if char.isalnum())


def _filled_callback(flow: CallbackFlow, slot: Slot, value: str) -> CallbackFlow | None:
    if slot == "topic":
        return flow.model_copy(update={"topic": value[:200], "disputed": False})
    if slot == "phone":
        return flow.model_copy(update={"phone": value, "disputed": False})
    if slot == "time":
        wish = merge_wish(flow.time, value)
        return flow.model_copy(update={"time": wish, "at": None, "disputed": False})
    if slot == "choice" and value.isdecimal() and 0 < int(value) <= len(flow.offered):
        at = flow.offered[int(value) - 1]
        return flow.model_copy(update={"at": at, "disputed": False})
    return None


def level_of(case: Case, now: datetime, lifetime_s: float = 900.0) -> Level:
    """How far the caller is identified now: identity ends fifteen minutes after it was proven."""
    proven = case.identity.proven_at
    if proven is None or (now - proven).total_seconds() > lifetime_s:
        return Level.ANONYMOUS
    return case.identity.level


def lapsed(case: Case, now: datetime) -> Case:
    """Identity that has run out is gone, and with it what was said and asked under it."""
    if level_of(case, now) == case.identity.level:
        return case
    before, question = case.identity, case.question
    fresh = Identity(candidates=before.candidates, account_slot=before.account_slot, lapsed=True)
    private = question is not None and question.asks.startswith(PRIVATE_ASKS)
    update = {"identity": fresh, "spoken": (), "facts": {}}
    return case.model_copy(update={**update, "question": None if private else question})


def level_reached(case: Case, needed: Level) -> bool:
    return case.identity.level >= needed


def flow_text(flow: Flow | FlowName | None) -> Text:
    """A flow's name, for Fluent to choose its words by."""
    if flow is None:
        return Text(value="none")
    return Text(value=flow if isinstance(flow, str) else flow.name)


def known_parts(parts: AddressParts) -> dict[str, str]:
    return {name: value for name, value in parts.model_dump().items() if value}


def terms_of(case: Case) -> tuple[str, ...]:
    """Words of this call that the caller may say next: what was read out to choose from, and the address they give."""
    flow = top(case)
    given = (flow.parts.line1, flow.parts.city) if isinstance(flow, AddressFlow) else ()
    offered = case.question.offered if case.question else ()
    return (*offered, *(one for one in given if one))
