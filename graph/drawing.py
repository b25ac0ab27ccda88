"""The graph as a picture in words, and the lint LangGraph itself does not do."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph

from graph.build import build


def mermaid() -> str:
    """The drawing in README."""
    drawn: str = build().compile().get_graph().draw_mermaid()
    return drawn.strip()


def faults(graph: StateGraph) -> tuple[str, ...]:  # type: ignore[type-arg]
    """What would end a turn in silence: unknown targets, branches without ends, unreachable nodes, dead ends."""
    found: list[str] = []
    targets: dict[str, set[str]] = {name: set() for name in (START, *graph.nodes)}
    for source, target in graph.edges:
        targets.setdefault(source, set()).add(target)
    for source, branches in graph.branches.items():
        for name, branch in branches.items():
            if not branch.ends:
                found.append(f"branch {name} of {source} does not declare its ends")
            targets.setdefault(source, set()).update((branch.ends or {}).values())
    known = {*graph.nodes, START, END}
    for source, ends in targets.items():
        found += [f"{source} leads to unknown {end}" for end in sorted(ends - known)]
    reached = _reachable(targets)
    found += [f"{name} is unreachable" for name in graph.nodes if name not in reached]
    found += [f"{name} is a dead end" for name in graph.nodes if not targets[name]]
    return tuple(found)


def _reachable(targets: dict[str, set[str]]) -> set[str]:
    reached, waiting = set[str](), [START]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += targets.get(name, ())
    return reached
