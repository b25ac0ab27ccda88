"""Nothing is open: ask what else, then for a rating, then say goodbye. Owns the outcome of a call."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import ask, flow_text, tell, top
from graph.repair import starts_flow
from graph.state import CallState, Case, Outcome
from graph.understanding import commands as c
from graph.wording.line import line


async def closing(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, turn = state["case"], state["turn"]
    if not case.turn_commands:
        return {"case": _asked_what_else(case, turn), "node": "closing"}
    head, *rest = case.turn_commands
    case = case.model_copy(update={"turn_commands": tuple(rest)})
    asks = case.question.asks if case.question else None
    if asks == "closing.satisfaction":
        case = _rated(case, head)
    if _more_wanted(case):
        return {"case": case.model_copy(update={"question": None}), "node": "closing"}
    if asks == "closing.satisfaction":
        return _ended(case)
    if isinstance(head, c.Affirm):
        return {"case": ask(case, turn, "closing.more", "ask-go-ahead"), "node": "closing"}
    return _leaving(case, turn)


def _more_wanted(case: Case) -> bool:
    """Said together with a goodbye, a no or a rating, a new need comes first."""
    flow = top(case)
    opened_now = flow is not None and not flow.begun
    return opened_now or any(
        isinstance(one, c.AskFaq) or starts_flow(one) for one in case.turn_commands
    )


def _asked_what_else(case: Case, turn: int) -> Case:
    if case.misunderstood and not case.lines:
        rung = min(case.misunderstood - 1, 1)
        return ask(case, turn, "clarify", ("ask-clarify", "ask-clarify.again")[rung])
    if case.question is not None and case.question.asks == "closing.satisfaction":
        return ask(case, turn, "closing.satisfaction", "ask-satisfaction", slot="rating")
    return ask(case, turn, "closing.more", "ask-more" if case.answered else "ask-how-help")


def _leaving(case: Case, turn: int) -> CallState:
    """The caller has nothing more, or says goodbye in the middle of something."""
    flow = top(case)
    if flow is not None:
        unsure = line("left-open.unknown", flow=flow_text(flow))
        left = unsure if case.unsettled else line("left-open", flow=flow_text(flow))
        return _ended(tell(case, left))
    if case.answered and not case.rating_asked:
        case = case.model_copy(update={"rating_asked": True})
        asked = ask(case, turn, "closing.satisfaction", "ask-satisfaction", slot="rating")
        return {"case": asked, "node": "closing"}
    return _ended(case)


def _rated(case: Case, head: c.Command) -> Case:
    if (
        isinstance(head, c.Answer)
        and head.slot == "rating"
        and head.value in ("1", "2", "3", "4", "5")
    ):
        case = case.model_copy(update={"satisfaction": int(head.value)})
        return tell(case, line("rating-thanks"))
    return case


def _ended(case: Case) -> CallState:
    case = tell(case.model_copy(update={"question": None, "turn_commands": ()}), line("goodbye"))
    return {"case": case, "node": "closing", "ended": True, "outcome": outcome_of(case)}


def outcome_of(case: Case) -> Outcome:
    """Solved when everything asked was served, escalated when a person has it, abandoned otherwise."""
    if case.handed_over:
        return "escalated"
    return "solved" if case.answered and not case.stack else "abandoned"
