"""What a colleague is told aloud before a caller is joined: general terms only, since a machine may have answered."""

from __future__ import annotations

from graph.wording.line import Line, Text, line
from tools.records import Handover


def brief_of(handover: Handover) -> tuple[Line, ...]:
    """Who waits, why, what is open, and which key takes the call."""
    return (
        line("brief-caller", spoken=Text(value=handover.language)),
        line("brief-identity", level=Text(value=str(handover.level))),
        line("brief-reason", reason=Text(value=handover.reason)),
        *(line("brief-open", flow=Text(value=flow)) for flow in handover.open),
        line("brief-take"),
    )
