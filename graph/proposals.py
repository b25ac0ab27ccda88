"""Putting a write up for confirmation: the key is minted here, before the question is asked."""

from __future__ import annotations

from graph.context import CallContext
from graph.state import Case, Change, Proposal
from graph.wording.line import Line
from tools.effects import EffectKey


def is_proposed(case: Case, change: Change) -> bool:
    """Is this write up for confirmation already?"""
    return case.proposal is not None and case.proposal.change == change


def propose(
    case: Case, change: Change, read_back: Line | None, context: CallContext, turn: int
) -> Case:
    """Put a write up for confirmation.

    The same change proposed again keeps its key, also after an attempt nobody knows the end of. Without a
    read-back the caller's own request is the consent.
    """
    if is_proposed(case, change):
        return case
    tried = next((one for one in case.unsettled if one.change == change), None)
    if tried is not None:
        return case.model_copy(update={"proposal": tried, "question": None})
    key = EffectKey(call_id=context.call_id, turn=turn, effect=change.effect, seq=len(case.done))
    proposal = Proposal(key=key, change=change, read_back=read_back)
    return case.model_copy(update={"proposal": proposal, "question": None})
