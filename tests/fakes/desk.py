"""The company's systems in memory: real behaviour, no database, and they can be made to fail."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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
    TransferOutcome,
)

R = TypeVar("R", bound=BaseModel)
PortName = Literal[
    "customers", "orders", "callbacks", "knowledge", "staff", "notices", "vault", "effects"
]
PORTS: tuple[PortName, ...] = (
    "customers",
    "orders",
    "callbacks",
    "knowledge",
    "staff",
    "notices",
    "vault",
    "effects",
)

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


def orders_of_the_day(now: datetime) -> tuple[Order, ...]:
    """Jane has two orders, the newest under way; Omar has one, delayed."""
    return (
        an_order("HF-10482", "C-1", now),
        an_order(
            "HF-10311",
            "C-1",
            now,
            status="delivered",
            placed_at=now - timedelta(days=20),
            delivered_at=now - timedelta(days=12),
            items=(OrderItem(quantity=1, name="Brass lamp"),),
            tracking_number="1Z555",
        ),
        an_order(
            "HF-20001",
            "C-2",
            now,
            status="delayed",
            items=(OrderItem(quantity=1, name="Copper kettle"),),
            tracking_number="1Z777",
        ),
    )


@dataclass(frozen=True)
class Visit:
    """One call of a port."""

    port: PortName
    method: str
    about: str = ""  #: a customer id, where there is one


@dataclass
class Wire:
    """What the ports share: which of them are down, and who called them."""

    down: set[PortName] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)

    def reach(self, port: PortName, method: str, about: str = "") -> None:
        if port in self.down:
            raise BackendDown
        self.visits.append(Visit(port, method, about))


class FakeCustomers:
    def __init__(self, wire: Wire, customers: tuple[Customer, ...], orders: FakeOrders) -> None:
        self.rows = {customer.customer_id: customer for customer in customers}
        self.changes: list[Customer] = []  #: the record as it was after each change
        self._wire = wire
        self._orders = orders

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        self._wire.reach("customers", "find_by_phone")
        return tuple(one for one in self.rows.values() if one.phone == phone)

    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        self._wire.reach("customers", "find_by_email")
        return tuple(one for one in self.rows.values() if one.email == email)

    async def find_by_order(self, order: str) -> tuple[Customer, ...]:
        self._wire.reach("customers", "find_by_order")
        owners = {one.customer_id for one in self._orders.rows if _same_order(one.order_id, order)}
        return tuple(self.rows[owner] for owner in sorted(owners))

    async def get(self, customer_id: str) -> Customer:
        self._wire.reach("customers", "get", customer_id)
        if customer_id not in self.rows:
            raise NotFound
        return self.rows[customer_id]

    async def update_address(self, customer_id: str, address: Address) -> Customer:
        self._wire.reach("customers", "update_address", customer_id)
        return self._changed(customer_id, address=address)

    async def update_phone(self, customer_id: str, phone: str) -> Customer:
        self._wire.reach("customers", "update_phone", customer_id)
        return self._changed(customer_id, phone=phone)

    def _changed(self, customer_id: str, **changed: object) -> Customer:
        self.rows[customer_id] = self.rows[customer_id].model_copy(update=changed)
        self.changes.append(self.rows[customer_id])
        return self.rows[customer_id]


def _same_order(order_id: str, heard: str) -> bool:
    plain = "".join(char for char in order_id if char.isalnum()).upper()
    digits = "".join(char for char in plain if char.isdigit())
    return heard in (plain, digits)


class FakeOrders:
    def __init__(self, wire: Wire, rows: tuple[Order, ...]) -> None:
        self.rows = rows
        self._wire = wire

    async def recent(self, customer_id: str, limit: int = 5) -> tuple[Order, ...]:
        self._wire.reach("orders", "recent", customer_id)
        mine = [one for one in self.rows if one.customer_id == customer_id]
        return tuple(sorted(mine, key=lambda one: one.placed_at, reverse=True)[:limit])

    async def find(self, customer_id: str, order: str) -> Order:
        self._wire.reach("orders", "find", customer_id)
        for one in self.rows:
            if one.customer_id == customer_id and _same_order(one.order_id, order):
                return one
        raise NotFound


class FakeCallbacks:
    """Open 9 to 18 on weekdays, slots of half an hour, bookable for the coming weeks."""

    HORIZON = timedelta(days=60)

    def __init__(self, wire: Wire, clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._clock = clock
        self.bookings: dict[UUID, CallbackBooking] = {}
        self.closed: set[datetime] = set()

    async def free_slots(
        self, around: datetime, country: str, limit: int = 3
    ) -> tuple[CallbackSlot, ...]:
        self._wire.reach("callbacks", "free_slots")
        at = around.replace(minute=0, second=0, microsecond=0)
        last = self._clock() + self.HORIZON
        slots: list[CallbackSlot] = []
        while len(slots) < limit and at < last:
            at += timedelta(minutes=30)
            if self._free(at):
                slots.append(CallbackSlot(starts_at=at))
        return tuple(slots)

    async def is_free(self, at: datetime, country: str) -> bool:
        self._wire.reach("callbacks", "is_free")
        return self._free(at)

    def _free(self, at: datetime) -> bool:
        taken = {one.starts_at for one in self.bookings.values() if one.status == "booked"}
        opening = at.weekday() < 5 and 9 <= at.hour < 18
        return opening and at not in (taken | self.closed) and at > self._clock()

    async def book(
        self,
        *,
        call_id: UUID,
        topic: str,
        phone: str,
        at: datetime,
        country: str,
        language: Literal["en", "es", "fr"],
    ) -> CallbackBooking:
        self._wire.reach("callbacks", "book")
        if not self._free(at):
            raise Refused("slot_taken")
        booking = CallbackBooking(
            callback_id=uuid4(), topic=topic, phone=phone, starts_at=at, status="booked"
        )
        self.bookings[booking.callback_id] = booking
        return booking

    async def booked_for(self, phone: str) -> tuple[CallbackBooking, ...]:
        self._wire.reach("callbacks", "booked_for")
        return tuple(sorted(self._booked(phone), key=lambda one: one.starts_at))

    def _booked(self, phone: str) -> list[CallbackBooking]:
        return [
            one
            for one in self.bookings.values()
            if one.phone == phone and one.status == "booked" and one.starts_at > self._clock()
        ]

    async def move(self, callback_id: UUID, at: datetime, country: str) -> CallbackBooking:
        self._wire.reach("callbacks", "move")
        if not self._free(at):
            raise Refused("slot_taken")
        return self._changed(callback_id, starts_at=at)

    async def cancel(self, callback_id: UUID) -> CallbackBooking:
        self._wire.reach("callbacks", "cancel")
        return self._changed(callback_id, status="cancelled")

    def _changed(self, callback_id: UUID, **changed: object) -> CallbackBooking:
        if callback_id not in self.bookings:
            raise NotFound
        self.bookings[callback_id] = self.bookings[callback_id].model_copy(update=changed)
        return self.bookings[callback_id]


class FakeKnowledge:
    """Knows about returns and nothing else."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def search(
        self, question: str, language: Literal["en", "es", "fr"], limit: int = 3
    ) -> tuple[Passage, ...]:
        self._wire.reach("knowledge", "search")
        if "return" not in question:
            return ()
        body = "You can send an item back within thirty days."
        return (Passage(topic="returns", language=language, title="Returns", body=body, score=0.9),)

    async def prepare(self, language: Literal["en", "es", "fr"]) -> None:
        self._wire.reach("knowledge", "prepare")


