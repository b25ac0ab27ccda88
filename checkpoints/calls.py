"""The register of calls: which thread, in what state, what is open. Closed words and times; nothing personal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict

from checkpoints.database import Connection, Database, storage_errors
from checkpoints.errors import CallNotFound

CallLanguage = Literal["en", "es", "fr"]
CallStateName = Literal[
    "live",  # somebody is on the line
    "interrupted",  # the line dropped; can be resumed
    "waiting_for_staff",  # a person has to go on
    "closed",
]
LEASE = timedelta(seconds=120)
SHORTEST_PREFIX = 8


class CallRecord(BaseModel):
    """One row of the register."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call_id: UUID
    caller_hash: str | None
    state: CallStateName
    language: CallLanguage
    open_flow: str | None
    asks: str | None
    verified: int
    lease_owner: str | None
    lease_counter: int
    lease_expires_at: datetime | None
    started_at: datetime
    last_turn_at: datetime
    interrupted_at: datetime | None
    ended_at: datetime | None
    turns: int
    legs: int
    outcome: str | None
    topics: tuple[str, ...]
    satisfaction: int | None


class CallRegister:
    """Begins, resumes and ends calls. Times come from the clock given, never from the database."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], *, lease: timedelta = LEASE
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._owner = uuid4().hex

    async def begin(self, caller_hash: str | None, language: CallLanguage) -> CallRecord:
        """A new call, live."""
        now = self._clock()
        return await self._one(
            "INSERT INTO calls (call_id, caller_hash, state, language, lease_owner, lease_counter, "
            "lease_expires_at, started_at, last_turn_at) "
            "VALUES (%s, %s, 'live', %s, %s, 1, %s, %s, %s) RETURNING *",
            (uuid4(), caller_hash, language, self._owner, now + self._lease, now, now),
        )

    async def resume(self, caller_hash: str | None, window: timedelta) -> CallRecord | None:
        """Take up the newest call of this number that dropped inside the window; None when there is none.

        A live call whose lease ran out has dropped too: its worker died. Of two that try, one gets it.
        """
        if caller_hash is None:
            return None
        now = self._clock()
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "UPDATE calls SET state = 'live', legs = legs + 1, lease_owner = %(owner)s, "
                "lease_counter = lease_counter + 1, lease_expires_at = %(until)s, interrupted_at = NULL "
                "WHERE call_id = (SELECT call_id FROM calls WHERE caller_hash = %(caller)s "
                "AND last_turn_at > %(since)s AND last_turn_at <= %(now)s AND (state = 'interrupted' "
                "OR (state = 'live' AND lease_expires_at < %(now)s)) "
                "ORDER BY last_turn_at DESC LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *",
                {
                    "owner": self._owner,
                    "until": now + self._lease,
                    "caller": caller_hash,
                    "since": now - window,
                    "now": now,
                },
            )
            row = await cursor.fetchone()
        return CallRecord.model_validate(row) if row else None

    async def record_turn(
        self,
        call_id: UUID,
        *,
        language: CallLanguage,
        open_flow: str | None,
        asks: str | None,
        verified: int,
        topics: Sequence[str],
    ) -> None:
        """What a finished turn left behind; renews the lease."""
        now = self._clock()
        await self._change(
            "UPDATE calls SET language = %s, open_flow = %s, asks = %s, verified = %s, topics = %s, "
            "turns = turns + 1, last_turn_at = %s, lease_expires_at = %s WHERE call_id = %s",
            (language, open_flow, asks, verified, list(topics), now, now + self._lease, call_id),
        )

    async def interrupt(self, call_id: UUID) -> None:
        """The line dropped, or was left in the middle of something."""
        await self._change(
            "UPDATE calls SET state = 'interrupted', interrupted_at = %s, lease_owner = NULL, "
            "lease_expires_at = NULL WHERE call_id = %s AND state = 'live'",
            (self._clock(), call_id),
        )

    async def close(
        self, call_id: UUID, outcome: str | None, *, topics: Sequence[str], satisfaction: int | None
    ) -> None:
        """The call is over."""
        await self._change(
            "UPDATE calls SET state = 'closed', ended_at = %s, outcome = %s, topics = %s, "
            "satisfaction = %s, asks = NULL, lease_owner = NULL, lease_expires_at = NULL WHERE call_id = %s",
            (self._clock(), outcome, list(topics), satisfaction, call_id),
        )

    async def list(self, *, limit: int = 20, state: str | None = None) -> tuple[CallRecord, ...]:
        """Newest first."""
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM calls WHERE %(state)s::text IS NULL OR state = %(state)s "
                "ORDER BY last_turn_at DESC LIMIT %(limit)s",
                {"state": state, "limit": limit},
            )
            return tuple(CallRecord.model_validate(row) for row in await cursor.fetchall())

    async def get(self, call_id: str) -> CallRecord:
        """By id, or by its first eight or more characters.

        Raises:
            CallNotFound: there is none, or more than one begins so.
        """
        prefix = call_id.strip().lower()
        if len(prefix) < SHORTEST_PREFIX:
            msg = f"give at least the first {SHORTEST_PREFIX} characters of the call's id"
            raise CallNotFound(msg)
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT * FROM calls WHERE starts_with(call_id::text, %s) LIMIT 2", (prefix,)
            )
            rows = await cursor.fetchall()
        if len(rows) > 1:
            msg = "more than one call begins so: give more of the id"
            raise CallNotFound(msg)
        if not rows:
            raise CallNotFound
        return CallRecord.model_validate(rows[0])

    async def _one(self, query: str, values: tuple[Any, ...]) -> CallRecord:
        async with storage_errors(), self._database.connection() as connection:
            row = await _row(connection, query, values)
        if row is None:
            raise CallNotFound
        return CallRecord.model_validate(row)

    async def _change(self, query: str, values: tuple[Any, ...]) -> None:
        async with storage_errors(), self._database.connection() as connection:
            await connection.execute(query.encode(), values)


async def _row(connection: Connection, query: str, values: tuple[Any, ...]) -> DictRow | None:
    cursor = await connection.execute(query.encode(), values)
    return await cursor.fetchone()
