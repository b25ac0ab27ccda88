"""LineAgent: what LiveKit runs between hearing and speaking. It has no instructions: the graph decides."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from livekit import rtc
from livekit.agents import Agent, FlushSentinel, ModelSettings, llm, stt

from voice.audio import Backchannels
from voice.graph_llm import HOLDING
from voice.speech import Speech
from voice.turns import CallTurns


class LineAgent(Agent):
    def __init__(
        self,
        turns: CallTurns,
        speech: Speech,
        backchannels: Backchannels,
        counts: Callable[[], Awaitable[bool]],
    ) -> None:
        """
        Args:
            counts: does what was recognised count? Answered when that is known: what is said meanwhile waits.
        """
        super().__init__(instructions="")
        self._turns = turns
        self._speech = speech
        self._backchannels = backchannels
        self._counts = counts

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncGenerator[stt.SpeechEvent, None]:
        """What was recognised and counts, without the "mhm" of somebody who listens.

        LiveKit drops a turn that ends while something is said that can't be interrupted.
        """
        sound = self._backchannels.listen(audio)
        node = Agent.default.stt_node(self, sound, model_settings)
        async with aclosing(self._backchannels.heard(node)) as events:
            async for event in events:
                if await self._counts():
                    yield event

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncGenerator[llm.ChatChunk | FlushSentinel, None]:
        """The graph's words; a holding phrase is spoken at once, while the graph goes on."""
        async with aclosing(Agent.default.llm_node(self, chat_ctx, tools, model_settings)) as node:
            async for chunk in node:
                assert isinstance(chunk, llm.ChatChunk)
                yield chunk
                if chunk.delta and (chunk.delta.extra or {}).get(HOLDING):
                    yield FlushSentinel()

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        """Speaks in the language and mood of the turn, which are known with its first words."""
        words = aiter(text)
        first = await anext(words, None)
        if first is None:
            return
        turn = self._turns.being_said()
        if turn is not None and turn.voice is not None:
            self._speech.speak_as(turn.voice.language, turn.voice.mood, slower=turn.voice.slow)
        node = Agent.default.tts_node(self, _again(first, words), model_settings)
        async with aclosing(node) as frames:
            async for frame in frames:
                yield frame


async def _again(first: str, rest: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    yield first
    async for one in rest:
        yield one
