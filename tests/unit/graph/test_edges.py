"""Promises that are edges of the drawing, and the lint that keeps the drawing whole."""

from __future__ import annotations

from typing import Literal

import pytest
from langgraph.graph import END, START, StateGraph

from graph.build import build
from graph.context import CallContext
from graph.drawing import faults, mermaid
from graph.nodes.repair import repair
from graph.state import CallState

NODES = {
    "understand",
    "repair",
    "identity",
    "faq",
    "order",
    "account",
    "escalation",
    "confirm",
    "act",
    "closing",
    "say",
}
Builder = StateGraph[CallState, CallContext, CallState, CallState]


@pytest.fixture
def edges() -> set[tuple[str, str]]:
    drawn = build().compile().get_graph()
    return {(edge.source, edge.target) for edge in drawn.edges}


def reachable_without(edges: set[tuple[str, str]], avoided: str) -> set[str]:
    """Every node a turn can come to that never enters `avoided`."""
    reached, waiting = set[str](), [START]
    while waiting:
        name = waiting.pop()
        if name in reached or name == avoided:
            continue
        reached.add(name)
        waiting += [target for source, target in edges if source == name]
    return reached


def into(edges: set[tuple[str, str]], node: str) -> set[str]:
    return {source for source, target in edges if target == node}


def test_the_nodes_are_those_of_the_design() -> None:
    assert set(build().nodes) == NODES


def test_the_drawing_has_no_faults() -> None:
    assert faults(build()) == ()


def test_the_drawing_names_every_node() -> None:
    picture = mermaid()
    assert all(name in picture for name in NODES)


@pytest.mark.parametrize("node", ["order", "account"])
def test_every_way_to_private_things_passes_identity(
    edges: set[tuple[str, str]], node: str
) -> None:
    assert node not in reachable_without(edges, "identity")
    assert into(edges, node) == {"identity"}


def test_every_way_to_a_write_passes_confirm(edges: set[tuple[str, str]]) -> None:
    assert "act" not in reachable_without(edges, "confirm")
    assert into(edges, "act") == {"confirm"}


def test_only_flows_that_propose_lead_to_confirm(edges: set[tuple[str, str]]) -> None:
    assert into(edges, "confirm") == {"account", "escalation"}


def test_a_turn_ends_only_by_saying_something(edges: set[tuple[str, str]]) -> None:
    assert into(edges, END) == {"say"}
    assert END not in reachable_without(edges, "say")


def test_every_node_can_come_to_an_end(edges: set[tuple[str, str]]) -> None:
    backwards = {(target, source) for source, target in edges}
    ended, waiting = set[str](), [END]
    while waiting:
        name = waiting.pop()
        if name not in ended:
            ended.add(name)
            waiting += [target for source, target in backwards if source == name]
    assert ended >= NODES


# The lint finds what it is for ------------------------------------------------------------------------


def whole() -> Builder:
    graph = StateGraph(CallState, context_schema=CallContext)
    graph.add_node("first", repair)
    graph.add_node("second", repair)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph


def first_or_second(state: CallState) -> Literal["first", "second"]:
    return "first"


def untyped(state: CallState):  # type: ignore[no-untyped-def]
    return "second"


def test_a_whole_graph_passes_the_lint() -> None:
    graph = whole()
    graph.add_conditional_edges("first", first_or_second)
    assert faults(graph) == ()


def test_an_unknown_target_is_found() -> None:
    graph = whole()
    graph.edges.add(("second", "nowhere"))
    assert faults(graph) == ("second leads to unknown nowhere",)


def test_a_branch_to_an_unknown_target_is_found() -> None:
    def elsewhere(state: CallState) -> Literal["second", "nowhere"]:
        return "second"

    graph = whole()
    graph.add_conditional_edges("first", elsewhere, ["second", "nowhere"])
    assert faults(graph) == ("first leads to unknown nowhere",)


def test_a_branch_without_ends_is_found() -> None:
    graph = whole()
    graph.add_conditional_edges("first", untyped)
    assert faults(graph) == ("branch untyped of first does not declare its ends",)


def test_an_unreachable_node_is_found() -> None:
    graph = whole()
    graph.add_node("lonely", repair)
    graph.add_edge("lonely", END)
    assert faults(graph) == ("lonely is unreachable",)


def test_a_dead_end_is_found() -> None:
    graph = whole()
    graph.edges.discard(("second", END))
    assert faults(graph) == ("second is a dead end",)
