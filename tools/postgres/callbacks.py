"""The callback calendar in Postgres: opening hours, public holidays, places per half hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID, uuid4

import holidays
from psycopg.rows import DictRow

from tools.errors import NotFound, Refused
from tools.ports import LanguageCode
from tools.postgres.connections import Connection, Connections, port_method
from tools.records import CallbackBooking, CallbackSlot

SLOT = timedelta(minutes=30)
EARLIEST = timedelta(minutes=30)  # from now
LATEST = timedelta(days=30)


@dataclass(frozen=True)
class Hours:
    opens: time
    closes: time
    capacity: int


@dataclass(frozen=True)
class Calendar:
    """When callbacks can be, in one country."""

    country: str
    week: dict[int, Hours]
    special: dict[date, bool]  #: day -> closed
    taken: dict[datetime, int]

    def hours(self, day: date) -> Hours | None:
        closed = self.special.get(day, public_holiday(self.country, day))
        return None if closed else self.week.get(day.weekday())

    def fits(self, at: datetime) -> bool:
        """Inside the opening hours, on the half hour."""
        hours = self.hours(at.date())
        on_slot = at.minute % 30 == 0 and at.second == 0 and at.microsecond == 0
        if hours is None or not on_slot:
            return False
        closes = datetime.combine(at.date(), hours.closes, at.tzinfo)
        return hours.opens <= at.time() and at + SLOT <= closes

    def has_room(self, at: datetime) -> bool:
        hours = self.hours(at.date())
        return hours is not None and self.taken.get(at, 0) < hours.capacity


@lru_cache(maxsize=4096)
def public_holiday(country: str, day: date) -> bool:
    """By the `holidays` library; a country it does not know has none."""
    try:
        return day in holidays.country_holidays(country, years=day.year)
    except NotImplementedError:
        return False


class PostgresCallbacks:
    """tools.ports.CallbackCalendar."""

    def __init__(self, connections: Connections, clock: Callable[[], datetime]) -> None:
        self._connections = connections
        self._clock = clock

    @port_method
    async def free_slots(
        self, around: datetime, country: str, limit: int = 3
    ) -> tuple[CallbackSlot, ...]:
        first, last = self._clock() + EARLIEST, self._clock() + LATEST
        wanted = min(max(around, first.astimezone(around.tzinfo)), last.astimezone(around.tzinfo))
        async with self._connections.connection() as connection:
            calendar = await _calendar(connection, country, wanted)
        days = [wanted.date() + timedelta(days=offset) for offset in range(-1, 15)]
        free = [
            at
            for day in days
            for at in _starts(calendar, day, around)
            if first <= at <= last and calendar.has_room(at)
        ]
        nearest = sorted(sorted(free, key=lambda at: abs(at - wanted))[:limit])
        return tuple(CallbackSlot(starts_at=at) for at in nearest)

    @port_method
    async def is_free(self, at: datetime, country: str) -> bool:
        async with self._connections.connection() as connection:
            calendar = await _calendar(connection, country, at)
        now = self._clock()
        in_time = now + EARLIEST <= at <= now + LATEST
        return in_time and calendar.fits(at) and calendar.has_room(at)

    @port_method
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
        async with self._connections.transaction() as connection:
            await self._take(connection, at, country)
            cursor = await connection.execute(
                "INSERT INTO company.callbacks "
                "(callback_id, call_id, topic, phone, starts_at, country, language, status) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, 'booked') RETURNING *",
                (uuid4(), call_id, topic, phone, at, country, language),
            )
            return _booking(await cursor.fetchone())

    @port_method
    async def booked_for(self, phone: str) -> tuple[CallbackBooking, ...]:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM company.callbacks WHERE phone = %s AND status = 'booked' "
                "AND starts_at > %s ORDER BY starts_at",
                (phone, self._clock()),
            )
            return tuple(_booking(row) for row in await cursor.fetchall())

    @port_method
    async def move(self, callback_id: UUID, at: datetime, country: str) -> CallbackBooking:
        async with self._connections.transaction() as connection:
            await self._take(connection, at, country, moving=callback_id)
            cursor = await connection.execute(
                "UPDATE company.callbacks SET starts_at = %s WHERE callback_id = %s "
                "AND status = 'booked' RETURNING *",
                (at, callback_id),
            )
            return _booking(await cursor.fetchone())

    @port_method
    async def cancel(self, callback_id: UUID) -> CallbackBooking:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "UPDATE company.callbacks SET status = 'cancelled' WHERE callback_id = %s RETURNING *",
                (callback_id,),
            )
            return _booking(await cursor.fetchone())

    async def _take(
        self, connection: Connection, at: datetime, country: str, moving: UUID | None = None
    ) -> None:
        """The last place goes to one caller: bookings of the same half hour wait for each other."""
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (int(at.timestamp()),))
        calendar = await _calendar(connection, country, at, moving)
        if not calendar.fits(at) or at < self._clock():
            raise Refused("outside_hours")
        if not calendar.has_room(at):
            raise Refused("slot_taken")


def _starts(calendar: Calendar, day: date, around: datetime) -> list[datetime]:
    hours = calendar.hours(day)
    if hours is None:
        return []
    at, starts = datetime.combine(day, hours.opens, around.tzinfo), []
    while calendar.fits(at):
        starts.append(at)
        at += SLOT
    return starts


async def _calendar(
    connection: Connection, country: str, around: datetime, moving: UUID | None = None
) -> Calendar:
    """`moving`: a booking that takes up no place, because it is about to leave it."""
    cursor = await connection.execute(
        "SELECT DISTINCT ON (weekday) * FROM company.opening_hours WHERE country IN (%s, '*') "
        "AND (country <> '*' OR NOT EXISTS (SELECT 1 FROM company.opening_hours WHERE country = %s)) "
        "ORDER BY weekday",
        (country, country),
    )
    week = {
        row["weekday"]: Hours(row["opens"], row["closes"], row["capacity"])
        for row in await cursor.fetchall()
    }
    cursor = await connection.execute(
        "SELECT DISTINCT ON (day) day, closed FROM company.special_days WHERE country IN (%s, '*') "
        "ORDER BY day, country = '*'",
        (country,),
    )
    special = {row["day"]: row["closed"] for row in await cursor.fetchall()}
    cursor = await connection.execute(
        "SELECT starts_at, count(*) AS taken FROM company.callbacks WHERE status = 'booked' "
        "AND starts_at BETWEEN %s AND %s AND callback_id IS DISTINCT FROM %s GROUP BY starts_at",
        (around - timedelta(days=32), around + timedelta(days=32), moving),
    )
    taken = {row["starts_at"]: row["taken"] for row in await cursor.fetchall()}
    return Calendar(country, week, special, taken)


def _booking(row: DictRow | None) -> CallbackBooking:
    if row is None:
        raise NotFound
    return CallbackBooking.model_validate(
        {name: row[name] for name in CallbackBooking.model_fields}
    )
