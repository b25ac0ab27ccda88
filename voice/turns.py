"""The turns of a call as LiveKit plays them: speculative, then confirmed, then heard.

LiveKit may run a turn on words the caller has not finished, may drop it, and may cut our answer short. This file
follows its public events and tells the `Conversation`; it decides nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field

import structlog
from livekit.agents import AgentSession, ConversationItemAddedEvent, SpeechCreatedEvent
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle

from checkpoints.errors import LeaseLost
from conversation import Conversation, Reply, RunningTurn
from graph.context import Words
from graph.state import CallerTurn

log = structlog.get_logger(__name__)

#: The speech that LiveKit is making in this context: set where it announces it, seen by all that makes the speech.
SPEECH: ContextVar[SpeechHandle | None] = ContextVar("speech", default=None)


@dataclass
class Part:
    """One speech of a turn. Most turns have one; a greeting has a part that can't be interrupted."""

    handle: SpeechHandle
    said: list[str]  #: grows while it is said
    holding: list[str]  #: said while the answer was not there yet; not part of it
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def whole(self) -> bool:
        """Did all of it reach the caller, or is it still on its way?"""
        return not self.over.is_set() or (
            bool(self._spoken) and not any(one.interrupted for one in self._spoken)
        )

    def heard(self) -> str:
        """What reached the caller."""
        if self.whole:
            return "".join(self.said)
        return _without(self.holding, " ".join(one.text_content or "" for one in self._spoken))

    @property
    def _spoken(self) -> list[ChatMessage]:
        return [one for one in self.handle.chat_items if isinstance(one, ChatMessage)]


def _without(holding: list[str], text: str) -> str:
    """What was heard after these phrases; nothing, when it broke off in one of them."""
    for phrase in holding:
        text = text.strip()
        if phrase.startswith(text):
            return ""
        text = text.removeprefix(phrase)
    return text.strip()


class Turn:
    """One turn of the call, from the caller's words to what was heard of the answer."""

    def __init__(self, running: RunningTurn, message_id: str | None) -> None:
        self.running = running
        self.message_id = message_id  #: of the caller's words in LiveKit's history
        self.confirmed = asyncio.Event()
        self.discarded = False
        self.failed = False  #: the call does not remember it
        self.voice: Words | None = None  #: how it is said, known with its first words
        self.said: list[str] = []
        self.held: list[str] = []  #: holding phrases in front of it
        self.parts: list[Part] = []
        self.remembered = asyncio.Event()  #: the call's memory holds it, or never will

    async def words(self) -> AsyncGenerator[str, None]:
        """What is said, as it comes; raises what the graph raised."""
        async with aclosing(self.running.words()) as stream:
            async for words in stream:
                self.voice = words
                self.said.append(words.say)
                yield words.say

    async def over(self) -> None:
        """All that is going to be heard of it was heard, and the call remembers it."""
        for part in self.parts:
            await part.over.wait()
        await self.remembered.wait()

    def heard(self) -> str | None:
        """What reached the caller of the answer; None: all of it, or it is still being said."""
        if self.failed or (self.parts and all(part.whole for part in self.parts)):
            return None
        return " ".join(part.heard() for part in self.parts).strip()

    @property
    def interrupted(self) -> bool:
        """Did the caller cut in on it?"""
        return any(part.handle.interrupted for part in self.parts)

    @property
    def cut_off(self) -> bool:
        """Is its answer being cut off just now?"""
        return any(part.handle.interrupted and not part.over.is_set() for part in self.parts)


