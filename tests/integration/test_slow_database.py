"""A database that stands still: the caller hears so in time, and the line works again when it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import perf_counter

import psycopg
import pytest

from services import Services
from tools.errors import BackendSlow
from tools.limits import Limits, Window, guarded
from tools.postgres.customers import PostgresCustomers

LIMIT = 0.3  # seconds
MARGIN = 1.5  # the pause before the retry, and a busy machine


@pytest.fixture
def customers(services: Services) -> PostgresCustomers:
    limits = Limits(LIMIT, Window(1000, 60.0), Window(1000, 1.0), {})
    return guarded(services.company.customers, limits)


async def test_lookup_on_a_database_that_stands_still_ends_in_time_and_leaks_nothing(
    customers: PostgresCustomers, services: Services, database_copy: str
) -> None:
    async with standing_still(database_copy):
        for _ in range(2):
            started = perf_counter()
            with pytest.raises(BackendSlow):
                await customers.find_by_phone("+15035550127")
            assert perf_counter() - started < 2 * LIMIT + MARGIN

    found = await customers.find_by_phone("+15035550127")
    assert [one.customer_id for one in found] == ["C-100", "C-103"]
    async with services.database.connection() as connection:
        cursor = await connection.execute(
            "SELECT count(*) AS stuck FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert await cursor.fetchone() == {"stuck": 0}


async def test_caller_hears_that_it_did_not_work_and_the_call_goes_on(
    services: Services, database_copy: str
) -> None:
    quick = services.settings.limits.model_copy(update={"lookup_seconds": LIMIT})
    settings = services.settings.model_copy(update={"limits": quick})
    call = await replace(services, settings=settings).answer("+15035550127", None)
    await call.begin()
    async with standing_still(database_copy):
        reply = await call.hear("where is my order")
        assert (reply.asks, reply.ended) == ("escalation.choice", False)

    await call.hear("no thanks")
    reply = await call.hear("where is my order")
    assert reply.asks == "identity.fact"
    await call.drop()


@asynccontextmanager
async def standing_still(dsn: str) -> AsyncIterator[None]:
    """Whoever reads a customer waits."""
    async with (
        await psycopg.AsyncConnection.connect(dsn) as connection,
        connection.transaction(force_rollback=True),
    ):
        await connection.execute("LOCK TABLE company.customers IN ACCESS EXCLUSIVE MODE")
        yield
