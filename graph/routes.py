"""Where a turn goes next: pure functions from the state to the name of a node.

Async, because LangGraph sends anything else through a thread, which costs more than all of them together.
"""

from __future__ import annotations

from typing import Literal

from graph.dialogue import LEVEL_NEEDED, level_reached, top
from graph.state import AddressFlow, CallState, Case, OrderFlow, PhoneFlow
from graph.understanding import commands as c

NextStop = Literal["identity", "faq", "escalation", "closing", "say"]


async def after_repair(state: CallState) -> NextStop:
    """What is left to hear first, then the flow on top, then the end of the call."""
    case = state["case"]
    if state.get("ended"):
        return "say"
    if case.turn_commands:
        return _stop_for_command(case)
    if case.waiting or _asked_now(state) or _greeted(case):
        return "say"
    return _stop_for_flow(case)


def _stop_for_command(case: Case) -> NextStop:
    head = case.turn_commands[0]
    if isinstance(head, c.AskFaq):
        return "faq"
    if isinstance(head, c.Goodbye):
        return "closing"
    asks = case.question.asks if case.question else None
    if asks == "account.confirm":
        return "identity"
    if asks in ("callback.confirm", "callback.phone", "escalation.choice"):
        return "escalation"
    return "closing"


def _greeted(case: Case) -> bool:
    """The greeting asks what the caller wants."""
    greeting = any(one.id.partition(".")[0] == "greeting" for one in case.lines)
    return greeting and not case.stack


def _stop_for_flow(case: Case) -> NextStop:
    flow = top(case)
    if flow is None:
        return "closing"
    return "identity" if isinstance(flow, OrderFlow | AddressFlow | PhoneFlow) else "escalation"


def _asked_now(state: CallState) -> bool:
    question = state["case"].question
    return question is not None and question.turn == state["turn"]


async def after_identity(state: CallState) -> Literal["order", "account", "repair"]:
    """The one way to anything private: only with the level the flow needs."""
    case = state["case"]
    flow = top(case)
    if flow is None or _asked_now(state) or not level_reached(case, LEVEL_NEEDED[flow.name]):
        return "repair"
    if isinstance(flow, OrderFlow):
        return "order"
    return "account" if isinstance(flow, AddressFlow | PhoneFlow) else "repair"


async def after_account(state: CallState) -> Literal["confirm", "repair"]:
    return "confirm" if state["case"].proposal is not None else "repair"


async def after_escalation(state: CallState) -> Literal["confirm", "repair"]:
    return "confirm" if state["case"].proposal is not None else "repair"


async def after_confirm(state: CallState) -> Literal["act", "repair"]:
    proposal = state["case"].proposal
    return "act" if proposal is not None and proposal.confirmed else "repair"
