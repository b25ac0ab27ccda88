"""One call, turn by turn: answered or resumed, spoken with, dropped, hung up. What the terminal and the phone share.

A turn runs on a fork of the call's memory. Its words are out before anything is written; its writes wait until it is
confirmed; discarded, it leaves nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, Field

from checkpoints.calls import CallRecord, CallRegister, CallStateName, TurnRecord
from checkpoints.errors import LeaseLost, StorageDown, StorageError
from checkpoints.turn_saver import TurnSaver
from graph.build import STEPS_PER_TURN, compiled
from graph.context import CallContext, Words
from graph.dialogue import terms_of
from graph.nodes.act import handover_record
from graph.nodes.closing import outcome_of
from graph.state import CallerTurn, CallState, Lang
from graph.trouble import holding, turn_failed
from graph.wording.line import Line
from tools.confirmation import held_back
from tools.errors import BackendDown, DeskError
from tools.limits import look_up_within
from tools.records import Handover, TransferOutcome
from tools.staff import OutOfReach

log = structlog.get_logger(__name__)

#: Control characters, which no caller says and no recogniser writes.
UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]")


KEYS = "0123456789*#"
#: Seconds the look-ups of one turn may take together: one that is tried twice, and a moment.
LOOKUPS_SECONDS = 4.5
#: Seconds an effect waits for the turns before it to be on record; then it is refused with a sentence.
DURABLE_SECONDS = 2.0
#: Seconds a reply waits for its own turn to be on record; a goodbye may wait as long as an effect. With the database
#: away the call goes on from memory.
SETTLE_SECONDS = 0.5
#: Seconds a line that closes goes on trying to write what is still in memory.
CLOSE_SECONDS = 30.0


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
    ms: float = Field(
        description="from the caller's words to the reply's first words, milliseconds"
    )


class TurnGate:
    """Holds a turn's writes back until the caller really said it, and all that was said before is on record."""

    def __init__(self, memory: TurnSaver) -> None:
        self._memory = memory
        self._confirmed = asyncio.Event()

    def confirm(self) -> None:
        self._confirmed.set()

    @property
    def confirmed(self) -> bool:
        return self._confirmed.is_set()

    async def passed(self) -> None:
        """Raises BackendDown: what came before can't be put on record now, so nothing may be done after it."""
        await self._confirmed.wait()
        try:
            await self._memory.durable(DURABLE_SECONDS)
        except StorageError:
            raise BackendDown from None


class RunningTurn:
    """A turn under way: speculative until confirmed, gone without a trace when discarded."""

    def __init__(self, call: Conversation, caller: CallerTurn) -> None:
        self._call = call
        self._fork = call.memory.fork()
        self.continues = self._fork.forked_from  #: checkpoint of the turn before
        self.number = call.turns + 1  #: in the call
        self._gate = TurnGate(call.memory)
        self._words: asyncio.Queue[Words | None] = asyncio.Queue()
        self._started = time.perf_counter()
        self._first_words_ms = 0.0
        self._run = asyncio.create_task(self._answered(caller), name="turn")

    async def words(self) -> AsyncGenerator[Words, None]:
        """What the line says, as it comes; before anything is written.

        Raises what the graph raised, when it did.
        """
        while (words := await self._words.get()) is not None:
            yield words
        await asyncio.wait({self._run})
        if not self._run.cancelled():
            self._run.result()

    def confirm(self) -> None:
        """The caller really said it: its writes may run, and it will be remembered."""
        self._gate.confirm()

    async def discard(self) -> None:
        """It was not said after all: no row, no effect, no memory.

        Of a confirmed turn, an effect may have happened all the same: the next turn finds out.
        """
        self._call.unsure = self._call.unsure or self._gate.confirmed
        self._fork.discard()
        self._run.cancel()
        await asyncio.wait({self._run})

    async def reply(self) -> Reply:
        """The whole reply of a confirmed turn, which is the call's memory from now on.

        Raises:
            LeaseLost: somebody else holds the call; the turn was discarded.
        """
        try:
            state = await asyncio.shield(self._run)
        except asyncio.CancelledError:
            await self.discard()
            raise
        call = self._call
        self._fork.commit(turn_record(state, call.context, call.keyed_hash))
        call.unsure = False
        await call.remember(state)
        reply = _reply(self._call.record.call_id, state, self._first_words_ms)
        log.info(
            "turn.answered", call_id=str(reply.call), turn=reply.turn, node=reply.node, ms=reply.ms
        )
        return reply

    async def _answered(self, caller: CallerTurn) -> CallState:
        graph = compiled(self._fork)
        state: CallState = {}
        look_up_within(LOOKUPS_SECONDS)
        try:
            # Not `custom`: for it LangGraph runs every node as a task beside one that waits for words.
            async for values in graph.astream(
                {"caller": caller},
                self._call.config,
                context=self._context(),
                stream_mode="values",
                durability="exit",
            ):
                state = values
        finally:
            self._words.put_nowait(None)
        return state

    def _speak(self, words: Words) -> None:
        self._first_words_ms = self._first_words_ms or self._ms()
        self._words.put_nowait(words)

    def _context(self) -> CallContext:
        """The call's surroundings, with whatever writes held back until this turn is confirmed."""
        context, gate = self._call.context, self._gate
        vault, effects = held_back(context.desk.vault, gate), held_back(context.desk.effects, gate)
        desk = replace(context.desk, vault=vault, effects=effects)
        return replace(context, desk=desk, speak=self._speak, unsure=self._call.unsure)

    def _ms(self) -> float:
        return (time.perf_counter() - self._started) * 1000


