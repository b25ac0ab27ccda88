"""The one gate in front of a write: reads the proposal back and waits for a yes to a question that was heard."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import open_question
from graph.repair import dispute
from graph.state import CallState, Case
from graph.understanding import commands as c


async def confirm(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    return {"case": _confirmed(state["case"], state["turn"]), "node": "confirm"}


def _confirmed(case: Case, turn: int) -> Case:
    proposal = case.proposal
    if proposal is None:
        return case
    if proposal.read_back is None:
        return _agreed(case)
    asks: c.Asks = "callback.confirm" if "callback" in proposal.change.effect else "account.confirm"
    head = case.turn_commands[0] if case.turn_commands else None
    if head is not None and was_heard(case, asks, turn):
        rest = case.model_copy(update={"turn_commands": case.turn_commands[1:]})
        if isinstance(head, c.Affirm):
            return _agreed(rest)
        if isinstance(head, c.Deny):
            return dispute(rest)
    # A yes or no to anything else settles nothing here.
    left = tuple(one for one in case.turn_commands if not isinstance(one, c.Affirm | c.Deny))
    case = case.model_copy(update={"turn_commands": left})
    return open_question(case, turn, asks, proposal.read_back)


def was_heard(case: Case, asks: c.Asks, turn: int) -> bool:
    """Was this very question put in an earlier turn, and heard to its end?"""
    question = case.question
    if question is None or case.proposal is None or case.proposal.read_back is None:
        return False
    same_words = question.line == case.proposal.read_back
    return question.asks == asks and question.turn < turn and question.heard and same_words


def _agreed(case: Case) -> Case:
    assert case.proposal is not None
    confirmed = case.proposal.model_copy(update={"confirmed": True})
    return case.model_copy(update={"proposal": confirmed, "question": None})
