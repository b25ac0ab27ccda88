"""A whole call on the graph, turn by turn: fake company systems, a checkpointer in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from langgraph.checkpoint.memory import InMemorySaver
from pydantic import TypeAdapter

from checkpoints.serializer import StrictSerializer
from graph.build import STEPS_PER_TURN, build
from graph.context import CallContext, Wording
from graph.state import CallerTurn, CallState, Case, Lang
from graph.understanding import commands as c
from graph.wording.line import Line
from services import CHECKPOINTED
from tests.fakes.desk import JANE, FakeCompany

MONDAY = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
KEYED_SLOTS: dict[str, c.Slot] = {
    "identity.fact": "postal_code",
    "identity.code": "code",
    "identity.account": "phone",
    "account.phone": "phone",
    "callback.phone": "phone",
    "order.which": "choice",
    "callback.time": "choice",
    "closing.satisfaction": "rating",
}
_heard: TypeAdapter[c.Understanding] = TypeAdapter(c.Understanding)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class ScriptedUnderstander:
    """The words are the commands, written as JSON; keypad digits are what the question asks for."""

    async def read(self, text: str, pending: c.Pending) -> c.Understanding:
        if text.startswith("{"):
            said = {"language": pending.language, "confidence": 1.0, **json.loads(text)}
            return _heard.validate_python(said)
        slot = KEYED_SLOTS.get(pending.asks or "")
        command: c.Command = c.Answer(slot=slot, value=text) if slot and text else c.Unclear()
        return c.Understanding(language=pending.language, commands=(command,), confidence=1.0)


class BareWording:
    """Every line as its id and its facts as they are on file: a test sees all that is said."""

    def __init__(self) -> None:
        self.lines: tuple[Line, ...] = ()

    def speak(
        self, lines: Sequence[Line], language: Lang, *, mood: c.Mood = "calm", variant: int = 0
    ) -> str:
        self.lines = tuple(lines)
        return " ".join(f"{one.id}{_facts(one)}" for one in lines)


def _facts(one: Line) -> str:
    shown = {name: fact.model_dump(mode="json") for name, fact in one.facts.items()}
    return json.dumps(shown, ensure_ascii=False) if shown else ""


class FakeCall:
    """One caller on the line. Between two turns only the checkpoint and the clock live on."""

    def __init__(
        self,
        *,
        number: str | None = JANE.phone,
        company: FakeCompany | None = None,
        clock: Clock | None = None,
        wording: Wording | None = None,
        language: Lang = "en",
    ) -> None:
        self.clock = clock or Clock()
        self.company = company or FakeCompany(self.clock)
        self.bare = BareWording()
        self.call_id = uuid4()
        self.state: CallState = {}
        self._number = number
        self._language: Lang = language
        self._wording = wording or self.bare
        self._saver = InMemorySaver(serde=StrictSerializer(CHECKPOINTED))
        self._graph: Any = build().compile(checkpointer=self._saver)

    @classmethod
    async def answered(cls, **given: Any) -> FakeCall:
        """A call that was just greeted."""
        call = cls(**given)
        await call.begin()
        return call

    async def begin(self) -> CallState:
        return await self.turn(CallerTurn(kind="begin", language=self._language))

    async def say(
        self,
        *commands: c.Command | str,
        heard: str | None = None,
        language: Lang | None = None,
        sure: bool = False,
        mood: c.Mood = "calm",
    ) -> CallState:
        """The caller means these commands. `heard`: what reached them of our last line."""
        meant = [{"command": one} if isinstance(one, str) else one.model_dump() for one in commands]
        words: dict[str, object] = {"commands": meant, "mood": mood, "language_sure": sure}
        if language is not None:
            words["language"] = language
        return await self.turn(CallerTurn(kind="words", words=json.dumps(words), heard=heard))

    async def keys(self, pressed: str) -> CallState:
        return await self.turn(CallerTurn(kind="keys", words=pressed))

    async def silence(self) -> CallState:
        return await self.turn(CallerTurn(kind="silence"))

    async def back(self) -> CallState:
        """Their network was away for a moment."""
        return await self.turn(CallerTurn(kind="back"))

    async def resume(self) -> CallState:
        """The line went dead and the same caller rings again: a new graph, the old checkpoints."""
        self._graph = build().compile(checkpointer=self._saver)
        return await self.turn(CallerTurn(kind="resume"))

    def later(self, minutes: float) -> None:
        self.clock.now += timedelta(minutes=minutes)

    async def turn(self, caller: CallerTurn) -> CallState:
        state = await self._graph.ainvoke(
            {"caller": caller},
            {"configurable": {"thread_id": str(self.call_id)}, "recursion_limit": STEPS_PER_TURN},
            context=self.context,
            durability="exit",
        )
        self.state = cast(CallState, state)
        return self.state

    @property
    def context(self) -> CallContext:
        return CallContext(
            call_id=self.call_id,
            desk=self.company.desk,
            understander=ScriptedUnderstander(),
            wording=self._wording,
            clock=self.clock,
            company="Juniper and Oak",
            caller_number=self._number,
            caller_key="key" if self._number else None,
        )

    @property
    def case(self) -> Case:
        return self.state["case"]

    @property
    def asks(self) -> c.Asks | None:
        return self.state["asks"]

    @property
    def text(self) -> str:
        return self.state["said"].text

    @property
    def did(self) -> tuple[str, ...]:
        return self.state["said"].did

    @property
    def ended(self) -> bool:
        return bool(self.state.get("ended"))

    @property
    def lines(self) -> tuple[str, ...]:
        """Message ids of the last reply, in order."""
        return tuple(one.id for one in self.bare.lines)
