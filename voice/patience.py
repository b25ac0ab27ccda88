"""How long the line waits in a pause before it takes the turn: longer while digits or an address are dictated."""

from __future__ import annotations

from livekit.agents.voice.turn import EndpointingOptions

from graph.state import Lang

#: Seconds of silence after which a turn is over: when the turn detector takes it for finished, and when not.
#: A group of digits is followed by half a second of silence and more, a part of an address by a second.
SHORT, USUAL, DICTATED, RECALLED = (0.25, 1.2), (0.4, 2.5), (0.9, 3.5), (1.1, 4.5)

_BY_QUESTION: dict[str, tuple[float, float]] = {
    "account.confirm": SHORT,
    "callback.confirm": SHORT,
    "resume.continue": SHORT,
    "closing.more": SHORT,
    "closing.satisfaction": SHORT,
    "identity.code": DICTATED,
    "order.which": DICTATED,
    "account.phone": DICTATED,
    "callback.phone": DICTATED,
    "identity.account": DICTATED,
    "identity.fact": DICTATED,
    "account.address": RECALLED,
}
#: The French say phone numbers in five pairs, with a pause after each.
_FRENCH_PAIRS = 0.2


def patience(asks: str | None, language: Lang) -> EndpointingOptions:
    """For `AgentSession.update_options(endpointing_opts=...)`; it holds from the caller's next pause on."""
    finished, unfinished = _BY_QUESTION.get(asks or "", USUAL)
    if language == "fr" and (finished, unfinished) == DICTATED:
        finished += _FRENCH_PAIRS
    return {"mode": "fixed", "min_delay": finished, "max_delay": unfinished}
