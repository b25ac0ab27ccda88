"""Collects a new address or phone number, part by part, and proposes the change once it is whole.

Only `identity` leads here, and only at level 2.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import ask, joined_phone, pop, put_top, stumble, tell, top
from graph.proposals import is_proposed, propose
from graph.state import (
    AddressChange,
    AddressFlow,
    CallState,
    Case,
    PhoneChange,
    PhoneFlow,
)
from graph.understanding import commands as c
from graph.understanding.commands import Slot
from graph.understanding.spoken import AddressParts, check_address, normalise_address
from graph.wording.line import Phone, Place, Text, line
from tools.records import Address, Customer

#: The postal code comes before the state, because it usually tells the state.
PARTS_IN_ORDER: tuple[Slot, ...] = ("line1", "city", "postal_code", "region")


async def account(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context, turn = state["case"], runtime.context, state["turn"]
    flow = top(case)
    if isinstance(flow, AddressFlow):
        case = await _address(case, flow, context, turn)
    elif isinstance(flow, PhoneFlow):
        case = await _phone(case, flow, context, turn)
    return {"case": case, "node": "account"}


async def _customer(case: Case, context: CallContext) -> Customer:
    return await context.desk.customers.get(case.identity.customer_id or "")


async def _address(case: Case, flow: AddressFlow, context: CallContext, turn: int) -> Case:
    """Once the country is known, parts are taken from memory: also while no system answers."""
    if flow.parts.country is None:
        country = (await _customer(case, context)).address.country
        flow = flow.model_copy(update={"parts": flow.parts.model_copy(update={"country": country})})
        case = put_top(case, flow)
    if flow.disputed:
        return ask(case, turn, "account.address", "ask-address-what-to-correct")
    faulty = check_address(flow.parts)
    if flow.parts.line1 and _half_a_street(case, flow.parts.line1):
        return ask(case, turn, "account.address", "ask-address-line1", slot="line1")
    if faulty:
        return _ask_part(case, flow, faulty, turn)
    address = _whole(normalise_address(flow.parts))
    change = AddressChange(customer_id=case.identity.customer_id or "", address=address)
    if not is_proposed(case, change) and address == (await _customer(case, context)).address:
        return pop(tell(case, line("address-same")), served=True)
    return propose(
        case, change, line("read-back-address", address=Place(value=address)), context, turn
    )


def _half_a_street(case: Case, line1: str) -> bool:
    """A number without a street; or a street just given without a number, asked once: some have none."""
    if line1.isdecimal():
        return True
    numbered = any(char.isdigit() for char in line1) or line1.endswith("s/n")
    asked = case.question is not None and case.question.slot == "line1"
    just_given = any(
        isinstance(one, c.Answer | c.Correct) and one.slot == "line1" for one in case.understood
    )
    return just_given and not numbered and not asked


def _ask_part(case: Case, flow: AddressFlow, faulty: tuple[str, ...], turn: int) -> Case:
    """Ask for what is missing, one part at a time; a part that cannot be right is given up and asked again."""
    known = flow.parts.model_dump()
    wrong = [slot for slot in PARTS_IN_ORDER if slot in faulty and known.get(slot)]
    if wrong:
        case = tell(case, line("address-part-wrong", part=Text(value=wrong[0])))
        kept = flow.parts.model_copy(update=dict.fromkeys(wrong))
        case = put_top(case, flow.model_copy(update={"parts": kept}))
        if case.question is not None and case.question.slot == wrong[0]:
            case = stumble(case)
            if top(case) is None or not isinstance(top(case), AddressFlow):
                return case
    if not any(known.get(slot) for slot in PARTS_IN_ORDER):
        return ask(case, turn, "account.address", "ask-address")
    missing: Slot = next((slot for slot in PARTS_IN_ORDER if slot in faulty), "line1")
    return ask(
        case, turn, "account.address", f"ask-address-{missing.replace('_', '-')}", slot=missing
    )


def _whole(parts: AddressParts) -> Address:
    return Address(
        line1=parts.line1 or "",
        line2=parts.line2 or "",
        city=parts.city or "",
        region=parts.region or "",
        postal_code=parts.postal_code or "",
        country=parts.country or "",
    )


async def _phone(case: Case, flow: PhoneFlow, context: CallContext, turn: int) -> Case:
    if flow.phone is None:
        return ask(case, turn, "account.phone", "ask-new-phone", slot="phone")
    if not flow.phone.startswith("+"):
        flow = joined_phone(flow, case.country)
        case = put_top(case, flow)
    if flow.phone is None:
        case = stumble(tell(case, line("phone-incomplete")))
        if not isinstance(top(case), PhoneFlow):
            return case
        return ask(case, turn, "account.phone", "ask-new-phone", slot="phone")
    change = PhoneChange(customer_id=case.identity.customer_id or "", phone=flow.phone)
    if not is_proposed(case, change) and flow.phone == (await _customer(case, context)).phone:
        return pop(tell(case, line("phone-same")), served=True)
    return propose(
        case, change, line("read-back-phone", phone=Phone(value=flow.phone)), context, turn
    )