@dataclass
class Conversation:
    """A live call. Made by `services.Services.answer`."""

    record: CallRecord
    register: CallRegister
    memory: TurnSaver
    context: CallContext
    utterance_limit: int
    keyed_hash: Callable[[str], str]
    over: bool = False  #: nothing more can be said on this line
    dropped: bool = False  #: the line went dead, or was left in the middle: the call can be resumed
    stayed: bool = (
        False  #: the caller never left the line: its worker died, and this one took the call up
    )
    unsure: bool = False  #: a confirmed turn was discarded, and none has come to its end since
    _state: CallState | None = None  #: as the last turn left it
    _put_through: bool = (
        False  #: the caller is on the way to a colleague, and over when they have left
    )
    _goodbye: bool = False  #: said; the line is still open

    @property
    def config(self) -> dict[str, Any]:
        """LangGraph's run configuration: the thread is the call."""
        return {
            "configurable": {"thread_id": str(self.record.call_id)},
            "recursion_limit": STEPS_PER_TURN,
        }

    async def prepare(self) -> None:
        """What the caller's first question would wait for; when it can't be done now, the question waits."""
        with suppress(DeskError):
            await self.context.desk.knowledge.prepare(self.language)

    async def begin(self) -> Reply:
        """The reply that greets."""
        return await self._turn(self.opening())

    def opening(self) -> CallerTurn:
        """The turn that greets: a new caller, or one whose call had dropped.

        A call that dropped before its first turn was on record remembers nothing: it begins.
        """
        kind: Literal["begin", "resume"] = "resume" if self.memory.head else "begin"
        return CallerTurn(kind=kind, language=self.record.language, stayed=self.stayed)

    async def hear(self, words: str, heard: str | None = None) -> Reply:
        """The caller said something. `heard` is the part of our last line that reached them, if not all."""
        return await self._turn(self.spoken(words, heard))

    def spoken(self, words: str, heard: str | None = None) -> CallerTurn:
        """Words as a turn takes them: without what no caller says, and not too many."""
        return CallerTurn(
            kind="words",
            words=self._speakable(words),
            heard=None if heard is None else self._speakable(heard),
        )

    def _speakable(self, words: str) -> str:
        return UNSPEAKABLE.sub(" ", words)[: self.utterance_limit]

    async def press(self, keys: str) -> Reply:
        """The caller pressed keys: digits, `*` and `#`."""
        return await self._turn(self.pressed(keys))

    def pressed(self, keys: str) -> CallerTurn:
        """Keys as a turn takes them."""
        return CallerTurn(kind="keys", words="".join(one for one in keys if one in KEYS)[:40])

    def puts_nobody_through(self) -> None:
        """From this line no colleague can be reached, whoever is there: what needs a person is a case for later."""
        desk = replace(self.context.desk, staff=OutOfReach(self.context.desk.staff))
        self.context = replace(self.context, desk=desk)

    def not_put_through(self) -> CallerTurn:
        """The turn after no colleague took the call: the caller is still on the line, and it goes on."""
        self.over = self._put_through = False
        return CallerTurn(kind="not_put_through")

    async def transferred(self, outcome: TransferOutcome) -> None:
        """What came of putting the caller through, for staff. Raises DeskError."""
        await self.context.desk.staff.transferred(self.record.call_id, outcome)

    def handover(self) -> Handover | None:
        """What a colleague needs to know, while the caller is on the way to one."""
        state = self._state
        if state is None or (transfer := state["case"].transfer) is None:
            return None
        return handover_record(state, self.context, transfer)

    async def silence(self) -> Reply:
        """The caller said nothing for the time the line waits."""
        return await self._turn(CallerTurn(kind="silence"))

    def start(self, caller: CallerTurn) -> RunningTurn:
        """Begin a turn on words that may not be final: confirm or discard it."""
        return RunningTurn(self, caller)

    @property
    def terms(self) -> tuple[str, ...]:
        """Words of this call that the caller may say next, for whoever recognises them."""
        return terms_of(self._state["case"]) if self._state else ()

    @property
    def turns(self) -> int:
        """Remembered so far."""
        return self._state["turn"] if self._state else self.record.turns

    @property
    def putting_through(self) -> bool:
        """Has the line ended with the caller on the way to a colleague?"""
        return self._put_through

    def apology(self) -> str:
        """What is said when a turn broke off."""
        return self._aside(turn_failed())

    def holding(self, times: int = 0) -> str:
        """What is said while a turn takes long; in other words the second time."""
        return self._aside(holding(), times)

    def _aside(self, said: Line, variant: int = 0) -> str:
        return self.context.wording.speak((said,), self.language, variant=variant)

    @property
    def language(self) -> Lang:
        """As spoken last."""
        return self._state["language"] if self._state else self.record.language

    async def drop(self) -> bool:
        """The line went dead: the call can be resumed. Safe to repeat, and after a goodbye.

        Returns:
            Is all of the call on record? If not, its lease runs out and it can be resumed where it was written last.
        """
        self._goodbye = False
        if self._on_the_line:
            self.over = self.dropped = True
            self._put_through = False
            self.memory.leave(self.register.interrupt)
            log.info("call.dropped", call_id=str(self.record.call_id))
        return await self.memory.close(CLOSE_SECONDS)

    async def hang_up(self) -> bool:
        """The caller put the phone down, or was put through: closed when nothing was open, else resumable.

        Returns what `drop` does.
        """
        case = self._state["case"] if self._state else None
        if case is None or (case.stack and not self._put_through):
            return await self.drop()
        self._goodbye = False
        if self._on_the_line:
            self.over = True
            self._put_through = False
            self.memory.leave(partial(self.register.close, outcome=outcome_of(case)))
        return await self.memory.close(CLOSE_SECONDS)

    @property
    def _on_the_line(self) -> bool:
        """Somebody on the way to a colleague still is: a line that goes dead now leaves a call to be resumed."""
        return not self.over or self._put_through

    async def _turn(self, caller: CallerTurn) -> Reply:
        turn = self.start(caller)
        turn.confirm()
        try:
            return await turn.reply()
        except LeaseLost:
            self.over = True
            raise

    async def remember(self, state: CallState) -> None:
        """A turn was committed: wait a moment for it to be on record, unless the database is known to be away."""
        self._state = state
        ended = bool(state.get("ended"))
        if ended:
            self.over = True
            self.dropped = state.get("outcome") is None
            self._put_through = put_through(state)
            self._goodbye = not self._put_through
            if self._goodbye:
                self.register.let_go(self.memory.lease)
        elif self._goodbye:  # they cut in on it
            self.over = self.dropped = self._goodbye = False
            self.register.hold_on(self.memory.lease)
        if not self.memory.behind:
            with suppress(StorageDown):
                await self.memory.durable(DURABLE_SECONDS if ended else SETTLE_SECONDS)


