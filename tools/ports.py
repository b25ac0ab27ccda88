"""The company's systems as the line sees them: one Protocol per system.

Every method may raise tools.errors.DeskError. The built-in ones are in tools/postgres. Methods that
write are only ever called inside EffectLog.run_once (tools/effects.py); `transferred`, which said twice is the same,
is not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from tools.records import (
    Address,
    CallbackBooking,
    CallbackSlot,
    Customer,
    Handover,
    HandoverTicket,
    Notice,
    Order,
    Passage,
    TransferOutcome,
)

LanguageCode = Literal["en", "es", "fr"]


class CustomerDirectory(Protocol):
    """Accounts and what is on file."""

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]: ...

    async def find_by_email(self, email: str) -> tuple[Customer, ...]: ...

    async def find_by_order(self, order: str) -> tuple[Customer, ...]:
        """Owners of the orders whose id, without separators and case, equals `order` (or whose digits
        do, when `order` is digits only)."""

    async def get(self, customer_id: str) -> Customer:
        """Raises NotFound."""

    async def update_address(self, customer_id: str, address: Address) -> Customer:
        """Returns the customer as it is now. Raises NotFound, Refused."""

    async def update_phone(self, customer_id: str, phone: str) -> Customer: ...


class OrderBook(Protocol):
    """Orders and shipments."""

    async def recent(self, customer_id: str, limit: int = 5) -> tuple[Order, ...]:
        """Newest first."""

    async def find(self, customer_id: str, order: str) -> Order:
        """One of this customer's orders by id as heard (separators, case and a missing letter prefix
        don't matter). Raises NotFound, also when the order is somebody else's."""


class CallbackCalendar(Protocol):
    """Opening hours, holidays, free times and bookings."""

    async def free_slots(
        self, around: datetime, country: str, limit: int = 3
    ) -> tuple[CallbackSlot, ...]:
        """The free times nearest to `around` and not before now, earliest first. A slot lasts 30 minutes.
        Opening hours and holidays are those of `country`, in the zone of `around`."""

    async def is_free(self, at: datetime, country: str) -> bool: ...

    async def book(
        self,
        *,
        call_id: UUID,
        topic: str,
        phone: str,
        at: datetime,
        country: str,
        language: LanguageCode,
    ) -> CallbackBooking:
        """Raises Refused("slot_taken" | "outside_hours")."""

    async def booked_for(self, phone: str) -> tuple[CallbackBooking, ...]:
        """Future bookings to this number, earliest first."""

    async def move(self, callback_id: UUID, at: datetime, country: str) -> CallbackBooking: ...

    async def cancel(self, callback_id: UUID) -> CallbackBooking: ...


class KnowledgeBase(Protocol):
    """Answers to general questions."""

    async def search(
        self, question: str, language: LanguageCode, limit: int = 3
    ) -> tuple[Passage, ...]:
        """Best first. An answer below `answer_score` of the implementation is left out, so an empty
        tuple means: not known."""

    async def prepare(self, language: LanguageCode) -> None:
        """A call in this language has begun: whatever makes a first search slow can be done before it."""


class StaffDesk(Protocol):
    """People who take calls over."""

    async def available(self, language: LanguageCode) -> bool:
        """Can somebody take a call in this language now?"""

    async def hand_over(
        self, handover: Handover, way: Literal["transfer", "queue"]
    ) -> HandoverTicket:
        """The case is theirs; with `transfer`, somebody tries to put the caller through from now on."""

    async def transferred(self, call_id: UUID, outcome: TransferOutcome) -> None:
        """What came of the call's last transfer. Until somebody says so, the caller was not put through."""


class Notifier(Protocol):
    """Messages to customers' contacts. `send` only queues; delivery is at least once, keyed by notice id."""

    async def send(self, notice: Notice) -> None: ...


class IdentityVault(Protocol):
    """Attempts, locks and one-time codes, counted where restarts don't reset them."""

    async def locked(self, *, call_id: UUID, account: str | None, caller_key: str | None) -> bool:
        """Three failures in a call, five per account in 24 hours, ten per caller number in 24 hours.
        `account` is a customer id, `caller_key` a keyed hash of the caller's number."""

    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        """Counted once per (call_id, turn), however often a turn runs."""

    async def issue_code(self, *, call_id: UUID, customer_id: str) -> str:
        """A fresh six-digit code, stored hashed, valid five minutes, single use, three tries. Older codes
        of this call end. Returned so that the notifier can send it; never logged or checkpointed."""

    async def check_code(
        self, *, call_id: UUID, customer_id: str, code: str, turn: int
    ) -> Literal["ok", "wrong", "expired", "used_up"]:
        """Uses the code up when right. A repeated run of the same turn gives the same answer."""
