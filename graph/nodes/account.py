"""Collects a new address or phone number, part by part, and proposes the change once it is whole.

Only `identity` leads here, and only at level 2.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import ask, pop, put_top, stumble, tell, top
from graph.proposals import propose
from graph.state import (
    AddressChange,
    AddressFlow,
    CallState,
    Case,
    PhoneChange,
    PhoneFlow,
)
from graph.understanding.commands import Slot
from graph.understanding.spoken import AddressParts, check_address, normalise_address
from graph.wording.line import Phone, Place, Text, line
from tools.records import Address, Customer

#: The postal code comes before the state, because it usually tells the state.
PARTS_IN_ORDER: tuple[Slot, ...] = ("line1", "city", "postal_code", "region")


async def account(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context, turn = state["case"], runtime.context, state["turn"]
    flow = top(case)
    customer = await context.desk.customers.get(case.identity.customer_id or "")
    if isinstance(flow, AddressFlow):
        case = _address(case, flow, customer, context, turn)
    elif isinstance(flow, PhoneFlow):
        case = _phone(case, flow, customer, context, turn)
    return {"case": case, "node": "account"}


def _address(
    case: Case, flow: AddressFlow, customer: Customer, context: CallContext, turn: int
) -> Case:
    if flow.disputed:
        return ask(case, turn, "account.address", "ask-address-what-to-correct")
    parts = flow.parts.model_copy(
        update={"country": flow.parts.country or customer.address.country}
    )
    faulty = check_address(parts)
    if faulty:
        return _ask_part(case, flow, faulty, turn)
    address = _whole(normalise_address(parts))
    if address == customer.address:
        return pop(tell(case, line("address-same")), served=True)
    change = AddressChange(customer_id=customer.customer_id, address=address)
    return propose(
        case, change, line("read-back-address", address=Place(value=address)), context, turn
    )


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


def _phone(
    case: Case, flow: PhoneFlow, customer: Customer, context: CallContext, turn: int
) -> Case:
    if flow.phone is None:
        return ask(case, turn, "account.phone", "ask-new-phone", slot="phone")
    if not flow.phone.startswith("+"):
        case = put_top(case, flow.model_copy(update={"phone": None}))
        case = stumble(tell(case, line("phone-incomplete")))
        if not isinstance(top(case), PhoneFlow):
            return case
        return ask(case, turn, "account.phone", "ask-new-phone", slot="phone")
    if flow.phone == customer.phone:
        return pop(tell(case, line("phone-same")), served=True)
    change = PhoneChange(customer_id=customer.customer_id, phone=flow.phone)
    return propose(
        case, change, line("read-back-phone", phone=Phone(value=flow.phone)), context, turn
    )
