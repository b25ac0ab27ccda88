"""A write happens once: with the key it happens under, in one transaction, whatever goes wrong in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from checkpoints.calls import LEASE, Lease
from checkpoints.cipher import Cipher
from checkpoints.database import Database
from checkpoints.effects import PostgresEffectLog
from checkpoints.errors import EffectConflict, LeaseLost, StorageDown
from services import Services
from tests.company import Clock
from tools.accounts import update_address
from tools.effects import EffectKey
from tools.errors import Refused
from tools.postgres import PostgresCompany
from tools.records import Address, Customer, Level

NEW = Address(line1="50 Main Street", city="Salem", region="OR", postal_code="97301", country="US")
OTHER = NEW.model_copy(update={"line1": "51 Main Street"})
RUNNERS = 6


class Change:
    """A change of Jane Doe's address, notice included, as the call performs it."""

    def __init__(self, company: PostgresCompany, lease: Lease, address: Address = NEW) -> None:
        self.company = company
        self.address = address
        self.call_id = lease.call_id
        self.performed = 0

    async def __call__(self) -> Customer:
        changed = await update_address(
            self.company.customers,
            self.company.notices.of_call(self.call_id),
            customer_id="C-100",
            level=Level.CODE,
            address=self.address,
            company="Juniper and Oak",
        )
        self.performed += 1
        return changed


@pytest.fixture
async def lease(services: Services) -> Lease:
    return (await services.register.begin("caller", "en")).lease


@pytest.fixture
def key(lease: Lease) -> EffectKey:
    return EffectKey(call_id=lease.call_id, turn=4, effect="update_address")


@pytest.fixture
async def runners(database_copy: str, cipher: Cipher) -> AsyncIterator[list[PostgresEffectLog]]:
    """Logs with connections of their own, as other processes have them."""
    async with AsyncExitStack() as stack:
        yield [
            PostgresEffectLog(await stack.enter_async_context(Database(database_copy)), cipher)
            for _ in range(RUNNERS)
        ]


async def test_effect_is_performed_once_and_its_result_replayed(
    services: Services, lease: Lease, key: EffectKey
) -> None:
    change = Change(services.company, lease)

    first = await services.effect_log.run_once(key, NEW, change, Customer, lease)
    again = await services.effect_log.run_once(key, NEW, change, Customer, lease)

    assert (change.performed, first[1], again[1]) == (1, False, True)
    assert again[0] == first[0] == await services.company.customers.get("C-100")
    assert first[0].address == NEW
    assert await notices(services, lease) == 1
    assert await services.effect_log.done(lease.call_id) == ("update_address",)


async def test_same_key_with_other_arguments_is_refused(
    services: Services, lease: Lease, key: EffectKey
) -> None:
    await services.effect_log.run_once(key, NEW, Change(services.company, lease), Customer, lease)
    other = Change(services.company, lease, OTHER)

    with pytest.raises(EffectConflict):
        await services.effect_log.run_once(key, OTHER, other, Customer, lease)

    assert other.performed == 0
    assert (await services.company.customers.get("C-100")).address == NEW


async def test_failure_after_the_write_undoes_write_notice_and_key(
    services: Services, lease: Lease, key: EffectKey
) -> None:
    change = Change(services.company, lease)
    before = await services.company.customers.get("C-100")

    async def fails_late() -> Customer:
        await change()
        raise Refused("invalid_value")

    with pytest.raises(Refused):
        await services.effect_log.run_once(key, NEW, fails_late, Customer, lease)

    assert await services.company.customers.get("C-100") == before
    assert await notices(services, lease) == 0
    assert not await services.effect_log.is_done(key)

    await services.effect_log.run_once(key, NEW, change, Customer, lease)
    assert (await services.company.customers.get("C-100")).address == NEW
    assert await notices(services, lease) == 1