class FakeStaff:
    def __init__(self, wire: Wire) -> None:
        self.free = False
        self.handovers: list[tuple[Handover, str]] = []
        self._wire = wire

    async def available(self, language: Literal["en", "es", "fr"]) -> bool:
        self._wire.reach("staff", "available")
        return self.free

    async def hand_over(
        self, handover: Handover, way: Literal["transfer", "queue"]
    ) -> HandoverTicket:
        self._wire.reach("staff", "hand_over")
        self.handovers.append((handover, way))
        return HandoverTicket(handover_id=uuid4(), way=way)

    async def transferred(self, call_id: UUID, outcome: TransferOutcome) -> None:
        self._wire.reach("staff", "transferred")


class FakeNotices:
    def __init__(self, wire: Wire) -> None:
        self.sent: list[Notice] = []
        self._wire = wire

    async def send(self, notice: Notice) -> None:
        self._wire.reach("notices", "send")
        self.sent.append(notice)


class FakeVault:
    """Counts in memory what the real one counts in Postgres."""

    CODE = "482913"
    FAILURES_PER_CALL = 3
    FAILURES_PER_ACCOUNT = 5

    def __init__(self, wire: Wire, clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._clock = clock
        self.failures: set[tuple[UUID, int]] = set()
        self.of_accounts: set[tuple[UUID, int, str]] = set()
        self.code_until: datetime | None = None
        self.code_for: str | None = None
        self.tries = 0

    async def locked(self, *, call_id: UUID, account: str | None, caller_key: str | None) -> bool:
        self._wire.reach("vault", "locked")
        failed = {turn for call, turn in self.failures if call == call_id}
        of_account = [one for one in self.of_accounts if one[2] == account]
        return len(failed) >= self.FAILURES_PER_CALL or len(of_account) >= self.FAILURES_PER_ACCOUNT

    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        self._wire.reach("vault", "record_failure")
        self.failures.add((call_id, turn))
        if account is not None:
            self.of_accounts.add((call_id, turn, account))

    async def issue_code(self, *, call_id: UUID, customer_id: str) -> str:
        self._wire.reach("vault", "issue_code", customer_id)
        self.code_until = self._clock() + timedelta(minutes=5)
        self.code_for = customer_id
        self.tries = 0
        return self.CODE

    async def check_code(
        self, *, call_id: UUID, customer_id: str, code: str, turn: int
    ) -> Literal["ok", "wrong", "expired", "used_up"]:
        self._wire.reach("vault", "check_code", customer_id)
        self.tries += 1
        if self.code_until is None or self.tries > 3:
            return "used_up"
        if self._clock() > self.code_until:
            return "expired"
        if code != self.CODE or customer_id != self.code_for:
            return "wrong"
        self.code_until = None
        return "ok"


class FakeEffectLog:
    """Key and effect commit together: what `perform` changed is undone when it fails."""

    def __init__(self, wire: Wire, joined: tuple[object, ...]) -> None:
        self.rows: dict[str, tuple[BaseModel, BaseModel]] = {}
        self.performed: list[EffectKey] = []
        self.answer_lost = False  #: the next write is committed, and nobody hears of it
        self._wire = wire
        self._joined = joined

    @property
    def names(self) -> list[str]:
        """The effects that happened, one-time codes left out."""
        return [key.effect for key in self.performed if key.effect != "send_code"]

    async def is_done(self, key: EffectKey) -> bool:
        self._wire.reach("effects", "is_done")
        return str(key) in self.rows

    async def run_once(
        self,
        key: EffectKey,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
    ) -> EffectOutcome[R]:
        self._wire.reach("effects", "run_once")
        if str(key) in self.rows:
            before, kept = self.rows[str(key)]
            if before != arguments:
                raise EffectConflict
            repeated = result_type.model_validate(kept.model_dump())
            return EffectOutcome[R](result=repeated, repeated=True)
        savepoint = [self._saved(one) for one in self._joined]
        try:
            result = await perform()
        except Exception:
            self._roll_back(savepoint)
            raise
        self.rows[str(key)] = (arguments, result)
        self.performed.append(key)
        if self.answer_lost:
            self.answer_lost = False
            raise BackendDown
        return EffectOutcome[R](result=result, repeated=False)

    @staticmethod
    def _saved(system: object) -> dict[str, object]:
        kept = {name: value for name, value in vars(system).items() if name not in LEFT_ALONE}
        return {name: copy.copy(value) for name, value in kept.items()}

    def _roll_back(self, savepoint: list[dict[str, object]]) -> None:
        for system, kept in zip(self._joined, savepoint, strict=True):
            vars(system).update(kept)


LEFT_ALONE = ("_wire", "_clock", "_orders")


class FakeCompany:
    """One company: its systems, their shared wire, and the `Desk` the graph is given."""

    def __init__(
        self, clock: Callable[[], datetime], customers: tuple[Customer, ...] = (JANE, OMAR)
    ) -> None:
        self.wire = Wire()
        self.orders = FakeOrders(self.wire, orders_of_the_day(clock()))
        self.customers = FakeCustomers(self.wire, customers, self.orders)
        self.callbacks = FakeCallbacks(self.wire, clock)
        self.knowledge = FakeKnowledge(self.wire)
        self.staff = FakeStaff(self.wire)
        self.notices = FakeNotices(self.wire)
        self.vault = FakeVault(self.wire, clock)
        joined = (self.customers, self.callbacks, self.staff, self.notices, self.vault)
        self.effects = FakeEffectLog(self.wire, joined)

    @property
    def desk(self) -> Desk:
        return Desk(
            customers=self.customers,
            orders=self.orders,
            callbacks=self.callbacks,
            knowledge=self.knowledge,
            staff=self.staff,
            notices=self.notices,
            vault=self.vault,
            effects=self.effects,
        )
