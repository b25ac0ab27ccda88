"""The hub of a turn: serves what the caller did to the conversation itself, for every flow (see graph/repair.py)."""

from __future__ import annotations

from graph.repair import repaired
from graph.state import CallState


async def repair(state: CallState) -> CallState:
    before = state["case"]
    case = repaired(before, state["turn"])
    if case.turn_commands == before.turn_commands:
        return {"case": case}
    return {"case": case, "node": "repair"}
