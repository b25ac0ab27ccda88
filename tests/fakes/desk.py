"""The company's systems in memory: real behaviour, no database. For unit tests of the graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel

from graph.context import Desk
from tools.effects import EffectConflict, EffectKey, EffectOutcome
from tools.errors import BackendDown, NotFound, Refused
from tools.records import (
    Address,
    CallbackBooking,
    CallbackSlot,
    Customer,
    Handover,
    HandoverTicket,
    Notice,
    Order,
    OrderItem,
    Passage,
)

R = TypeVar("R", bound=BaseModel)

JANE = Customer(
    customer_id="C-1",
    full_name="Jane Doe",
    email="jane@example.com",
    phone="+15035550127",
    language="en",
    address=Address(
        line1="12 Oak Avenue", city="Portland", region="OR", postal_code="97205", country="US"
    ),
)
OMAR = Customer(
    customer_id="C-2",
    full_name="Omar Ruiz",
    email="omar@example.org",
    phone="+15035550188",
    language="es",
    address=Address(
        line1="3 Pine Street", city="Salem", region="OR", postal_code="97301", country="US"
    ),
)


def an_order(order_id: str, customer_id: str, now: datetime, **changed: object) -> Order:
    order = Order(
        order_id=order_id,
        customer_id=customer_id,
        status="shipped",
        placed_at=now - timedelta(days=4),
        total_cents=12900,
        currency="USD",
        items=(OrderItem(quantity=2, name="Oak stool"),),
        carrier="UPS",
        tracking_number="1Z999",
        estimated_delivery=now.date() + timedelta(days=2),
    )
    return order.model_copy(update=changed)


class FakeCustomers:
    def __init__(self, customers: tuple[Customer, ...], orders: FakeOrders) -> None:
        self.rows = {customer.customer_id: customer for customer in customers}
        self._orders = orders

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        return tuple(one for one in self.rows.values() if one.phone == phone)

    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        return tuple(one for one in self.rows.values() if one.email == email)

    async def find_by_order(self, order: str) -> tuple[Customer, ...]:
        owners = {one.customer_id for one in self._orders.rows if _same_order(one.order_id, order)}
        return tuple(self.rows[owner] for owner in sorted(owners))

    async def get(self, customer_id: str) -> Customer:
        if customer_id not in self.rows:
            raise NotFound
        return self.rows[customer_id]

    async def update_address(self, customer_id: str, address: Address) -> Customer:
        self.rows[customer_id] = self.rows[customer_id].model_copy(update={"address": address})
        return self.rows[customer_id]

    async def update_phone(self, customer_id: str, phone: str) -> Customer:
        self.rows[customer_id] = self.rows[customer_id].model_copy(update={"phone": phone})
        return self.rows[customer_id]


def _same_order(order_id: str, heard: str) -> bool:
    plain = "".join(char for char in order_id if char.isalnum()).upper()
    digits = "".join(char for char in plain if char.isdigit())
    return heard in (plain, digits)


class FakeOrders:
    def __init__(self, rows: tuple[Order, ...]) -> None:
        self.rows = rows
        self.down = False

    async def recent(self, customer_id: str, limit: int = 5) -> tuple[Order, ...]:
        if self.down:
            raise BackendDown
        mine = [one for one in self.rows if one.customer_id == customer_id]
        return tuple(sorted(mine, key=lambda one: one.placed_at, reverse=True)[:limit])

    async def find(self, customer_id: str, order: str) -> Order:
        for one in await self.recent(customer_id, limit=1000):
            if _same_order(one.order_id, order):
                return one
        raise NotFound


class FakeCallbacks:
    """Open 9 to 18 on weekdays."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.bookings: dict[UUID, CallbackBooking] = {}
        self.taken: set[datetime] = set()

    async def free_slots(self, around: datetime, country: str, limit: int = 3) -> tuple[CallbackSlot, ...]:
        slots: list[CallbackSlot] = []
        at = around.replace(minute=30 if around.minute < 30 else 0, second=0, microsecond=0)
        if around.minute >= 30:
            at += timedelta(hours=1)
        while len(slots) < limit:
            if await self.is_free(at, country):
                slots.append(CallbackSlot(starts_at=at))
            at += timedelta(minutes=30)
        return tuple(slots)

    async def is_free(self, at: datetime, country: str) -> bool:
        return at.weekday() < 5 and 9 <= at.hour < 18 and at not in self.taken and at > self._clock()

    async def book(
        self, *, call_id: UUID, topic: str, phone: str, at: datetime, country: str,
        language: Literal["en", "es", "fr"],
    ) -> CallbackBooking:
        if not await self.is_free(at, country):
            raise Refused("slot_taken")
        booking = CallbackBooking(
            callback_id=uuid4(), topic=topic, phone=phone, starts_at=at, status="booked"
        )
        self.bookings[booking.callback_id] = booking
        self.taken.add(at)
        return booking

    async def booked_for(self, phone: str) -> tuple[CallbackBooking, ...]:
        mine = [one for one in self.bookings.values() if one.phone == phone and one.status == "booked"]
        return tuple(sorted(mine, key=lambda one: one.starts_at))

    async def move(self, callback_id: UUID, at: datetime, country: str) -> CallbackBooking:
        return self._changed(callback_id, starts_at=at)

    async def cancel(self, callback_id: UUID) -> CallbackBooking:
        return self._changed(callback_id, status="cancelled")

    def _changed(self, callback_id: UUID, **changed: object) -> CallbackBooking:
        self.bookings[callback_id] = self.bookings[callback_id].model_copy(update=changed)
        return self.bookings[callback_id]


