"""The callback calendar: opening hours and holidays where the caller is, and no half hour promised once too often."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services import Services
from tests.company import Clock
from tools.errors import NotFound, Refused
from tools.postgres.callbacks import PostgresCallbacks
from tools.records import CallbackBooking

NEW_YORK, MADRID, PARIS = (
    ZoneInfo(name) for name in ("America/New_York", "Europe/Madrid", "Europe/Paris")
)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
PLACES = 3  # in every half hour


@pytest.fixture
def calendar(services: Services) -> PostgresCallbacks:
    """The clock stands at Monday, 23 November 2026, 13:00 in New York, 19:00 in Madrid."""
    return services.company.callbacks


# Free times ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ("2026-11-24T10:00", ["24T09:30", "24T10:00", "24T10:30"]),
        ("2026-11-24T10:10", ["24T09:30", "24T10:00", "24T10:30"]),
        ("2026-11-24T03:00", ["24T09:00", "24T09:30", "24T10:00"]),
        ("2026-11-24T20:00", ["24T16:30", "24T17:00", "24T17:30"]),
        ("2026-11-28T13:00", ["28T12:30", "28T13:00", "28T13:30"]),  # Saturday: ten to two
        ("2026-11-29T12:00", ["30T09:00", "30T09:30", "30T10:00"]),  # Sunday: closed
        ("2026-11-23T13:00", ["23T13:30", "23T14:00", "23T14:30"]),  # now: in half an hour
        ("2026-11-20T10:00", ["23T13:30", "23T14:00", "23T14:30"]),  # past
        ("2027-06-01T10:00", ["23T12:00", "23T12:30", "23T13:00"]),  # in a month at the latest
    ],
)
async def test_free_times_are_the_nearest_ones_in_opening_hours(
    wanted: str, offered: list[str], calendar: PostgresCallbacks
) -> None:
    slots = await calendar.free_slots(at(wanted, NEW_YORK), "US")

    assert [slot.starts_at.strftime("%dT%H:%M") for slot in slots] == offered
    assert all(slot.starts_at.tzinfo is NEW_YORK for slot in slots)
    for slot in slots:
        assert await calendar.is_free(slot.starts_at, "US")


async def test_full_times_are_not_offered_to_who_wants_one_far_too_late(
    calendar: PostgresCallbacks,
) -> None:
    for _ in range(PLACES):
        await book(calendar, at("2026-12-23T12:30", NEW_YORK))

    slots = await calendar.free_slots(at("2027-06-01T10:00", NEW_YORK), "US")

    assert [slot.starts_at.strftime("%H:%M") for slot in slots] == ["11:30", "12:00", "13:00"]


@pytest.mark.parametrize(
    ("now", "day", "country", "zone", "elsewhere"),
    [
        ("2026-11-23", "2026-11-26", "US", NEW_YORK, "FR"),  # Thanksgiving
        ("2026-12-01", "2026-12-08", "ES", MADRID, "FR"),  # Inmaculada Concepción
        ("2026-07-10", "2026-07-14", "FR", PARIS, "ES"),  # Fête nationale
    ],
)
async def test_nobody_rings_back_on_a_public_holiday_of_the_country(
    now: str,
    day: str,
    country: str,
    zone: ZoneInfo,
    elsewhere: str,
    calendar: PostgresCallbacks,
    clock: Clock,
) -> None:
    clock.now = at(f"{now}T10:00", zone)
    wanted = at(f"{day}T11:00", zone)

    assert not await calendar.is_free(wanted, country)
    assert await calendar.is_free(wanted, elsewhere)
    with pytest.raises(Refused, match="outside_hours"):
        await book(calendar, wanted, country)
    offered = await calendar.free_slots(wanted, country, limit=12)
    assert len(offered) == 12
    assert all(slot.starts_at.date() != wanted.date() for slot in offered)


async def test_country_nobody_knows_the_holidays_of_has_the_general_hours(
    calendar: PostgresCallbacks,
) -> None:
    assert await calendar.is_free(at("2026-11-26T11:00", NEW_YORK), "ZZ")


async def test_special_days_of_the_company_come_before_holidays_and_the_countrys_before_all(
    calendar: PostgresCallbacks, services: Services
) -> None:
    async with services.database.connection() as connection:
        await connection.execute(
            "INSERT INTO company.special_days (country, day, closed) VALUES "
            "('US', '2026-11-26', false), ('*', '2026-11-24', true), "
            "('*', '2026-11-25', true), ('US', '2026-11-25', false)"
        )

    for day, country, free in (
        ("26", "US", True),  # open although Thanksgiving
        ("24", "US", False),  # closed everywhere
        ("24", "ES", False),
        ("25", "US", True),  # closed everywhere else
        ("25", "ES", False),
    ):
        wanted = at(f"2026-11-{day}T11:00", NEW_YORK)
        assert await calendar.is_free(wanted, country) is free, (day, country)


async def test_country_with_hours_of_its_own_has_no_others(
    calendar: PostgresCallbacks, services: Services
) -> None:
    async with services.database.connection() as connection:
        await connection.execute(
            "INSERT INTO company.opening_hours (country, weekday, opens, closes, capacity) "
            "VALUES ('ES', 1, '22:00', '23:45', 1)"
        )

    async def free(when: str) -> bool:
        return await calendar.is_free(at(when, MADRID), "ES")

    assert not await free("2026-11-24T10:00")
    assert not await free("2026-11-25T10:00")
    assert [await free(f"2026-11-24T{time}") for time in ("22:00", "23:00", "23:30")] == [
        True,
        True,
        False,  # it would end after closing, past midnight
    ]


async def test_hours_are_those_of_the_callers_own_clock(calendar: PostgresCallbacks) -> None:
    for zone in (NEW_YORK, LOS_ANGELES):
        assert not await calendar.is_free(at("2026-11-24T08:30", zone), "US")
        assert await calendar.is_free(at("2026-11-24T09:00", zone), "US")
        assert await calendar.is_free(at("2026-11-24T17:30", zone), "US")
        assert not await calendar.is_free(at("2026-11-24T18:00", zone), "US")


@pytest.mark.parametrize(
    ("before", "after", "zone", "country", "hours_apart"),
    [
        ("2026-10-23T17:30", "2026-10-26T09:00", MADRID, "ES", 64.5),  # back on Sunday the 25th
        ("2027-03-27T13:30", "2027-03-29T09:00", PARIS, "ES", 42.5),  # forward on the 28th
        ("2026-10-31T13:30", "2026-11-02T09:00", NEW_YORK, "US", 44.5),  # back on 1 November
    ],
)
async def test_clock_change_moves_nobodys_callback(
    before: str,
    after: str,
    zone: ZoneInfo,
    country: str,
    hours_apart: float,
    calendar: PostgresCallbacks,
    clock: Clock,
) -> None:
    clock.now = at(before, zone) - timedelta(hours=3)
    first = await book(calendar, at(before, zone), country)
    sunday = at(before, zone) + timedelta(days=2 if "23T" in before else 1)
    slots = await calendar.free_slots(sunday.replace(hour=23), country)
    second = await book(calendar, slots[0].starts_at, country)

    assert slots[0].starts_at.strftime("%Y-%m-%dT%H:%M") == after
    assert second.starts_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") == after
    assert (second.starts_at - first.starts_at).total_seconds() / 3600 == hours_apart


# Booking ------------------------------------------------------------------------------------------------


async def test_half_hour_is_promised_as_often_as_there_are_people(
    calendar: PostgresCallbacks,
) -> None:
    wanted = at("2026-11-24T10:00", NEW_YORK)
    booked = [await book(calendar, wanted) for _ in range(PLACES)]

    assert not await calendar.is_free(wanted, "US")
    assert not await calendar.is_free(wanted.astimezone(MADRID), "ES"), "the same people"
    with pytest.raises(Refused, match="slot_taken"):
        await book(calendar, wanted)
    offered = [slot.starts_at for slot in await calendar.free_slots(wanted, "US")]
    assert wanted not in offered

    await calendar.cancel(booked[0].callback_id)
    assert await calendar.is_free(wanted, "US")


async def test_callers_who_want_the_last_places_at_once_get_only_those(
    calendar: PostgresCallbacks,
) -> None:
    wanted = at("2026-11-24T10:00", NEW_YORK)

    outcomes = await asyncio.gather(
        *(book(calendar, wanted) for _ in range(PLACES + 4)), return_exceptions=True
    )

    booked = [one for one in outcomes if isinstance(one, CallbackBooking)]
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert (len(booked), len(refused)) == (PLACES, 4)
    assert {one.reason for one in refused} == {"slot_taken"}


@pytest.mark.parametrize(
    "when",
    [
        "2026-11-24T10:15",
        "2026-11-24T10:00:01",
        "2026-11-24T08:30",
        "2026-11-24T18:00",
        "2026-11-29T10:00",
        "2026-11-20T10:00",
    ],
    ids=["quarter", "second", "early", "late", "sunday", "past"],
)
async def test_time_outside_the_hours_is_refused(when: str, calendar: PostgresCallbacks) -> None:
    wanted = at(when, NEW_YORK)

    assert not await calendar.is_free(wanted, "US")
    with pytest.raises(Refused, match="outside_hours"):
        await book(calendar, wanted)


async def test_time_too_far_ahead_is_not_free(calendar: PostgresCallbacks) -> None:
    assert await calendar.is_free(at("2026-12-23T13:00", NEW_YORK), "US")
    assert not await calendar.is_free(at("2026-12-23T13:30", NEW_YORK), "US")


async def test_moved_callback_keeps_its_id_and_leaves_its_old_time_free(
    calendar: PostgresCallbacks,
) -> None:
    old, new = at("2026-11-24T10:00", NEW_YORK), at("2026-11-25T11:00", NEW_YORK)
    booked = [await book(calendar, old) for _ in range(PLACES)]

    moved = await calendar.move(booked[0].callback_id, new, "US")

    assert moved == booked[0].model_copy(update={"starts_at": moved.starts_at})
    assert moved.starts_at == new
    assert await calendar.is_free(old, "US")


async def test_callback_moved_to_a_full_half_hour_stays_where_it_was(
    calendar: PostgresCallbacks,
) -> None:
    full, old = at("2026-11-24T10:00", NEW_YORK), at("2026-11-25T11:00", NEW_YORK)
    for _ in range(PLACES):
        await book(calendar, full)
    mine = await book(calendar, old, phone="+15035550199")

    with pytest.raises(Refused, match="slot_taken"):
        await calendar.move(mine.callback_id, full, "US")

    assert await calendar.booked_for("+15035550199") == (mine,)


async def test_callback_can_be_moved_to_the_time_it_has(calendar: PostgresCallbacks) -> None:
    """Its own place is not somebody else's."""
    wanted = at("2026-11-24T10:00", NEW_YORK)
    booked = [await book(calendar, wanted) for _ in range(PLACES)]

    assert await calendar.move(booked[0].callback_id, wanted, "US") == booked[0]


