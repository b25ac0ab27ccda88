"""The demo company a first run comes with: made up, complete, and as of today."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import phonenumbers
import pytest
from pydantic import SecretStr

from checkpoints.cipher import Cipher
from checkpoints.database import Database
from services import open_services
from settings import Settings
from tests.company import Clock
from tools.postgres import PostgresCompany
from tools.postgres.demo import demo_customers, demo_orders
from tools.records import Customer, Order, OrderStatusWord

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
#: Numbers nobody has: US 555-01xx, French ARCEP blocks for fiction; Spain keeps none, so these two unlikely blocks.
FICTION = {
    "US": r"\+1[2-9]\d{2}55501\d{2}",
    "ES": r"\+34(600|910)0000\d{2}",
    "FR": r"\+33(639981|199001)\d{3}",
}
POSTAL_CODE = {"US": r"\d{5}", "ES": r"\d{5}", "FR": r"\d{5}"}


@pytest.fixture(scope="module")
def customers() -> list[Customer]:
    return demo_customers()


@pytest.fixture(scope="module")
def orders(customers: list[Customer]) -> list[Order]:
    return demo_orders(customers, NOW)


def test_demo_has_customers_in_three_countries_who_speak_its_language(
    customers: list[Customer],
) -> None:
    who = Counter((one.address.country, one.language) for one in customers)
    assert who == {("US", "en"): 33, ("ES", "es"): 24, ("FR", "fr"): 24}


def test_nobody_is_real(customers: list[Customer]) -> None:
    for one in customers:
        country = one.address.country
        assert re.fullmatch(FICTION[country], one.phone), one.phone
        assert phonenumbers.is_possible_number(phonenumbers.parse(one.phone))
        assert re.fullmatch(r"[a-z.0-9]+@example\.(com|org|net)", one.email), one.email
        assert re.fullmatch(POSTAL_CODE[country], one.address.postal_code)


def test_everybody_can_be_told_apart(customers: list[Customer], orders: list[Order]) -> None:
    for values in (
        [one.customer_id for one in customers],
        [one.phone for one in customers],
        [one.email for one in customers],
        [one.order_id for one in orders],
        [one.tracking_number for one in orders if one.tracking_number],
    ):
        assert len(set(values)) == len(values)


def test_about_three_hundred_orders_of_every_status_in_every_country(
    customers: list[Customer], orders: list[Order]
) -> None:
    country = {one.customer_id: one.address.country for one in customers}
    assert 270 <= len(orders) <= 330
    assert {one.customer_id for one in orders} == set(country)
    seen = {(country[one.customer_id], one.status) for one in orders}
    assert seen == {(place, word) for place in FICTION for word in get_args(OrderStatusWord)}


def test_what_happened_lies_in_the_past_and_in_order(orders: list[Order]) -> None:
    for one in orders:
        happened = [
            moment for moment in (one.placed_at, one.shipped_at, one.delivered_at) if moment
        ]
        assert happened == sorted(happened), one
        assert happened[-1] <= NOW, one
        assert one.placed_at > NOW - timedelta(days=130)


def test_what_is_expected_lies_ahead_and_is_of_open_orders(orders: list[Order]) -> None:
    for one in orders:
        expected = one.status in ("placed", "processing", "shipped", "delayed", "out_for_delivery")
        assert (one.estimated_delivery is not None) is expected, one
        if one.estimated_delivery is not None:
            assert 0 <= (one.estimated_delivery - NOW.date()).days <= 5
        assert (one.delivered_at is not None) is (one.status in ("delivered", "returned"))
        assert bool(one.tracking_number) is bool(one.carrier) is bool(one.shipped_at)


def test_demo_is_the_same_on_every_machine_and_moves_with_the_day(
    customers: list[Customer], orders: list[Order]
) -> None:
    assert demo_customers() == customers
    later = demo_orders(customers, NOW + timedelta(days=10))
    assert [one.order_id for one in later] == [one.order_id for one in orders]
    assert [one.items for one in later] == [one.items for one in orders]
    shifts = {
        after.placed_at - before.placed_at for after, before in zip(later, orders, strict=True)
    }
    assert shifts == {timedelta(days=10)}


def test_callers_of_the_readme_are_there(customers: list[Customer], orders: list[Order]) -> None:
    by_name = {one.full_name: one for one in customers}
    for name, phone, postal_code in (
        ("Jane Doe", "+15035550127", "97205"),
        ("Lucía Fernández", "+34910000012", "28013"),
        ("Camille Laurent", "+33639981204", "75002"),
    ):
        caller = by_name[name]
        assert (caller.phone, caller.address.postal_code) == (phone, postal_code)
        mine = [one.status for one in orders if one.customer_id == caller.customer_id]
        assert sorted(mine) == ["delivered", "shipped"]


async def test_processes_that_start_at_once_fill_an_empty_company_once(
    database_dsn: str, database: Database, clock: Clock, cipher: Cipher
) -> None:
    async with Database(database_dsn) as other:
        companies = [PostgresCompany(one, clock, cipher) for one in (database, other)]
        await asyncio.gather(*(one.settle(demo=True) for one in companies * 2))
        assert await counts(other) == (81, len(demo_orders(demo_customers(), clock())))


async def test_company_with_customers_never_gets_the_demo(
    database_copy: str, model_home: Path
) -> None:
    settings = Settings(
        home=model_home,
        database_url=SecretStr(database_copy),
        encryption_key=SecretStr("a key for tests only"),
        log_level="error",
    )
    async with open_services(settings, demo=True) as services:
        assert len(await services.company.callers()) == 8
        assert await services.company.knowledge.count() > 0


async def counts(database: Database) -> tuple[int, int]:
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT (SELECT count(*) FROM company.customers) AS customers, "
            "(SELECT count(*) FROM company.orders) AS orders"
        )
        row = await cursor.fetchone()
    assert row is not None
    return row["customers"], row["orders"]