async def test_many_runners_of_one_key_perform_it_once(
    services: Services, lease: Lease, key: EffectKey, runners: list[PostgresEffectLog]
) -> None:
    changes = [Change(company_of(services, runner), lease) for runner in runners]

    outcomes = await asyncio.gather(
        *(
            runner.run_once(key, NEW, change, Customer, lease)
            for runner, change in zip(runners, changes, strict=True)
        )
    )

    assert sum(change.performed for change in changes) == 1
    assert sorted(repeated for _, repeated in outcomes) == [False] + [True] * (RUNNERS - 1)
    assert len({result.model_dump_json() for result, _ in outcomes}) == 1
    assert await notices(services, lease) == 1


async def test_runner_that_waited_performs_when_the_first_one_fails(
    services: Services, lease: Lease, key: EffectKey, runners: list[PostgresEffectLog]
) -> None:
    first, second = runners[:2]
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def fails_when_told() -> Customer:
        inside.set()
        await go_on.wait()
        raise Refused("invalid_value")

    failing = asyncio.create_task(first.run_once(key, NEW, fails_when_told, Customer, lease))
    await inside.wait()
    change = Change(company_of(services, second), lease)
    waiting = asyncio.create_task(second.run_once(key, NEW, change, Customer, lease))
    await until_somebody_waits_for_a_lock(services)
    go_on.set()

    with pytest.raises(Refused):
        await failing
    assert (await waiting)[1] is False
    assert change.performed == 1


async def test_connection_killed_in_the_middle_leaves_nothing_done(
    services: Services, lease: Lease, key: EffectKey, runners: list[PostgresEffectLog]
) -> None:
    change = Change(services.company, lease)
    before = await services.company.customers.get("C-100")

    async def killed_after_the_write() -> Customer:
        changed = await change()
        async with services.database.connection() as mine:
            pid = mine.info.backend_pid
        async with database_of(runners[0]).connection() as other:
            await other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return changed

    with pytest.raises(StorageDown):
        await services.effect_log.run_once(key, NEW, killed_after_the_write, Customer, lease)

    assert change.performed == 1
    assert await services.company.customers.get("C-100") == before
    assert await notices(services, lease) == 0

    _, repeated = await services.effect_log.run_once(key, NEW, change, Customer, lease)
    assert not repeated
    assert (await services.company.customers.get("C-100")).address == NEW
    assert await notices(services, lease) == 1


async def test_cancelled_effect_leaves_nothing_done(
    services: Services, lease: Lease, key: EffectKey
) -> None:
    before = await services.company.customers.get("C-100")
    written = asyncio.Event()

    async def never_ends() -> Customer:
        await Change(services.company, lease)()
        written.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(
        services.effect_log.run_once(key, NEW, never_ends, Customer, lease)
    )
    await written.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert await services.company.customers.get("C-100") == before
    assert not await services.effect_log.is_done(key)


async def test_who_lost_the_call_does_nothing_more_in_it(
    services: Services, lease: Lease, key: EffectKey, clock: Clock
) -> None:
    clock.now += LEASE + timedelta(seconds=1)
    taken = await services.register.resume("caller", timedelta(hours=3))
    assert taken is not None
    change = Change(services.company, lease)

    with pytest.raises(LeaseLost):
        await services.effect_log.run_once(key, NEW, change, Customer, lease)
    assert change.performed == 0

    await services.effect_log.run_once(key, NEW, change, Customer, taken.lease)
    assert change.performed == 1


def company_of(services: Services, runner: PostgresEffectLog) -> PostgresCompany:
    return PostgresCompany(database_of(runner), services.clock, services.cipher)


def database_of(runner: PostgresEffectLog) -> Database:
    return runner._database


async def notices(services: Services, lease: Lease) -> int:
    """How many messages about the change are on their way."""
    async with services.database.connection() as connection:
        cursor = await connection.execute(
            "SELECT count(*) AS count FROM company.notices WHERE call_id = %s", (lease.call_id,)
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["count"])


async def until_somebody_waits_for_a_lock(services: Services) -> None:
    async with asyncio.timeout(10), services.database.connection() as connection:
        while True:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock'"
            )
            if await cursor.fetchone() is not None:
                return
            await asyncio.sleep(0.01)