class FakeKnowledge:
    async def search(
        self, question: str, language: Literal["en", "es", "fr"], limit: int = 3
    ) -> tuple[Passage, ...]:
        if "return" not in question:
            return ()
        body = "You can send an item back within thirty days."
        return (
            Passage(topic="returns", language=language, title="Returns", body=body, score=0.9),
        )


class FakeStaff:
    def __init__(self) -> None:
        self.free = False
        self.handovers: list[tuple[Handover, str]] = []

    async def available(self, language: Literal["en", "es", "fr"]) -> bool:
        return self.free

    async def hand_over(self, handover: Handover, way: Literal["transfer", "queue"]) -> HandoverTicket:
        self.handovers.append((handover, way))
        return HandoverTicket(handover_id=uuid4(), way=way)


class FakeNotices:
    def __init__(self) -> None:
        self.sent: list[Notice] = []

    async def send(self, notice: Notice) -> None:
        self.sent.append(notice)


class FakeVault:
    """Counts in memory what the real one counts in Postgres."""

    CODE = "482913"

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.failures: set[tuple[UUID, int, str | None]] = set()
        self.code_until: datetime | None = None
        self.tries = 0

    async def locked(self, *, call_id: UUID, account: str | None, caller_key: str | None) -> bool:
        return len({turn for call, turn, _ in self.failures if call == call_id}) >= 3

    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        self.failures.add((call_id, turn, account))

    async def issue_code(self, *, call_id: UUID, customer_id: str) -> str:
        self.code_until = self._clock() + timedelta(minutes=5)
        self.tries = 0
        return self.CODE

    async def check_code(
        self, *, call_id: UUID, customer_id: str, code: str, turn: int
    ) -> Literal["ok", "wrong", "expired", "used_up"]:
        self.tries += 1
        if self.code_until is None or self.tries > 3:
            return "used_up"
        if self._clock() > self.code_until:
            return "expired"
        if code != self.CODE:
            return "wrong"
        self.code_until = None
        return "ok"


class FakeEffectLog:
    def __init__(self) -> None:
        self.rows: dict[str, tuple[BaseModel, BaseModel]] = {}
        self.performed: list[str] = []

    async def run_once(
        self,
        key: EffectKey,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
    ) -> EffectOutcome[R]:
        if str(key) in self.rows:
            before, result = self.rows[str(key)]
            if before != arguments:
                raise EffectConflict
            return EffectOutcome[R](result=result_type.model_validate(result.model_dump()), repeated=True)
        result = await perform()
        self.rows[str(key)] = (arguments, result)
        self.performed.append(key.effect)
        return EffectOutcome[R](result=result, repeated=False)


def fake_desk(clock: Callable[[], datetime]) -> Desk:
    now = clock()
    orders = FakeOrders(
        (
            an_order("HF-10482", "C-1", now),
            an_order("HF-10311", "C-1", now, status="delivered", placed_at=now - timedelta(days=20),
                     delivered_at=now - timedelta(days=12), items=(OrderItem(quantity=1, name="Brass lamp"),)),
            an_order("HF-20001", "C-2", now, status="delayed"),
        )
    )
    return Desk(
        customers=FakeCustomers((JANE, OMAR), orders),
        orders=orders,
        callbacks=FakeCallbacks(clock),
        knowledge=FakeKnowledge(),
        staff=FakeStaff(),
        notices=FakeNotices(),
        vault=FakeVault(clock),
        effects=FakeEffectLog(),
    )


