"""The only node that performs a write: the confirmed proposal, once, under the key it was proposed with."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import level_of, offer_person, pop, put_top, tell, top
from graph.state import (
    AddressChange,
    CallbackFlow,
    CallbackRequest,
    CallState,
    Case,
    Done,
    HandOver,
    HumanFlow,
    PhoneChange,
    Proposal,
)
from graph.wording.line import Line, Moment, Phone, line
from tools.accounts import update_address, update_phone
from tools.callbacks import perform_callback
from tools.effects import EffectConflict, EffectOutcome
from tools.errors import BackendDown, NotFound, Refused
from tools.records import CallbackBooking, Customer, Handover, HandoverTicket


async def act(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context = state["case"], runtime.context
    proposal = case.proposal
    if proposal is None or not proposal.confirmed:
        return {"case": case, "node": "act"}
    try:
        outcome = await _perform(proposal, state, context)
    except EffectConflict:
        return {"case": _not_done(case, keep_key=False), "node": "act"}
    except BackendDown:
        return {"case": _not_done(case, keep_key=True), "node": "act"}
    except (Refused, NotFound) as refused:
        return {"case": _refused(case, refused), "node": "act"}
    return _done(case, proposal, outcome.repeated, state, context)


async def _perform(
    proposal: Proposal, state: CallState, context: CallContext
) -> EffectOutcome[Customer] | EffectOutcome[CallbackBooking] | EffectOutcome[HandoverTicket]:
    change, desk = proposal.change, context.desk
    level = level_of(state["case"], context.clock())
    if isinstance(change, AddressChange):
        return await desk.effects.run_once(
            proposal.key,
            change,
            lambda: update_address(
                desk.customers,
                desk.notices,
                customer_id=change.customer_id,
                level=level,
                address=change.address,
                company=context.company,
            ),
            Customer,
        )
    if isinstance(change, PhoneChange):
        return await desk.effects.run_once(
            proposal.key,
            change,
            lambda: update_phone(
                desk.customers,
                desk.notices,
                customer_id=change.customer_id,
                level=level,
                phone=change.phone,
                company=context.company,
            ),
            Customer,
        )
    if isinstance(change, CallbackRequest):
        return await _perform_callback(proposal, change, state, context)
    handover = handover_record(state, context, change)
    return await desk.effects.run_once(
        proposal.key, change, lambda: desk.staff.hand_over(handover, change.way), HandoverTicket
    )


async def _perform_callback(
    proposal: Proposal, change: CallbackRequest, state: CallState, context: CallContext
) -> EffectOutcome[CallbackBooking]:
    """A callback that stands in for a person also queues the case, in the same transaction."""
    desk = context.desk

    async def booked() -> CallbackBooking:
        booking = await perform_callback(
            desk.callbacks,
            effect=change.effect,
            call_id=context.call_id,
            topic=change.topic,
            phone=change.phone,
            at=change.at,
            country=change.country,
            language=state["language"],
            callback_id=change.callback_id,
        )
        if change.hands_over is not None:
            record = handover_record(state, context, change.hands_over)
            await desk.staff.hand_over(record, change.hands_over.way)
        return booking

    return await desk.effects.run_once(proposal.key, change, booked, CallbackBooking)


def handover_record(state: CallState, context: CallContext, change: HandOver) -> Handover:
    """What the person who takes over needs to know."""
    case = state["case"]
    last = case.history[-1].said if case.history else ""
    opened = tuple(flow.name for flow in case.stack if not isinstance(flow, HumanFlow))
    return Handover(
        call_id=context.call_id,
        reason=change.reason,
        customer_id=case.identity.customer_id,
        level=int(level_of(case, context.clock())),
        language=state["language"],
        asked=(*case.asked, *((change.detail,) if change.detail else ())),
        done=tuple(done.effect for done in case.done),
        open=opened,
        last_line=last,
    )


def _done(
    case: Case, proposal: Proposal, repeated: bool, state: CallState, context: CallContext
) -> CallState:
    effect = proposal.key.effect
    done = Done(key=proposal.key, effect=effect, turn=state["turn"])
    case = pop(case, served=True)
    case = case.model_copy(
        update={
            "done": (*(one for one in case.done if one.key != done.key), done),
            "unsettled": _still_unsettled(case, done),
            "done_now": case.done_now if repeated else (*case.done_now, effect),
        }
    )
    if repeated:
        case = tell(case, line("already-done"))
    case = tell(case, _said_done(proposal, context, case))
    update: CallState = {"case": case, "node": "act"}
    if isinstance(proposal.change, HandOver) and proposal.change.way == "transfer":
        handed = case.model_copy(
            update={"handed_over": True, "transfer": proposal.change, "turn_commands": ()}
        )
        return {**update, "case": handed, "ended": True, "outcome": "escalated"}
    if isinstance(proposal.change, CallbackRequest) and proposal.change.hands_over:
        update["case"] = case.model_copy(update={"handed_over": True})
    return update


def _still_unsettled(case: Case, done: Done) -> tuple[Proposal, ...]:
    """An older attempt at the same thing is history: proposed again, it is a new write with a new key."""
    same = done.effect.rpartition("_")[2]
    return tuple(one for one in case.unsettled if not one.key.effect.endswith(same))


def _said_done(proposal: Proposal, context: CallContext, case: Case) -> Line:
    change = proposal.change
    if isinstance(change, AddressChange):
        return line("done-address")
    if isinstance(change, PhoneChange):
        return line("done-phone")
    if isinstance(change, HandOver):
        return line("done-transfer")
    local = change.at.astimezone(ZoneInfo(case.zone))
    when = Moment(value=local, today=context.now(case.zone).date())
    message = change.effect.replace("_", "-")
    return line(f"done-{message}", when=when, phone=Phone(value=change.phone))


def _not_done(case: Case, *, keep_key: bool) -> Case:
    """The systems did not answer: nothing is claimed, a person is offered.

    The proposal keeps its key, unless that turned out to be another write's.
    """
    unsettled = case.unsettled
    if case.proposal is not None:
        others = (one for one in case.unsettled if one.key != case.proposal.key)
        tried = case.proposal.model_copy(update={"confirmed": False})
        unsettled = (*others, tried) if keep_key else tuple(others)
    case = case.model_copy(
        update={"proposal": None, "unsettled": unsettled[-3:], "turn_commands": ()}
    )
    case = tell(case, line("write-failed"))
    if isinstance(top(case), HumanFlow):
        return pop(case, served=False)
    return offer_person(case, HumanFlow(reason="backend_down", offered=True))


def _refused(case: Case, refused: Refused | NotFound) -> Case:
    flow = top(case)
    case = case.model_copy(update={"proposal": None, "question": None})
    taken = isinstance(refused, Refused) and refused.reason in ("slot_taken", "outside_hours")
    if isinstance(flow, CallbackFlow) and taken:
        case = put_top(case, flow.model_copy(update={"at": None}))
        return tell(case, line("callback-time-taken"))
    case = tell(pop(case, served=False), line("write-refused"))
    return offer_person(case, HumanFlow(reason="backend_down", offered=True))
