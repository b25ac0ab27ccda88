"""What a run is given from outside. Never checkpointed: a resumed call gets a fresh one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from graph.state import Lang
from graph.understanding.commands import Mood, Pending, Understanding
from graph.wording.line import Line
from tools.effects import EffectLog
from tools.ports import (
    CallbackCalendar,
    CustomerDirectory,
    IdentityVault,
    KnowledgeBase,
    Notifier,
    OrderBook,
    StaffDesk,
)


class Understander(Protocol):
    """Utterance to commands."""

    async def read(self, text: str, pending: Pending) -> Understanding: ...


class Wording(Protocol):
    """Lines to sentences."""

    def speak(
        self, lines: Sequence[Line], language: Lang, *, mood: Mood = "calm", variant: int = 0
    ) -> str:
        """Sentences joined by a space. `variant` picks among wordings, so a repeat need not sound the same."""


class Words(NamedTuple):
    """Something the line says, and how."""

    say: str
    language: Lang
    mood: Mood  #: the caller's, which the voice answers to
    slow: bool  #: the caller asked for it


def _into_the_stream_only(_: Words) -> None:
    """Whoever runs the graph by itself reads its `custom` stream."""


@dataclass(frozen=True)
class Desk:
    """The company's systems behind their limits."""

    customers: CustomerDirectory
    orders: OrderBook
    callbacks: CallbackCalendar
    knowledge: KnowledgeBase
    staff: StaffDesk
    notices: Notifier
    vault: IdentityVault
    effects: EffectLog


@dataclass(frozen=True)
class CallContext:
    """One call's surroundings."""

    call_id: UUID
    desk: Desk
    understander: Understander
    wording: Wording
    clock: Callable[[], datetime]
    company: str  #: the name the line answers with
    caller_number: str | None = None  #: E.164; finds a candidate, proves nothing
    caller_key: str | None = None  #: keyed hash of the number
    country: str = "US"  # ISO 3166 alpha-2 of the caller's number, else the company's
    zone: str = "UTC"  # the caller's time zone
    recorded: bool = False  #: the greeting says so
    speak: Callable[[Words], None] = _into_the_stream_only  #: is told the words as they come
    unsure: bool = (
        False  #: a confirmed turn was cut off before this one: what it was to do may be done
    )

    def now(self, zone: str) -> datetime:
        """The caller's local time."""
        return self.clock().astimezone(ZoneInfo(zone))
