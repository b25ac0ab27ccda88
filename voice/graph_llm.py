"""GraphLLM: the graph as the language model of a LiveKit session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from livekit.agents import llm, utils
from livekit.agents.types import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
)
from livekit.plugins.langchain import LLMAdapter
from livekit.plugins.langchain.langgraph import LangGraphStream

from graph.build import compiled
from graph.context import CallContext
from voice.turns import CallTurns, Turn

HOLDING = "holding"  #: in a chunk's stamp: to be said at once, what follows is not there yet
HOLDINGS = 2  #: at most, then only silence is left


class GraphLLM(LLMAdapter[CallContext]):
    """livekit-plugins-langchain's adapter, for a graph that has a memory of its own.

    What it overrides, and the defect of the stock adapter (1.8.9) that each override answers, stands beside it;
    `tests/unit/voice/test_stock_adapter.py` shows each of them and fails when a release mends one.
    """

    def __init__(self, turns: CallTurns, holding_after: float) -> None:
        """
        Args:
            holding_after: seconds of silence before a holding phrase.
        """
        super().__init__(compiled(turns.call.memory), stream_mode="custom")
        self._turns = turns
        self._holding_after = holding_after

    @property
    def model(self) -> str:
        """The stock adapter is "unknown" in metrics and traces."""
        return "holdfast"

    @property
    def provider(self) -> str:
        return "langgraph"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, object]] = NOT_GIVEN,
    ) -> GraphStream:
        """One reply. Never retried: LiveKit would run the turn again, and what it said so far would stand twice."""
        once = APIConnectOptions(max_retry=0, timeout=conn_options.timeout)
        return GraphStream(
            self,
            self._turns,
            self._holding_after,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=once,
        )


class GraphStream(LangGraphStream[CallContext]):
    """The words of one turn."""

    def __init__(
        self,
        model: GraphLLM,
        turns: CallTurns,
        holding_after: float,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(
            model,
            chat_ctx=chat_ctx,
            tools=tools,
            conn_options=conn_options,
            graph=compiled(turns.call.memory),
        )
        self._turns = turns
        self._holding_after = holding_after

    async def _run(self) -> None:
        """Streams what the graph says and nothing else.

        The stock adapter sends the whole history on each turn, so that a checkpointed graph remembers every answer
        twice; speaks whatever has a `content`, tool output too; and starts a run outside the call's own memory.
        """
        message = self._new_words()
        if message is None:
            return
        turn = await self._turns.answer(message)
        async with aclosing(answered(self._turns, turn, self._holding_after)) as pieces:
            async for piece in pieces:
                if piece.holding:
                    turn.held.append(piece.words)
                self._say(turn, piece)

    def _new_words(self) -> llm.ChatMessage | None:
        """What the caller said last; the graph remembers the rest."""
        said = [one for one in self._chat_ctx.messages() if one.role == "user"]
        return said[-1] if said else None

    def _say(self, turn: Turn, piece: Piece) -> None:
        """A piece of the answer, stamped with where it comes from."""
        stamp: dict[str, object] = {**self._turns.stamp(turn), HOLDING: piece.holding}
        self._event_ch.send_nowait(
            llm.ChatChunk(
                id=utils.shortuuid("turn_"),
                delta=llm.ChoiceDelta(role="assistant", content=piece.words, extra=stamp),
            )
        )


@dataclass(frozen=True)
class Piece:
    """Of what is said in a turn."""

    words: str
    holding: bool = False  #: that we are still there; no part of the answer


async def answered(
    turns: CallTurns, turn: Turn, holding_after: float
) -> AsyncGenerator[Piece, None]:
    """The words of a turn, and before them, each time the silence gets too long, that we are still there."""
    async with aclosing(spoken(turns, turn)) as words:
        first = asyncio.create_task(_next(words))
        try:
            async with aclosing(_still_there(turns, turn, first, holding_after)) as phrases:
                async for phrase in phrases:
                    yield Piece(phrase, holding=True)
            said = await first
        finally:
            await utils.aio.cancel_and_wait(first)
        while said is not None:
            yield Piece(said)
            said = await _next(words)


async def _still_there(
    turns: CallTurns, turn: Turn, first: asyncio.Task[str | None], holding_after: float
) -> AsyncGenerator[str, None]:
    """Not while the caller may still speak."""
    confirmed = asyncio.create_task(turn.confirmed.wait())
    try:
        started: set[asyncio.Task[Any]] = {first, confirmed}
        await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
        for times in range(HOLDINGS):
            await asyncio.wait({first}, timeout=holding_after)
            if first.done():
                return
            yield turns.call.holding(times)
    finally:
        confirmed.cancel()


async def _next(words: AsyncGenerator[str, None]) -> str | None:
    return await anext(words, None)


async def spoken(turns: CallTurns, turn: Turn) -> AsyncGenerator[str, None]:
    """The words of a turn; when it breaks off, a sentence that says so. The question before it stays the open one."""
    try:
        async with aclosing(turn.words()) as words:
            async for one in words:
                yield one
    except Exception:  # noqa: BLE001 - whatever it is, a call never ends in silence; turns.py logs it
        yield turns.call.apology()
