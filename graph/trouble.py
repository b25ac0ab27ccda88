"""A look-up that failed still ends in a sentence, a next step and a way to a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar, cast

from langgraph.runtime import Runtime

from graph.context import CallContext
from graph.dialogue import ask, offer_person, pop, tell, top
from graph.state import CallbackFlow, CallState, Case, HumanFlow
from graph.wording.line import Line, Text, line
from tools.effects import EffectConflict
from tools.errors import DeskError

Node = TypeVar("Node", bound=Callable[..., Awaitable[CallState]])


def spoken_trouble(node: Node) -> Node:
    """The node, with the company's systems failing turned into words."""

    @wraps(node)
    async def guarded(state: CallState, runtime: Runtime[CallContext]) -> CallState:
        try:
            return await node(state, runtime)
        except (DeskError, EffectConflict):
            return {"case": troubled(state["case"], state["turn"]), "node": node.__name__}

    return cast("Node", guarded)


def troubled(case: Case, turn: int) -> Case:
    """Say that it did not work and offer a person; when even that fails, ask what else, so that no turn circles."""
    told = any(one.id == "lookup-failed" for one in case.lines)
    case = case.model_copy(update={"turn_commands": (), "facts": {}})
    if told or isinstance(top(case), HumanFlow | CallbackFlow):
        case = tell(pop(case, served=False), line("nobody-reachable"))
        case = case.model_copy(
            update={"digressed": False}
        )  # asking what else, we are not back at what is open
        return ask(case, turn, "closing.more", "ask-more")
    return offer_person(
        tell(case, line("lookup-failed")), HumanFlow(reason="backend_down", offered=True)
    )


def unavailable(company: str) -> Line:
    """What a caller hears who calls while nothing answers us, so that we can't even tell whether we spoke before."""
    return line("line-unavailable", company=Text(value=company))


def turn_failed() -> Line:
    """What a caller hears when a turn of ours broke off: the question before it is still the open one."""
    return line("turn-failed")


def holding() -> Line:
    """What a caller hears while we are still at work."""
    return line("holding")
