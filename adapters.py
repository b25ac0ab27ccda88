"""What joins tools and checkpoints, which know nothing of each other: the tools' Protocols on our database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal, TypeVar
from uuid import UUID

import stamina
from pydantic import BaseModel

from checkpoints.calls import Lease, hold
from checkpoints.database import Connection, Database, storage_errors
from checkpoints.effects import PostgresEffectLog
from checkpoints.errors import EffectConflict as StorageConflict
from checkpoints.errors import StorageDown, StorageError
from tools.effects import EffectConflict, EffectKey, EffectOutcome
from tools.errors import BackendDown, BackendSlow
from tools.ports import IdentityVault, StaffDesk
from tools.records import TransferOutcome

R = TypeVar("R", bound=BaseModel)


class CompanyConnections:
    """tools.postgres.Connections on our database: when it is away, the company's systems are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        async with _company_errors(), self._database.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with _company_errors(), self._database.transaction() as connection:
            yield connection


def _gone(error: Exception) -> bool:
    """Did the database go away in the middle of a write, and not just take too long?"""
    down = isinstance(error, StorageDown | BackendDown)
    return down and not isinstance(error, BackendSlow)


@asynccontextmanager
async def _company_errors() -> AsyncIterator[None]:
    try:
        yield
    except StorageError:
        raise BackendDown from None


class FencedVault:
    """One call's tools.ports.IdentityVault: attempts and codes are written while the call is ours, or not at all.

    A worker that slept through its lease would otherwise judge a code, or count a failure, in somebody else's turn.
    """

    def __init__(self, vault: IdentityVault, database: Database, lease: Lease) -> None:
        self._vault = vault
        self.locked = vault.locked  # writes nothing
        # Part of the effect that sends it, whose key holds the call already.
        self.issue_code = vault.issue_code
        self._database = database
        self._lease = lease

    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        async with _ours(self._database, self._lease):
            await self._vault.record_failure(
                call_id=call_id, turn=turn, account=account, caller_key=caller_key
            )

    async def check_code(
        self, *, call_id: UUID, customer_id: str, code: str, turn: int
    ) -> Literal["ok", "wrong", "expired", "used_up"]:
        async with _ours(self._database, self._lease):
            return await self._vault.check_code(
                call_id=call_id, customer_id=customer_id, code=code, turn=turn
            )


class FencedStaff:
    """One call's tools.ports.StaffDesk: what came of its transfer is written while the call is ours, or not at all."""

    def __init__(self, staff: StaffDesk, database: Database, lease: Lease) -> None:
        self._staff = staff
        self.available = staff.available
        self.hand_over = staff.hand_over  # an effect, whose key holds the call already
        self._database = database
        self._lease = lease

    async def transferred(self, call_id: UUID, outcome: TransferOutcome) -> None:
        async with _ours(self._database, self._lease):
            await self._staff.transferred(call_id, outcome)


@asynccontextmanager
async def _ours(database: Database, lease: Lease) -> AsyncIterator[None]:
    """A transaction in which nobody can take the call over."""
    async with _company_errors(), storage_errors(), database.transaction() as connection:
        await hold(connection, lease)
        yield


class EffectLogOnDatabase:
    """One call's tools.effects.EffectLog on the checkpoints' log: the two sides know nothing of each other."""

    def __init__(self, log: PostgresEffectLog, lease: Lease) -> None:
        self._log = log
        self._lease = lease

    async def run_once(
        self,
        key: EffectKey,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
    ) -> EffectOutcome[R]:
        """Tried again once, under the same key: when the answer to the commit was lost, the log has it by then."""
        try:
            async for attempt in stamina.retry_context(
                on=_gone, attempts=2, timeout=None, wait_initial=0.05, wait_jitter=0.05
            ):
                with attempt:
                    result, repeated = await self._log.run_once(
                        key, arguments, perform, result_type, self._lease
                    )
        except StorageConflict:
            raise EffectConflict from None
        except StorageError:
            raise BackendDown from None
        return EffectOutcome(result=result, repeated=repeated and attempt.num == 1)

    async def recorded(
        self, key: EffectKey, arguments: BaseModel, result_type: type[R]
    ) -> R | None:
        """tools.replay.RecordedEffects."""
        try:
            return await self._log.recorded(key, arguments, result_type)
        except StorageConflict:
            raise EffectConflict from None
        except StorageError:
            raise BackendDown from None

    async def is_done(self, key: EffectKey) -> bool:
        try:
            return await self._log.is_done(key)
        except StorageError:
            raise BackendDown from None
