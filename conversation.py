"""One call, turn by turn: answered or resumed, spoken with, dropped, hung up. What the terminal and the phone share."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, Field

from checkpoints.calls import CallRecord, CallRegister
from graph.build import STEPS_PER_TURN
from graph.context import CallContext
from graph.nodes.closing import outcome_of
from graph.state import CallerTurn, CallState, Lang

log = structlog.get_logger(__name__)

#: Control characters, which no caller says and no recogniser writes.
UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]")


class Reply(BaseModel):
    """What the line answers to one turn (the JSON line of `holdfast call --json`)."""

    model_config = ConfigDict(frozen=True)

    type: Literal["reply"] = "reply"
    call: UUID
    turn: int
    say: str
    language: Lang
    node: str
    asks: str | None
    verified: int
    flow: str | None
    did: tuple[str, ...] = ()
    ended: bool
    outcome: str | None
    ms: float = Field(description="from the caller's words to the reply, milliseconds")


@dataclass
class Conversation:
    """A live call. Made by `services.Line.answer`."""

    record: CallRecord
    register: CallRegister
    graph: Any  # a compiled graph; LangGraph's own type is generic over internals
    context: CallContext
    utterance_limit: int
    over: bool = False  #: nothing more can be said on this line
    dropped: bool = False  #: the line went dead, or was left in the middle: the call can be resumed

    async def begin(self) -> Reply:
        """The reply that greets: a new caller, or one whose call had dropped."""
        kind: Literal["begin", "resume"] = "resume" if self.record.legs > 1 else "begin"
        return await self._turn(CallerTurn(kind=kind, language=self.record.language))

    async def hear(self, words: str, heard: str | None = None) -> Reply:
        """The caller said something. `heard` is the part of our last line that reached them, if not all."""
        spoken = UNSPEAKABLE.sub(" ", words)[: self.utterance_limit]
        return await self._turn(CallerTurn(kind="words", words=spoken, heard=heard))

    async def press(self, keys: str) -> Reply:
        """The caller pressed keys: digits, `*` and `#`."""
        pressed = "".join(key for key in keys if key in "0123456789*#")[:40]
        return await self._turn(CallerTurn(kind="keys", words=pressed))

    async def silence(self) -> Reply:
        """The caller said nothing for the time the line waits."""
        return await self._turn(CallerTurn(kind="silence"))

    async def drop(self) -> None:
        """The line went dead: the call can be resumed."""
        if not self.over:
            self.over = self.dropped = True
            await self.register.interrupt(self.record.call_id)
            log.info("call.dropped", call_id=str(self.record.call_id))

    async def hang_up(self) -> None:
        """The caller put the phone down: closed when nothing was open, resumable in the middle of something."""
        if self.over:
            return
        state = await self._state()
        case = state.get("case")
        if case is None or case.stack:
            await self.drop()
            return
        self.over = True
        await self.register.close(
            self.record.call_id,
            outcome_of(case),
            topics=_topics(state),
            satisfaction=case.satisfaction,
        )

    async def _state(self) -> CallState:
        snapshot = await self.graph.aget_state(self._config())
        values: CallState = snapshot.values
        return values

    def _config(self) -> dict[str, Any]:
        return {
            "configurable": {"thread_id": str(self.record.call_id)},
            "recursion_limit": STEPS_PER_TURN,
        }

    async def _turn(self, caller: CallerTurn) -> Reply:
        started = time.perf_counter()
        state: CallState = await self.graph.ainvoke(
            {"caller": caller}, self._config(), context=self.context, durability="exit"
        )
        await self._registered(state)
        reply = self._reply(state, (time.perf_counter() - started) * 1000)
        log.info(
            "turn.answered", call_id=str(reply.call), turn=reply.turn, node=reply.node, ms=reply.ms
        )
        return reply

    async def _registered(self, state: CallState) -> None:
        case, call_id = state["case"], self.record.call_id
        await self.register.record_turn(
            call_id,
            language=state["language"],
            open_flow=state["flow"],
            asks=state["asks"],
            verified=state["verified"],
            topics=_topics(state),
        )
        if not state.get("ended"):
            return
        self.over = True
        if state.get("outcome") is None:
            self.dropped = True
            await self.register.interrupt(call_id)
            return
        await self.register.close(
            call_id, state["outcome"], topics=_topics(state), satisfaction=case.satisfaction
        )

    def _reply(self, state: CallState, ms: float) -> Reply:
        said = state["said"]
        return Reply(
            call=self.record.call_id,
            turn=state["turn"],
            say=said.text,
            language=state["language"],
            node=state["node"],
            asks=state["asks"],
            verified=state["verified"],
            flow=state["flow"],
            did=said.did,
            ended=bool(state.get("ended")),
            outcome=state.get("outcome") if state.get("ended") else None,
            ms=round(ms, 1),
        )


def _topics(state: CallState) -> tuple[str, ...]:
    """Knowledge topics and flows that were served; closed words, nothing personal."""
    return tuple(dict.fromkeys(state["case"].answered))
