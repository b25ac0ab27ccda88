"""The graph: every node and every edge, on one page.

A turn goes from START to END. `repair` is the hub: after each step it decides, with `after_repair`, what is
still to be heard or asked. Two promises are edges: only `identity` leads to `order` and `account`, and only
`confirm` leads to `act`.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

from graph.context import CallContext
from graph.nodes.account import account
from graph.nodes.act import act
from graph.nodes.closing import closing
from graph.nodes.confirm import confirm
from graph.nodes.escalation import escalation
from graph.nodes.faq import faq
from graph.nodes.identity import identity
from graph.nodes.order import order
from graph.nodes.repair import repair
from graph.nodes.say import say
from graph.nodes.understand import understand
from graph.routes import (
    after_account,
    after_confirm,
    after_escalation,
    after_identity,
    after_repair,
)
from graph.state import CallState, TurnInput
from graph.trouble import spoken_trouble

STEPS_PER_TURN = 60  # a turn that needs more is going in circles


def build() -> StateGraph[CallState, CallContext, TurnInput, CallState]:
    """The graph, not compiled: whoever runs it brings the checkpointer."""
    graph = StateGraph(CallState, context_schema=CallContext, input_schema=TurnInput)
    graph.add_node("understand", understand)
    graph.add_node("repair", repair)
    graph.add_node("identity", spoken_trouble(identity))
    graph.add_node("faq", spoken_trouble(faq))
    graph.add_node("order", spoken_trouble(order))
    graph.add_node("account", spoken_trouble(account))
    graph.add_node("escalation", spoken_trouble(escalation))
    graph.add_node("confirm", confirm)
    graph.add_node("act", act)
    graph.add_node("closing", closing)
    graph.add_node("say", say)

    graph.add_edge(START, "understand")
    graph.add_edge("understand", "repair")
    graph.add_conditional_edges("repair", after_repair)
    graph.add_conditional_edges("identity", after_identity)
    graph.add_edge("faq", "repair")
    graph.add_edge("order", "repair")
    graph.add_conditional_edges("account", after_account)
    graph.add_conditional_edges("escalation", after_escalation)
    graph.add_conditional_edges("confirm", after_confirm)
    graph.add_edge("act", "repair")
    graph.add_edge("closing", "repair")
    graph.add_edge("say", END)
    return graph


def compiled(checkpointer: BaseCheckpointSaver[str]) -> Any:
    """The graph with this checkpointer. Compiled once a process: LangGraph's own `copy()` would validate it anew."""
    graph = copy(_compiled())
    graph.checkpointer = checkpointer
    return graph


@cache
def _compiled() -> Any:  # LangGraph's own type is generic over internals
    return build().compile()
