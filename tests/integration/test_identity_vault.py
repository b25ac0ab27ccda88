"""Failed attempts and one-time codes: counted where neither a redial nor a restart resets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services import Services
from tests.company import Clock, company_services
from tools.postgres.identity import PostgresIdentityVault

ANY_CALL = UUID(int=0)
Opened = Callable[[], AbstractAsyncContextManager[Services]]


@pytest.fixture
def vault(services: Services) -> PostgresIdentityVault:
    return services.company.vault


@pytest.fixture
def restarted(database_copy: str, model_home: Path, clock: Clock) -> Opened:
    """Another process on the same database."""
    return partial(company_services, database_copy, model_home, clock)


# Failures -----------------------------------------------------------------------------------------------


async def test_third_failure_of_a_call_locks_the_call_only(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    for turn, locked in ((1, False), (2, False), (3, True)):
        await fail(vault, call, turn, account=f"C-{turn}")
        assert await vault.locked(call_id=call, account=None, caller_key=None) is locked

    assert not await vault.locked(call_id=uuid4(), account="C-1", caller_key=None)


async def test_fifth_failure_of_an_account_in_a_day_locks_it_for_everybody(
    vault: PostgresIdentityVault,
) -> None:
    for number in range(5):
        assert not await vault.locked(call_id=ANY_CALL, account="C-100", caller_key=None)
        await fail(vault, uuid4(), 1, account="C-100", caller_key=f"caller {number}")

    assert await vault.locked(call_id=uuid4(), account="C-100", caller_key="another caller")
    assert not await vault.locked(call_id=uuid4(), account="C-101", caller_key="another caller")


async def test_tenth_failure_of_a_number_in_a_day_locks_it_for_every_account(
    vault: PostgresIdentityVault,
) -> None:
    for number in range(10):
        assert not await vault.locked(call_id=ANY_CALL, account=None, caller_key="caller")
        await fail(vault, uuid4(), 1, account=f"C-{number}", caller_key="caller")

    assert await vault.locked(call_id=uuid4(), account="C-999", caller_key="caller")
    assert not await vault.locked(call_id=uuid4(), account="C-999", caller_key="other caller")


async def test_failures_without_account_or_number_lock_nobody_else(
    vault: PostgresIdentityVault,
) -> None:
    """A withheld number and an unknown account are not everybody's."""
    for _ in range(12):
        await fail(vault, uuid4(), 1)

    assert not await vault.locked(call_id=uuid4(), account=None, caller_key=None)


