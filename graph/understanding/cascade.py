"""Understanding as a cascade: the local reading, and a language model's where that is not sure of itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from deadline import bounded
from graph.understanding import commands as c
from graph.understanding import spoken
from graph.understanding.local import LocalUnderstander, sayable, tidied
from graph.understanding.model import ChatModel, ModelFailed
from graph.understanding.reading import understood
from tools.errors import BackendDown
from tools.limits import Breaker

log = structlog.get_logger(__name__)

#: The local confidence from which nobody else is asked. On the blind set (tests/understanding, 1,355 utterances) what
#: was read with 0.6 to 0.8 is right in 92 of 100 cases, with 0.45 to 0.6 in 83, below that in half of them and fewer:
#: above 0.6, eleven callers would wait for a model to help one.
SURE = 0.6
#: The same for what is read as noise. Real noise has 0.84 and more as a rule; what is said in words that the examples
#: lack ("cheerio", "à la revoyure") up to 0.79, and being asked again costs the caller more than half a second.
SURELY_NOISE = 0.85
#: A model that failed so often in a row is left alone for so many seconds: in half a minute two callers wait for
#: nothing, and then one who finds out whether it is back.
FAILURES_TO_OPEN = 2
OPEN_SECONDS = 30.0


def _breaker() -> Breaker:
    return Breaker(failures_to_open=FAILURES_TO_OPEN, open_seconds=OPEN_SECONDS)


@dataclass
class _Asked:
    """A model, and whether it is worth asking now."""

    model: ChatModel
    breaker: Breaker = field(default_factory=_breaker)


class Cascade:
    """The local reading first; where it is not sure, the models in their order, as long as a caller can wait."""

    def __init__(
        self, local: LocalUnderstander, models: Sequence[ChatModel], seconds: float
    ) -> None:
        """
        Args:
            seconds: for all models together.
        """
        self.local = local
        self.models = tuple(models)
        self.seconds = seconds
        self._asked = tuple(_Asked(one) for one in models)

    async def read(self, text: str, pending: c.Pending) -> c.Understanding:
        """Within the time, whatever the models do. Cancelled, it leaves nothing."""
        local = await self.local.read(text, pending)
        if not _worth_asking(text, pending, local):
            return local
        until = monotonic() + self.seconds
        for one in self._asked:
            left = until - monotonic()
            if left <= 0:
                break
            reading = await _ask(one, tidied(text), pending, local, left)
            if reading is not None:
                return reading
        return local

    def warm_up(self) -> None:
        """Load everything now, so that nobody waits for it later."""
        self.local.warm_up()
        self._load()

    def prepare(self) -> None:
        """Begin to load what asks the models, behind the greeting."""
        threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        for one in self.models:
            one.load()

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.gather(*(one.close() for one in self.models))


async def _ask(
    one: _Asked, text: str, pending: c.Pending, local: c.Understanding, seconds: float
) -> c.Understanding | None:
    """One model's reading; None when it gave none in time."""
    began = monotonic()
    try:
        one.breaker.check()
        answer = await bounded(one.model.read(text, pending), seconds)
    except BackendDown:  # the breaker is open
        return None
    except (ModelFailed, TimeoutError) as error:
        one.breaker.failed()
        kind = error.error_type if isinstance(error, ModelFailed) else "TimeoutError"
        log.warning(
            "provider.failed_over", port="understanding", provider=one.model.name, error_type=kind
        )
        return None
    except asyncio.CancelledError:
        one.breaker.called_off()
        raise
    one.breaker.succeeded()
    reading = understood(answer, text, pending, local)
    log.info(
        "utterance.read",
        port="understanding",
        provider=one.model.name,
        outcome=reading.by,
        ms=round(1000 * (monotonic() - began)),
    )
    return reading


def _worth_asking(text: str, pending: c.Pending, local: c.Understanding) -> bool:
    """Is the local reading unsure, and are these words that may be sent to somebody?"""
    if pending.keyed or not sayable(text):
        return False
    noise = all(isinstance(one, c.Unclear) for one in local.commands)
    if local.confidence >= (SURELY_NOISE if noise else SURE):
        return False
    return not any(_may_hold_a_code(text, pending, one) for one in c.LANGUAGES)


def _may_hold_a_code(text: str, pending: c.Pending, language: c.Language) -> bool:
    """A one-time code is nobody else's business, nor is a part of it where it is asked for."""
    if pending.asks == "identity.code":
        return bool(spoken.find_digits(text, language))
    return spoken.find_code(text, language) is not None