class CallTurns:
    """All turns of one call, one after another."""

    def __init__(
        self,
        call: Conversation,
        *,
        replied: Callable[[Turn, Reply], None],
        lost: Callable[[], None],
    ) -> None:
        """
        Args:
            replied: told of every turn that the call remembers.
            lost: somebody else holds the call now.
        """
        self._call = call
        self._replied = replied
        self._lost = lost
        self._session: AgentSession[None] | None = None
        self._last: Turn | None = None  #: the newest confirmed one
        self._speculative: Turn | None = None
        self._of_message: dict[str, Turn] = {}
        self._of_speech: dict[str, Turn] = {}
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, session: AgentSession[None]) -> None:
        self._session = session
        session.on("speech_created", self._created)
        session.on("conversation_item_added", self._added)

    @property
    def last(self) -> Turn | None:
        return self._last

    def being_said(self) -> Turn | None:
        """The turn whose speech is made in this context."""
        handle = SPEECH.get()
        return self._of_speech.get(handle.id) if handle else None

    # The caller's words ---------------------------------------------------------------------------------------

    async def answer(self, message: ChatMessage) -> Turn:
        """Begin a turn on what the caller said; the same turn when LiveKit asks for it again."""
        handle = SPEECH.get()
        async with self._order:
            turn = self._of_message.get(message.id)
            if turn is None or turn.discarded:
                turn = await self._begun(self._call.spoken(message.text_content or ""), message.id)
        if handle is not None:
            self._spoken_by(turn, Part(handle, turn.said, turn.held))
            if handle.scheduled:
                self.confirm(turn)
        return turn

    async def say(self, caller: CallerTurn) -> Turn:
        """Begin a turn that is not on words of the caller: the greeting, keys, silence. It is confirmed at once."""
        async with self._order:
            turn = await self._begun(caller, None)
        self.confirm(turn)
        return turn

    def speak(
        self, turn: Turn, text: str, *, interruptible: bool = True, holding: bool = False
    ) -> SpeechHandle:
        """Say this as a part of the turn.

        Args:
            holding: the answer is not there yet, and this is none.
        """
        assert self._session is not None
        handle = self._session.say(text, allow_interruptions=interruptible)
        said, held = ([], [text]) if holding else ([text], [])
        self._spoken_by(turn, Part(handle, said, held))
        return handle

    async def _begun(self, caller: CallerTurn, message_id: str | None) -> Turn:
        heard = await self._heard_before()
        turn = Turn(self._call.start(caller.model_copy(update={"heard": heard})), message_id)
        self._speculative = turn
        if message_id is not None:
            self._of_message = {message_id: turn}
        return turn

    async def _heard_before(self) -> str | None:
        """The turn before is over, and what was heard of it. A speculation that nothing came of is gone."""
        if self._speculative is not None and not self._speculative.confirmed.is_set():
            await self._discard(self._speculative)
        last = self._last
        if last is None:
            return None
        await last.remembered.wait()
        if last.cut_off:
            await last.over()
        return last.heard()

    def stamp(self, turn: Turn) -> dict[str, object]:
        """Where an answer comes from, for readers of LiveKit's history: call, turn, and checkpoint it goes on from."""
        return {
            "call_id": str(self._call.record.call_id),
            "turn": turn.running.number,
            "after_checkpoint": turn.running.continues,
        }

    @property
    def call(self) -> Conversation:
        return self._call

    # What becomes of it ---------------------------------------------------------------------------------------

    def confirm(self, turn: Turn) -> None:
        """The caller really said it: what it does may happen, and it will be remembered."""
        if turn.confirmed.is_set() or turn.discarded:
            return
        turn.confirmed.set()
        turn.running.confirm()
        self._last = turn
        reply = asyncio.create_task(turn.running.reply(), name="reply")
        reply.add_done_callback(lambda task: self._finished(turn, task))

    def _finished(self, turn: Turn, task: asyncio.Task[Reply]) -> None:
        error = None if task.cancelled() else task.exception()
        turn.failed = task.cancelled() or error is not None
        turn.remembered.set()
        if not turn.failed:
            self._replied(turn, task.result())
        elif error is None:
            return
        elif isinstance(error, LeaseLost):
            self._lost()
        else:
            kind = type(error).__name__  # its text may hold what was said
            log.error("turn.failed", call_id=str(self._call.record.call_id), error_type=kind)
            self._spawn(turn.running.discard())

    async def _discard(self, turn: Turn) -> None:
        if turn.confirmed.is_set() or turn.discarded:
            return
        turn.discarded = True
        turn.remembered.set()
        await turn.running.discard()

    # LiveKit's events -----------------------------------------------------------------------------------------

    def _created(self, event: SpeechCreatedEvent) -> None:
        SPEECH.set(event.speech_handle)

    def _added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage) or item.role != "user":
            return
        turn = self._of_message.get(item.id)
        if turn is None:
            return
        if turn.discarded:
            self._spawn(self._said_after_all(item))
        else:
            self.confirm(turn)

    async def _said_after_all(self, message: ChatMessage) -> None:
        """LiveKit speaks an answer whose turn was dropped for another one: it is stopped, and the turn is run."""
        assert self._session is not None
        self._session.interrupt(force=True)
        self._session.generate_reply(user_input=message.text_content or "")

    def _spoken_by(self, turn: Turn, part: Part) -> None:
        if any(one.handle is part.handle for one in turn.parts):
            return
        turn.parts.append(part)
        self._of_speech[part.handle.id] = turn
        part.handle.add_done_callback(lambda _: self._done(turn, part))

    def _done(self, turn: Turn, part: Part) -> None:
        part.over.set()
        self._of_speech.pop(part.handle.id, None)
        if not turn.confirmed.is_set():
            self._spawn(self._discard(turn))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
