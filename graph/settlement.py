"""A write nobody knew the end of: what became of it is asked of the effect log, and said.

Key and effect commit together, before the turn's checkpoint does. So a resumed call may find its proposal still
waiting for a yes although the change is made: asking again, or taking a no, would make the line say what is not true.
And when the answer to a commit was lost on the way, the call goes on with a change that may be made.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from graph.context import CallContext
from graph.dialogue import answered, flow_text, pop, tell, top
from graph.state import CallbackRequest, CallState, Case, Change, Done, HandOver, Proposal
from graph.understanding.commands import FlowName
from graph.wording.line import Line, line
from tools.effects import EffectKey, EffectName
from tools.errors import DeskError

FLOW_OF_EFFECT: dict[EffectName, FlowName] = {
    "update_address": "update_address",
    "update_phone": "update_phone",
    "book_callback": "callback",
    "change_callback": "callback",
    "cancel_callback": "callback",
    "hand_over": "talk_to_human",
}


async def settled(case: Case, context: CallContext, turn: int) -> Case:
    """The case with every write that did happen taken as done, and said in general terms.

    What was done since the caller last spoke is said, too: its words may have been in the air. When the log can't be
    asked, the proposals stay open under their keys: confirmed again, they run once.
    """
    last_spoke = max((one.turn for one in case.history if one.words), default=turn - 1)
    for done in case.done:
        if done.turn >= last_spoke and not (case.transfer and done.effect == "hand_over"):
            case = tell(case, _meanwhile(done.effect))
    tried = (*case.unsettled, case.proposal) if case.proposal else case.unsettled
    try:
        case = await _asked_after(case, tried, _meanwhile, context, turn)
        case = _on_the_way(case, tried)
        unproposed = hand_over_key(case, context.call_id, turn)
        if await context.desk.effects.is_done(unproposed):
            case = _taken_as_done(case, unproposed, turn)
            lost = HandOver(way="transfer", reason="asked")
            case = case.model_copy(update={"handed_over": True, "transfer": lost})
    except DeskError:
        return case
    return case


async def settled_after_all(case: Case, context: CallContext, turn: int) -> Case:
    """In a call that goes on: whatever was tried and did happen is done, before anything like it is done again."""
    tried = case.unsettled
    if context.unsure and case.proposal is not None:
        tried = (*tried, case.proposal)
    try:
        return await _asked_after(case, tried, _after_all, context, turn)
    except DeskError:
        return case


def through_after_all(case: Case, change: HandOver, turn: int) -> CallState:
    """The caller is on the way to a colleague, and told so; staff have the case already, and get it once."""
    done = tuple(
        one.model_copy(update={"turn": turn}) if one.effect == "hand_over" else one
        for one in case.done
    )
    case = tell(case, line("done-transfer")).model_copy(
        update={"transfer": change, "done": done, "turn_commands": (), "question": None}
    )
    return {"case": case, "ended": True, "outcome": "escalated"}


def said_again(case: Case) -> Case:
    """Nothing was heard of the last turn's words: what it did is said again."""
    last = case.history[-1].turn if case.history else 0
    return tell(case, *(_after_all(done.effect) for done in case.done if done.turn == last))


async def _asked_after(
    case: Case,
    tried: tuple[Proposal, ...],
    words: Callable[[EffectName], Line],
    context: CallContext,
    turn: int,
) -> Case:
    for proposal in tried:
        if await context.desk.effects.is_done(proposal.key):
            case = _taken_as_done(case, proposal.key, turn)
            case = tell(_with_staff(case, proposal.change), words(proposal.key.effect))
    return case


def hand_over_key(case: Case, call_id: UUID, turn: int) -> EffectKey:
    """The key under which the turn that was lost would have handed the caller over.

    Asking for a person is its own consent, so such a proposal is made and performed in one turn, and when that is
    lost no checkpoint knows of it. This turn has its number.
    """
    return EffectKey(call_id=call_id, turn=turn, effect="hand_over", seq=len(case.done))


def _taken_as_done(case: Case, key: EffectKey, turn: int) -> Case:
    case = _served(case, FLOW_OF_EFFECT[key.effect])
    done = Done(key=key, effect=key.effect, turn=turn)
    proposal = case.proposal
    return case.model_copy(
        update={
            "proposal": None if proposal is not None and proposal.key == key else proposal,
            "unsettled": tuple(one for one in case.unsettled if one.key != key),
            "done": (*(one for one in case.done if one.key != key), done),
            "digressed": False,
        }
    )


def _served(case: Case, name: FlowName) -> Case:
    """The flow is over, also when the offer of a person was put on top of it."""
    flow = top(case)
    if flow is not None and flow.name == name:
        return pop(case, served=True)
    others = tuple(open_ for open_ in case.stack if open_.name != name)
    if others == case.stack:
        return case
    return answered(case.model_copy(update={"stack": others}), name)


def _with_staff(case: Case, change: Change) -> Case:
    """Was the case given to a person with it?"""
    given = isinstance(change, HandOver) or (
        isinstance(change, CallbackRequest) and change.hands_over is not None
    )
    return case.model_copy(update={"handed_over": True}) if given else case


def _on_the_way(case: Case, tried: tuple[Proposal, ...]) -> Case:
    """Was one of these the caller's being put through?"""
    done = {one.key for one in case.done}
    for one in tried:
        if isinstance(one.change, HandOver) and one.change.way == "transfer" and one.key in done:
            case = case.model_copy(update={"transfer": one.change})
    return case


def _meanwhile(effect: EffectName) -> Line:
    return line("done-meanwhile", flow=flow_text(FLOW_OF_EFFECT[effect]))


def _after_all(effect: EffectName) -> Line:
    return line("done-after-all", flow=flow_text(FLOW_OF_EFFECT[effect]))
