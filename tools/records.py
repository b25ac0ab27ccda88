"""The records the line reads from the company's systems. Frozen; times are aware, money is cents."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(IntEnum):
    """How far a caller is identified."""

    ANONYMOUS = 0  #: knowledge, callback requests
    FACT = 1  #: account found and a matching fact: orders
    CODE = 2  #: one-time code to the contact on file: changes


class Address(Record):
    line1: str
    line2: str = ""
    city: str
    region: str = ""
    postal_code: str
    country: str  #: ISO 3166 alpha-2


class Customer(Record):
    customer_id: str
    full_name: str
    email: str
    phone: str  #: E.164
    language: Literal["en", "es", "fr"]
    address: Address


OrderStatusWord = Literal[
    "placed",  # received, not yet paid or packed
    "processing",  # being packed
    "shipped",  # handed to the carrier
    "out_for_delivery",
    "delivered",
    "delayed",
    "returned",
    "cancelled",
    "lost",
]


class OrderItem(Record):
    quantity: int
    name: str


class Order(Record):
    order_id: str
    customer_id: str
    status: OrderStatusWord
    placed_at: datetime
    total_cents: int
    currency: str  #: ISO 4217
    items: tuple[OrderItem, ...]
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    estimated_delivery: date | None = None


class CallbackSlot(Record):
    """A free time for a callback."""

    starts_at: datetime  #: aware, in the caller's zone


class CallbackBooking(Record):
    callback_id: UUID
    topic: str
    phone: str  #: E.164
    starts_at: datetime
    status: Literal["booked", "cancelled"]


class Passage(Record):
    """A piece of knowledge that answers a question."""

    topic: str
    language: Literal["en", "es", "fr"]
    title: str
    body: str
    score: float  #: 0 to 1, how sure the search is


class Handover(Record):
    """What a person needs to take a call over."""

    call_id: UUID
    reason: Literal[
        "asked", "repair", "identity_locked", "order_problem", "backend_down", "unknown"
    ]
    customer_id: str | None
    level: int
    language: Literal["en", "es", "fr"]
    asked: tuple[str, ...]  #: what the caller wanted, flow names and topics in order
    done: tuple[str, ...]  #: effects that happened
    open: tuple[str, ...]  #: what is left
    last_line: str  #: the last thing the caller heard


TransferOutcome = Literal[
    "through",  # the caller is with a person
    "no_answer",  # it rang
    "busy",
    "declined",  # by a person, or by their phone
    "voicemail",  # something answered that does not press a key
    "caller_left",  # while the colleague was rung
    "failed",  # the phone network or LiveKit did not do it, or our line died
]


class HandoverTicket(Record):
    handover_id: UUID
    way: Literal["transfer", "queue"]  #: put through now, or queued for staff


class Notice(Record):
    """A message to a customer's contact."""

    to: str
    channel: Literal["sms", "email"]
    body: str
    kind: Literal["code", "address_changed", "phone_changed", "callback_booked"]