async def test_turn_that_runs_again_counts_once(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    for _ in range(4):
        await fail(vault, call, 1, account="C-100", caller_key="caller")
    await asyncio.gather(*(fail(vault, call, 2, account="C-100") for _ in range(4)))

    assert not await vault.locked(call_id=call, account="C-100", caller_key="caller")


async def test_turn_that_failed_for_two_accounts_counts_once_for_call_and_number(
    vault: PostgresIdentityVault,
) -> None:
    """Two customers share a number: one wrong postal code is wrong for both."""
    call = uuid4()
    for turn in (1, 2):
        for account in ("C-100", "C-103"):
            await fail(vault, call, turn, account=account, caller_key="caller")
    assert not await vault.locked(call_id=call, account="C-100", caller_key="caller")

    await fail(vault, call, 3, account="C-100", caller_key="caller")
    assert await vault.locked(call_id=call, account=None, caller_key=None)


async def test_failures_are_forgotten_after_a_day(
    vault: PostgresIdentityVault, clock: Clock
) -> None:
    for number in range(5):
        await fail(vault, uuid4(), 1, account="C-100", caller_key=f"caller {number}")
        clock.move("1h")

    clock.move("18h")
    assert await vault.locked(call_id=uuid4(), account="C-100", caller_key=None)
    clock.move("1h")
    assert not await vault.locked(call_id=uuid4(), account="C-100", caller_key=None)
    await fail(vault, uuid4(), 1, account="C-100")
    assert await vault.locked(call_id=uuid4(), account="C-100", caller_key=None)


async def test_failures_survive_a_restart(vault: PostgresIdentityVault, restarted: Opened) -> None:
    for _ in range(5):
        await fail(vault, uuid4(), 1, account="C-100", caller_key="caller")

    async with restarted() as later:
        assert await later.company.vault.locked(
            call_id=uuid4(), account="C-100", caller_key="caller"
        )


# Codes --------------------------------------------------------------------------------------------------


async def test_code_opens_once(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    assert len(code) == 6
    assert code.isdecimal()
    assert await check(vault, call, code, 1) == "ok"
    assert await check(vault, call, code, 2) == "used_up"


async def test_code_is_stored_as_a_hash_that_needs_the_key(services: Services) -> None:
    vault, call = services.company.vault, uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    async with services.database.connection() as connection:
        cursor = await connection.execute("SELECT * FROM company.one_time_codes")
        (row,) = await cursor.fetchall()
    assert code not in str(row)
    assert row["code_hash"] == services.cipher.keyed_hash(f"{row['code_id']}:{code}")


async def test_third_wrong_try_uses_the_code_up(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    assert [await check(vault, call, other(code), turn) for turn in (1, 2, 3)] == ["wrong"] * 3
    assert await check(vault, call, code, 4) == "used_up"


async def test_third_try_may_still_be_right(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")
    for turn in (1, 2):
        await check(vault, call, other(code), turn)

    assert await check(vault, call, code, 3) == "ok"


@pytest.mark.parametrize(("waited", "verdict"), [("300s", "ok"), ("301s", "expired")])
async def test_code_is_valid_for_five_minutes(
    waited: str, verdict: str, vault: PostgresIdentityVault, clock: Clock
) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")
    clock.move(waited)

    assert await check(vault, call, code, 1) == verdict


async def test_new_code_ends_the_one_before(vault: PostgresIdentityVault, clock: Clock) -> None:
    call = uuid4()
    first = await vault.issue_code(call_id=call, customer_id="C-100")
    clock.move("1s")
    second = await vault.issue_code(call_id=call, customer_id="C-100")

    assert await check(vault, call, first, 1) == ("ok" if first == second else "wrong")
    assert await check(vault, call, second, 2) == ("used_up" if first == second else "ok")


async def test_code_is_of_its_call_and_its_customer_only(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    assert await check(vault, uuid4(), code, 1) == "used_up"
    assert await check(vault, call, code, 1, customer_id="C-101") == "used_up"
    assert await check(vault, call, code, 2) == "ok"


async def test_turn_that_runs_again_gets_the_same_verdict(
    vault: PostgresIdentityVault, restarted: Opened
) -> None:
    """A worker that died after the check runs the turn again; the code is used up by then."""
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")
    assert await check(vault, call, other(code), 1) == "wrong"
    assert await check(vault, call, code, 2) == "ok"

    async with restarted() as later:
        again = later.company.vault
        assert [await check(again, call, code, turn) for turn in (1, 2)] == ["wrong", "ok"]
        assert await check(again, call, code, 3) == "used_up"


async def test_turn_that_runs_twice_at_once_gets_one_verdict(
    vault: PostgresIdentityVault,
) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    verdicts = await asyncio.gather(*(check(vault, call, code, 1) for _ in range(5)))

    assert verdicts == ["ok"] * 5


async def test_tries_at_once_are_all_counted(vault: PostgresIdentityVault) -> None:
    call = uuid4()
    code = await vault.issue_code(call_id=call, customer_id="C-100")

    verdicts = await asyncio.gather(*(check(vault, call, other(code), turn) for turn in range(6)))

    assert sorted(verdicts) == ["used_up"] * 3 + ["wrong"] * 3


async def fail(
    vault: PostgresIdentityVault,
    call: UUID,
    turn: int,
    *,
    account: str | None = None,
    caller_key: str | None = None,
) -> None:
    await vault.record_failure(call_id=call, turn=turn, account=account, caller_key=caller_key)


async def check(
    vault: PostgresIdentityVault, call: UUID, code: str, turn: int, customer_id: str = "C-100"
) -> str:
    return await vault.check_code(call_id=call, customer_id=customer_id, code=code, turn=turn)


def other(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"
