"""One process of a run: it opens the real services, takes the scripted caller's calls and notes what was said.

Runs in a forked child; what it leaves behind is the journal, the log and the database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from checkpoints.errors import LeaseLost, StorageError
from conversation import Conversation, Reply
from graph.state import Lang
from graph.understanding.commands import Mood
from graph.understanding.local import LocalUnderstander
from graph.wording.line import Line as Sentence
from graph.wording.speak import FluentWording
from services import Services, open_services
from tests.company import NOW, settings_for
from tests.crash.journal import Entry, Journal, Standing, standing_of
from tests.crash.naive import perform_plainly
from tests.crash.scripts import Caller, Script
from tools.errors import DeskError

T = TypeVar("T")
TURNS = 30  # of one leg; a caller who needs more is going in circles
NEW_CODE = frozenset({"code-sent-sms", "code-sent-email"})  #: a code given before is of no use now
LEGS = 4  # a caller who has to ring more often is not being served


class GaveUp(Exception):
    """The caller has had enough of going in circles, and puts the phone down."""


class NotedWording(FluentWording):
    """The real wording, which remembers what was said last."""

    def __init__(self) -> None:
        self.said: tuple[str, ...] = ()

    def speak(
        self, lines: Sequence[Sentence], language: Lang, *, mood: Mood = "calm", variant: int = 0
    ) -> str:
        self.said = tuple(one.id for one in lines)
        return super().speak(lines, language, mood=mood, variant=variant)


@dataclass(frozen=True)
class Process:
    """What a forked process is given."""

    dsn: str
    home: Path
    understander: LocalUnderstander  #: loaded before the fork
    script: Script
    epoch: float = field(default_factory=monotonic)  #: when it was NOW
    cuts_in: bool = False  #: whose turn is cancelled goes on speaking, and does not ring again
    rings_again: bool = True  #: a caller whom another worker has meanwhile does not
    naive: bool = False  #: performs its writes without key and log
    late: timedelta = timedelta(0)  #: how much later than the first call it is
    lookup_seconds: float = 2.0

    async def run(
        self, journal: Journal, caller: Caller, arm: Callable[[Phone], None] = lambda _: None
    ) -> None:
        """Take the caller's calls until one comes to its end.

        Args:
            arm: called when the line is about to be rung.
        """
        if self.naive:
            perform_plainly()
        settings = settings_for(self.dsn, self.home)
        limits = settings.limits.model_copy(update={"lookup_seconds": self.lookup_seconds})
        settings = settings.model_copy(update={"log_level": "warning", "limits": limits})
        async with open_services(settings, clock=self.clock, demo=False) as opened:
            wording = NotedWording()
            services = replace(opened, understander=self.understander, wording=wording)
            phone = Phone(self, services, wording, journal, caller)
            arm(phone)
            await phone.ring()

    def clock(self) -> datetime:
        """One time for all processes of a scene, which goes on."""
        return NOW + self.late + timedelta(seconds=monotonic() - self.epoch)


@dataclass
class Phone:
    """The caller's phone on one process's line."""

    process: Process
    services: Services
    wording: NotedWording
    journal: Journal
    caller: Caller
    acting: asyncio.Task[Any] | None = field(default=None, init=False)  #: what a hang-up cancels
    call: Conversation | None = field(default=None, init=False)

    async def ring(self) -> None:
        """The caller's calls until one comes to its end, or somebody else has it."""
        for _ in range(LEGS if self.process.rings_again else 1):
            if await self._leg():
                break
        self.journal.write(Entry(kind="finished", told=self.caller.told))

    async def _leg(self) -> bool:
        """One call. False when it was cut off and the caller has to ring again."""
        self.call = None
        try:
            await self._talk()
        except asyncio.CancelledError:
            self.journal.write(Entry(kind="cut_off"))
        except LeaseLost:
            self.journal.write(Entry(kind="lost"))
            return True
        except (StorageError, DeskError, GaveUp) as error:
            self.journal.write(Entry(kind="broke", error=type(error).__name__))
        else:
            return True
        if self.call is not None:
            with suppress(StorageError):
                await self.call.drop()
        return False

    async def _talk(self) -> None:
        script = self.process.script
        self.call = call = await self._act(self.services.answer(script.number, script.language))
        self.journal.write(
            Entry(
                kind="rang",
                call_id=str(call.record.call_id),
                legs=call.record.legs,
                standing=await _remembered(call),
            )
        )
        reply = await self._heard(await self._act(call.begin()))
        missed = False  # nothing was heard of the line's last words
        for _ in range(TURNS):
            if call.over:
                break
            words = self.caller.says(script, reply.standing.asks, reply.standing.slot)
            if missed:
                words = script.answers["missed"]
            try:
                reply = await self._heard(
                    await self._act(call.hear(words, heard="" if missed else None))
                )
                missed = False
            except asyncio.CancelledError:
                if not self.process.cuts_in or call.over:
                    raise
                self.journal.write(Entry(kind="cut_off"))
                missed = reply.standing != standing_of(call._state or {})
        else:
            raise GaveUp
        await call.hang_up()

    async def _heard(self, reply: Reply) -> Entry:
        """As on the terminal: the messages of the turn reach the caller first, then the reply."""
        assert self.call is not None
        lines = self.wording.said
        if not NEW_CODE.isdisjoint(lines):
            self.caller.code = ""
        with suppress(DeskError):
            for notice in await self._act(self.services.sent_notices(self.call)):
                found = re.search(r"\b\d{6}\b", notice.body)
                self.caller.code = found.group() if found else self.caller.code
        self.caller.hears(self.process.script, reply.did, lines)
        entry = Entry(
            kind="heard",
            call_id=str(reply.call),
            standing=standing_of(self.call._state or {}),
            lines=lines,
            did=reply.did,
            ended=reply.ended,
            told=self.caller.told,
            code=self.caller.code,
        )
        self.journal.write(entry)
        return entry

    async def _act(self, action: Coroutine[Any, Any, T]) -> T:
        acting: asyncio.Task[T] = asyncio.ensure_future(action)
        self.acting = acting
        return await acting


async def _remembered(call: Conversation) -> Standing:
    newest = await call.memory.aget_tuple(call.config)  # type: ignore[arg-type]
    return standing_of(newest.checkpoint["channel_values"]) if newest else Standing()
