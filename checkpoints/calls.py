"""The register of calls: which thread, in what state, what is open, who holds it. Closed words and times; nothing
personal.

A call is held under a lease with a counter. Whoever takes a call over raises the counter, and a worker that still has
the old one can't commit any more. A lease that ran out, or whose worker is dead (owner.py), is free to be taken over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import structlog
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict

from checkpoints.database import Connection, Database, storage_errors
from checkpoints.errors import CallNotFound, LeaseLost
from checkpoints.owner import Witness

log = structlog.get_logger(__name__)

CallLanguage = Literal["en", "es", "fr"]
CallStateName = Literal[
    "live",  # somebody is on the line
    "interrupted",  # the line dropped; can be resumed
    "waiting_for_staff",  # a person has to go on
    "closed",
]
#: Calls of a host that is cut off, or has no power, are free after this.
LEASE = timedelta(seconds=30)
BEAT = timedelta(seconds=2)  #: how often it is renewed
SHORTEST_PREFIX = 8
#: Seconds before each attempt to take up a call whose row is locked: a writer that was cut off holds it for a moment.
LOCKED_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
_DROPPED = (
    "caller_hash = %(caller)s AND last_turn_at > %(since)s AND last_turn_at <= %(now)s AND (state = 'interrupted' "
    "OR (state = 'live' AND (lease_expires_at < %(now)s OR lease_owner = ANY(%(dead)s) "
    "OR (lease_owner = %(owner)s AND NOT call_id = ANY(%(held)s)))))"
)


class Lease(BaseModel):
    """The right to write into a call, until somebody takes it over."""

    model_config = ConfigDict(frozen=True)

    call_id: UUID
    counter: int


class TurnRecord(BaseModel):
    """What one turn leaves in the register."""

    model_config = ConfigDict(frozen=True)

    turn: int
    at: datetime
    language: CallLanguage
    open_flow: str | None
    asks: str | None
    verified: int
    topics: tuple[str, ...]
    state: CallStateName = "live"  #: what the call is after this turn
    outcome: str | None = None
    satisfaction: int | None = None
    customers: tuple[str, ...] = ()  #: keyed hashes of the customers it may be about


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
    lease_owner: str | None  #: of an interrupted call: a process that is gone
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

    @property
    def lease(self) -> Lease:
        """As it was when the row was read."""
        return Lease(call_id=self.call_id, counter=self.lease_counter)


class CallRegister:
    """Begins, resumes and ends calls. Times come from the clock given, never from the database."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], *, lease: timedelta = LEASE
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._owner = database.owner
        self._witness = Witness(database.owner)
        self._held: dict[UUID, Lease] = {}  # the calls this process is speaking with

    async def begin(
        self, caller_hash: str | None, language: CallLanguage, call_id: UUID | None = None
    ) -> CallRecord:
        """A new call, live. `call_id`: where it has one already."""
        now = self._clock()
        record = await self._one(
            "INSERT INTO calls (call_id, caller_hash, state, language, lease_owner, lease_counter, "
            "lease_expires_at, started_at, last_turn_at) "
            "VALUES (%s, %s, 'live', %s, %s, 1, %s, %s, %s) RETURNING *",
            (call_id or uuid4(), caller_hash, language, self._owner, now + self._lease, now, now),
        )
        self._held[record.call_id] = record.lease
        return record

    async def resume(self, caller_hash: str | None, window: timedelta) -> CallRecord | None:
        """Take up the newest call of this number that dropped inside the window; None when there is none.

        A live call whose worker died, or whose lease ran out, has dropped too; and so has one that was to be answered
        here and nobody heard of it (the database went away meanwhile). Of two that try, one gets it.
        """
        if caller_hash is None:
            return None
        for pause in LOCKED_PAUSES:
            await asyncio.sleep(pause)
            row = await self._taken_up(caller_hash, window)
            if row is None:
                return None
            if row["call_id"] is not None:
                record = CallRecord.model_validate(row)
                self._held[record.call_id] = record.lease
                return record
        return None

    async def _taken_up(self, caller_hash: str, window: timedelta) -> DictRow | None:
        """The newest dropped call, live now; an empty row when somebody else has it locked, None when there is none."""
        now = self._clock()
        async with storage_errors(), self._database.connection() as connection:
            return await _row(
                connection,
                f"WITH dropped AS (SELECT call_id FROM calls WHERE {_DROPPED} "
                "ORDER BY turns = 0, last_turn_at DESC LIMIT 1), "
                f"free AS (SELECT call_id FROM calls WHERE {_DROPPED} "
                "AND call_id = (SELECT call_id FROM dropped) FOR UPDATE SKIP LOCKED), "
                "taken AS (UPDATE calls SET state = 'live', legs = legs + 1, lease_owner = %(owner)s, "
                "lease_counter = lease_counter + 1, lease_expires_at = %(until)s, interrupted_at = NULL "
                "WHERE call_id = (SELECT call_id FROM free) RETURNING *) "
                "SELECT taken.* FROM dropped LEFT JOIN taken ON true",
                {
                    "owner": self._owner,
                    "until": now + self._lease,
                    "caller": caller_hash,
                    "since": now - window,
                    "now": now,
                    "dead": await self._gone(connection, caller_hash),
                    "held": list(self._held),
                },
            )

    async def take_over(self, call_id: UUID) -> Lease:
        """Hold this call from now on, whoever held it before: their next commit fails.

        Raises:
            CallNotFound
        """
        record = await self._one(
            "UPDATE calls SET lease_owner = %s, lease_counter = lease_counter + 1, lease_expires_at = %s "
            "WHERE call_id = %s RETURNING *",
            (self._owner, self._clock() + self._lease, call_id),
        )
        self._held[call_id] = record.lease
        return record.lease

    async def take_up(self, call_id: UUID) -> CallRecord | None:
        """This call goes on here, whoever held it: their next commit fails. None when it has come to its end.

        Raises:
            StorageError
        """
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "UPDATE calls SET state = 'live', legs = legs + 1, lease_owner = %s, "
                "lease_counter = lease_counter + 1, lease_expires_at = %s, interrupted_at = NULL "
                "WHERE call_id = %s AND state IN ('live', 'interrupted') RETURNING *",
                (self._owner, self._clock() + self._lease, call_id),
            )
            row = await cursor.fetchone()
        record = CallRecord.model_validate(row) if row else None
        if record is not None:
            self._held[record.call_id] = record.lease
        return record

    def let_go(self, lease: Lease) -> None:
        """Nobody here speaks with this caller any more: its lease is not renewed."""
        if self._held.get(lease.call_id) == lease:
            del self._held[lease.call_id]

    def hold_on(self, lease: Lease) -> None:
        """They are still spoken with after all: its lease is renewed again."""
        self._held[lease.call_id] = lease

    async def write_turn(self, connection: Connection, lease: Lease, record: TurnRecord) -> bool:
        """Write what a turn left behind, in the caller's transaction; renews the lease.

        Returns:
            False when a later turn of the same lease is there already (an attempt thought lost came after all).

        Raises:
            LeaseLost: somebody else holds the call now.
        """
        live = record.state == "live"
        cursor = await connection.execute(
            "UPDATE calls SET state = %(state)s, language = %(language)s, open_flow = %(open_flow)s, "
            "asks = %(asks)s, verified = %(verified)s, topics = %(topics)s, turns = %(turn)s, "
            "last_turn_at = %(at)s, outcome = %(outcome)s, satisfaction = %(satisfaction)s, "
            "lease_owner = %(owner)s, lease_expires_at = %(until)s, interrupted_at = %(interrupted_at)s, "
            "ended_at = %(ended_at)s, "
            "customers = ARRAY(SELECT DISTINCT unnest(customers || %(customers)s::text[])) "
            "WHERE call_id = %(call_id)s AND lease_counter = %(counter)s AND turns <= %(turn)s RETURNING 1",
            {
                **record.model_dump(exclude={"topics", "customers"}),
                "customers": list(record.customers),
                **lease.model_dump(),
                "topics": list(record.topics),
                "owner": self._owner if live else None,
                "until": record.at + self._lease if live else None,
                "interrupted_at": record.at if record.state == "interrupted" else None,
                "ended_at": record.at if record.state == "closed" else None,
            },
        )
        if await cursor.fetchone() is not None:
            return True
        await hold(connection, lease)
        return False

    async def interrupt(self, lease: Lease) -> None:
        """The line dropped, or was left in the middle of something. Nothing when somebody else took the call over."""
        self.let_go(lease)
        await self._change(
            "UPDATE calls SET state = 'interrupted', interrupted_at = %s, lease_owner = NULL, "
            "lease_expires_at = NULL WHERE call_id = %s AND lease_counter = %s AND state = 'live'",
            (self._clock(), lease.call_id, lease.counter),
        )

    async def close(self, lease: Lease, outcome: str | None) -> None:
        """The call is over. Nothing when somebody else took it over."""
        self.let_go(lease)
        await self._change(
            "UPDATE calls SET state = 'closed', ended_at = %s, outcome = %s, asks = NULL, lease_owner = NULL, "
            "lease_expires_at = NULL WHERE call_id = %s AND lease_counter = %s",
            (self._clock(), outcome, lease.call_id, lease.counter),
        )

    async def keep_alive(self) -> None:
        """Renew the leases of the calls this process is speaking with: to be done every `BEAT`.

        A call that was marked as interrupted while the database was away, and that nobody took, is live again. One
        that was left is not: a renewal may arrive late, after the end of the call.
        """
        held = tuple(self._held.values())
        await self._change(
            "UPDATE calls SET state = 'live', interrupted_at = NULL, lease_expires_at = %s "
            "FROM unnest(%s::uuid[], %s::bigint[]) AS held (id, counter) WHERE call_id = id "
            "AND lease_counter = counter AND lease_owner = %s AND state IN ('live', 'interrupted')",
            (
                self._clock() + self._lease,
                [lease.call_id for lease in held],
                [lease.counter for lease in held],
                self._owner,
            ),
        )

    async def mark_interrupted(self) -> None:
        """Calls whose lease ran out are interrupted, and so are those whose process is gone. They keep its name."""
        await self.mark_gone()
        now = self._clock()
        await self._change(
            "UPDATE calls SET state = 'interrupted', interrupted_at = %s "
            "WHERE state = 'live' AND lease_expires_at < %s",
            (now, now),
        )

    async def mark_gone(self) -> None:
        """Calls whose process is gone are interrupted, and keep its name.

        A process of another host counts as gone once it was missed in this way for a few seconds: whoever is to know
        it soon does this as often as leases are renewed.
        """
        async with storage_errors(), self._database.connection() as connection:
            if gone := await self._gone(connection):
                await connection.execute(
                    "UPDATE calls SET state = 'interrupted', interrupted_at = %s, lease_expires_at = NULL "
                    "WHERE state = 'live' AND lease_owner = ANY(%s)",
                    (self._clock(), gone),
                )

    async def _gone(self, connection: Connection, caller_hash: str | None = None) -> list[str]:
        """Holders of live calls, of one caller or of all, whose processes are gone."""
        cursor = await connection.execute(
            "SELECT lease_owner, max(lease_expires_at) AS until FROM calls WHERE state = 'live' "
            "AND lease_owner IS NOT NULL AND (%(caller)s::text IS NULL OR caller_hash = %(caller)s) "
            "GROUP BY lease_owner",
            {"caller": caller_hash},
        )
        leases = {str(row["lease_owner"]): row["until"] for row in await cursor.fetchall()}
        if caller_hash is None:
            await self._witness.look(connection, leases)
        return [owner for owner in leases if self._witness.is_gone(owner)]

    async def list(self, *, limit: int = 20, state: str | None = None) -> tuple[CallRecord, ...]:
        """Newest first."""
        await self.mark_interrupted()
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

    async def find(self, call_id: UUID) -> CallRecord | None:
        """By its whole id. Reads and changes nothing."""
        async with storage_errors(), self._database.connection() as connection:
            row = await _row(connection, "SELECT * FROM calls WHERE call_id = %s", (call_id,))
        return CallRecord.model_validate(row) if row else None

    async def recent(self, limit: int) -> tuple[UUID, ...]:
        """Ids, newest first. Unlike `list`, it leaves a call whose worker died as it is: reads and changes nothing."""
        async with storage_errors(), self._database.connection() as connection:
            cursor = await connection.execute(
                "SELECT call_id FROM calls ORDER BY last_turn_at DESC LIMIT %s", (limit,)
            )
            return tuple(row["call_id"] for row in await cursor.fetchall())

    async def _one(self, query: str, values: tuple[Any, ...]) -> CallRecord:
        async with storage_errors(), self._database.connection() as connection:
            row = await _row(connection, query, values)
        if row is None:
            raise CallNotFound
        return CallRecord.model_validate(row)

    async def _change(self, query: str, values: tuple[Any, ...]) -> None:
        async with storage_errors(), self._database.connection() as connection:
            await connection.execute(query.encode(), values)


async def _row(
    connection: Connection, query: str, values: tuple[Any, ...] | dict[str, Any]
) -> DictRow | None:
    cursor = await connection.execute(query.encode(), values)
    return await cursor.fetchone()


async def hold(connection: Connection, lease: Lease) -> None:
    """In a transaction: nobody can take the call over before it ends.

    Raises:
        LeaseLost: somebody already has.
    """
    cursor = await connection.execute(
        "SELECT 1 FROM calls WHERE call_id = %s AND lease_counter = %s FOR SHARE",
        (lease.call_id, lease.counter),
    )
    if await cursor.fetchone() is None:
        raise LeaseLost
