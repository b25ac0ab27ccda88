"""Callers who talk while the database fails: what they said, what they heard, and how long they waited for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from conversation import Conversation, Reply, RunningTurn
from deadline import bounded
from services import Services

STUCK_SECONDS = 40.0  #: a reply that takes this long never comes


@dataclass(frozen=True)
class Exchange:
    """One turn, as the caller lived it."""

    words: str
    reply: Reply | None  #: None: the line said nothing
    seconds: float
    error: str = ""

    @property
    def said(self) -> str:
        return self.reply.say if self.reply else ""

    @property
    def asks(self) -> str | None:
        return self.reply.asks if self.reply else "nothing: the line is dead"

    @property
    def did(self) -> tuple[str, ...]:
        return self.reply.did if self.reply else ()

    def __str__(self) -> str:
        heard = self.error or f"[{self.asks}] {self.said}"
        return f"{self.seconds:5.2f} s  {self.words!r} -> {heard}"


@dataclass
class Caller:
    """Somebody on the phone."""

    services: Services
    number: str | None
    exchanges: list[Exchange] = field(default_factory=list)
    line: Conversation | None = None

    @property
    def call(self) -> Conversation:
        assert self.line is not None
        return self.line

    async def rings(self) -> Exchange:
        """Calls, and is greeted."""

        async def greeted() -> Reply:
            self.line = await self.services.answer(self.number, "en")
            return await self.line.begin()

        return await self._lived("(rings)", greeted())

    async def says(self, words: str) -> Exchange:
        return await self._lived(words, self.call.hear(words))

    async def reads_code(self) -> Exchange:
        """Reads the code out that was just sent to them."""
        notices = await self.services.sent_notices(self.call)
        code = re.search(r"\b\d{6}\b", notices[-1].body)
        assert code is not None
        return await self.says(f"it's {code[0]}")

    async def seems_to_agree(self) -> RunningTurn:
        """Yes, by the sound of it: all is looked up, and the write waits until it is sure that they said so."""
        turn = self.call.start(self.call.spoken("yes"))
        deadline = time.monotonic() + STUCK_SECONDS
        while not turn._gate._confirmed._waiters:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        return turn

    async def did_agree(self, turn: RunningTurn) -> Exchange:
        turn.confirm()
        return await self._lived("yes", turn.reply())

    async def hangs(self) -> bool:
        """The line goes dead. Was that put on record?"""
        return await self.call.drop()

    async def _lived(self, words: str, answer: Coroutine[Any, Any, Reply]) -> Exchange:
        began, error = time.monotonic(), ""
        reply: Reply | None = None
        try:
            reply = await bounded(answer, STUCK_SECONDS)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the caller heard nothing
            error = f"{type(failure).__name__}: {failure}"
        exchange = Exchange(words, reply, time.monotonic() - began, error)
        self.exchanges.append(exchange)
        return exchange


async def identified(caller: Caller, wish: str, postal_code: str) -> Exchange:
    """A caller who said what they want and proved who they are."""
    await caller.rings()
    await caller.says(wish)
    await caller.says(postal_code)
    return await caller.reads_code()
