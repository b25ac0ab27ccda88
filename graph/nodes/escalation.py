"""Brings people in: a transfer when somebody is free, a callback when not, and callbacks for their own sake."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.callbacks import serve_callback
from graph.context import CallContext
from graph.dialogue import ask, pop, push, put_top, stumble, tell, top
from graph.proposals import propose
from graph.settlement import through_after_all
from graph.state import CallbackFlow, CallState, Case, HandOver, HumanFlow
from graph.understanding import commands as c
from graph.wording.line import line

CHOICES = {"now": "yes", "1": "yes", "callback": "callback", "2": "callback"}


async def escalation(state: CallState, runtime: Runtime[CallContext]) -> CallState:
    case, context, turn = state["case"], runtime.context, state["turn"]
    flow = top(case)
    if isinstance(flow, HumanFlow) and _handed_over_after_all(case, turn):
        change = HandOver(way="transfer", reason=flow.reason, detail=flow.detail)
        return {**through_after_all(pop(case, served=True), change, turn), "node": "escalation"}
    if isinstance(flow, HumanFlow):
        case = await _person(case, flow, context, turn, state["language"])
    elif isinstance(flow, CallbackFlow):
        case = await serve_callback(case, flow, context, turn)
    else:
        case = case.model_copy(update={"turn_commands": case.turn_commands[1:]})
    return {"case": case, "node": "escalation"}


def _handed_over_after_all(case: Case, turn: int) -> bool:
    """Did this very turn find out that the attempt before it had come through? See settlement.py."""
    found = any(one.effect == "hand_over" and one.turn == turn for one in case.done)
    return case.handed_over and found


async def _person(
    case: Case, flow: HumanFlow, context: CallContext, turn: int, language: c.Language
) -> Case:
    choice, case = _choice(case)
    if choice == "no":
        return pop(tell(case, line("no-person-then")), served=False)
    if choice == "callback" or (choice == "yes" and flow.callback_offered):
        return _callback_instead(case, flow)
    if choice is None and (flow.offered or flow.callback_offered):
        return _offer(case, flow, turn)
    if await context.desk.staff.available(language):
        change = HandOver(way="transfer", reason=flow.reason, detail=flow.detail)
        return propose(case, change, None, context, turn)
    flow = flow.model_copy(update={"callback_offered": True, "offered": False})
    return _offer(put_top(tell(case, line("nobody-free")), flow), flow, turn)


def _choice(case: Case) -> tuple[str | None, Case]:
    """The answer to an open choice, taken off the turn."""
    if not case.turn_commands or case.question is None or case.question.asks != "escalation.choice":
        return None, case
    head, *rest = case.turn_commands
    taken = case.model_copy(update={"turn_commands": tuple(rest), "question": None})
    if isinstance(head, c.Affirm):
        return "yes", taken
    if isinstance(head, c.Deny):
        return "no", taken
    if isinstance(head, c.Answer) and head.value in CHOICES:
        return CHOICES[head.value], taken
    return None, stumble(case.model_copy(update={"turn_commands": tuple(rest)}))


def _offer(case: Case, flow: HumanFlow, turn: int) -> Case:
    message = "ask-callback-instead" if flow.callback_offered else "ask-person"
    return ask(case, turn, "escalation.choice", message)


def _callback_instead(case: Case, flow: HumanFlow) -> Case:
    """A callback that was being arranged goes on with what was given for it."""
    case = pop(case, served=False)
    begun = next((one for one in case.stack if isinstance(one, CallbackFlow)), None)
    if begun is None or begun.action != "book":
        begun = CallbackFlow()
    return push(case, begun.model_copy(update={"instead_of": begun.instead_of or flow}))