async def test_callback_that_is_not_there_is_not_found(calendar: PostgresCallbacks) -> None:
    new = at("2026-11-25T11:00", NEW_YORK)
    gone = await book(calendar, at("2026-11-24T10:00", NEW_YORK))
    assert (await calendar.cancel(gone.callback_id)).status == "cancelled"

    for callback_id in (gone.callback_id, uuid4()):
        with pytest.raises(NotFound):
            await calendar.move(callback_id, new, "US")
    with pytest.raises(NotFound):
        await calendar.cancel(uuid4())


async def test_bookings_of_a_number_are_the_coming_ones_in_order(
    calendar: PostgresCallbacks, clock: Clock
) -> None:
    later = await book(calendar, at("2026-11-25T10:00", NEW_YORK))
    sooner = await book(calendar, at("2026-11-24T10:00", NEW_YORK))
    cancelled = await book(calendar, at("2026-11-24T11:00", NEW_YORK))
    await calendar.cancel(cancelled.callback_id)
    await book(calendar, at("2026-11-24T12:00", NEW_YORK), phone="+15035550199")

    assert await calendar.booked_for("+15035550127") == (sooner, later)
    clock.move("24h")
    assert await calendar.booked_for("+15035550127") == (later,)


async def book(
    calendar: PostgresCallbacks, when: datetime, country: str = "US", phone: str = "+15035550127"
) -> CallbackBooking:
    return await calendar.book(
        call_id=UUID(int=7), topic="a return", phone=phone, at=when, country=country, language="en"
    )


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)
