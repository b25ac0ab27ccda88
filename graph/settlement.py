"""A call that dropped in the middle of a write: what became of it is asked of the effect log, and said.

Key and effect commit together, before the turn's checkpoint does. So a resumed call may find its proposal still
waiting for a yes although the change is made: asking again, or taking a no, would make the line say what is not true.
"""

from __future__ import annotations

from graph.context import CallContext
from graph.dialogue import flow_text, pop, tell, top
from graph.state import Case, Done, Proposal
from graph.understanding.commands import FlowName
from graph.wording.line import line
from tools.effects import EffectName
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

    When the log can't be asked, the proposals stay open under their keys: confirmed again, they run once.
    """
    tried = (*case.unsettled, case.proposal) if case.proposal else case.unsettled
    for proposal in tried:
        try:
            happened = await context.desk.effects.is_done(proposal.key)
        except DeskError:
            return case
        if happened:
            case = _taken_as_done(case, proposal, turn)
    return case


def _taken_as_done(case: Case, proposal: Proposal, turn: int) -> Case:
    flow_name = FLOW_OF_EFFECT[proposal.key.effect]
    flow = top(case)
    if flow is not None and flow.name == flow_name:
        case = pop(case, served=True)
    done = Done(key=proposal.key, effect=proposal.key.effect, turn=turn)
    case = case.model_copy(
        update={
            "proposal": None if case.proposal == proposal else case.proposal,
            "unsettled": tuple(one for one in case.unsettled if one.key != proposal.key),
            "done": (*(one for one in case.done if one.key != done.key), done),
            "digressed": False,
        }
    )
    return tell(case, line("done-meanwhile", flow=flow_text(flow_name)))