def turn_record(
    state: CallState, context: CallContext, keyed_hash: Callable[[str], str]
) -> TurnRecord:
    """What the register keeps of a turn: closed words, numbers and keyed hashes."""
    case = state["case"]
    after = _state_after(state)
    about = {case.identity.customer_id, *case.identity.candidates} - {None}
    return TurnRecord(
        turn=state["turn"],
        at=context.clock(),
        language=state["language"],
        open_flow=state["flow"],
        asks=state["asks"],
        verified=state["verified"],
        topics=case.answered,
        state=after,
        outcome=state.get("outcome") if after == "closed" else None,
        satisfaction=case.satisfaction,
        customers=tuple(sorted(keyed_hash(str(one)) for one in about)),
    )


def put_through(state: CallState) -> bool:
    """Did this turn end with the caller on the way to a colleague?"""
    done = state["case"].done
    handed_over = any(one.effect == "hand_over" and one.turn == state["turn"] for one in done)
    return bool(state.get("ended")) and handed_over


def _state_after(state: CallState) -> CallStateName:
    if not state.get("ended") or put_through(state):
        return "live"
    return "interrupted" if state.get("outcome") is None else "closed"


def _reply(call_id: UUID, state: CallState, ms: float) -> Reply:
    said = state["said"]
    return Reply(
        call=call_id,
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
