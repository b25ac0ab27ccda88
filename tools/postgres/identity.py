"""Failed attempts and one-time codes, counted in Postgres so that no restart and no redial resets them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from tools.postgres.connections import Connections, Sealer, port_method

PER_CALL = 3
PER_ACCOUNT = 5  # in 24 hours
PER_CALLER = 10  # in 24 hours
WINDOW = timedelta(hours=24)
CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 3
Verdict = Literal["ok", "wrong", "expired", "used_up"]


class PostgresIdentityVault:
    """tools.ports.IdentityVault."""

    def __init__(
        self, connections: Connections, clock: Callable[[], datetime], sealer: Sealer
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._sealer = sealer

    @port_method
    async def locked(self, *, call_id: UUID, account: str | None, caller_key: str | None) -> bool:
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT count(DISTINCT turn) FILTER (WHERE call_id = %(call)s) AS in_call, "
                "count(*) FILTER (WHERE account = %(account)s AND failed_at > %(since)s) AS of_account, "
                "count(DISTINCT (call_id, turn)) "
                "FILTER (WHERE caller_key = %(caller)s AND failed_at > %(since)s) AS of_caller "
                "FROM company.identity_failures WHERE call_id = %(call)s OR "
                "(account = %(account)s AND failed_at > %(since)s) OR "
                "(caller_key = %(caller)s AND failed_at > %(since)s)",
                {
                    "call": call_id,
                    "account": account,
                    "caller": caller_key,
                    "since": self._clock() - WINDOW,
                },
            )
            row = await cursor.fetchone()
        assert row is not None
        return bool(
            row["in_call"] >= PER_CALL
            or row["of_account"] >= PER_ACCOUNT
            or row["of_caller"] >= PER_CALLER
        )

    @port_method
    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        async with self._connections.connection() as connection:
            await connection.execute(
                "INSERT INTO company.identity_failures (call_id, turn, account, caller_key, failed_at) "
                "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (call_id, turn, account or "", caller_key, self._clock()),
            )

    @port_method
    async def issue_code(self, *, call_id: UUID, customer_id: str) -> str:
        code, code_id, now = f"{secrets.randbelow(10**6):06d}", uuid4(), self._clock()
        async with self._connections.connection() as connection:
            await connection.execute(
                "WITH before AS (UPDATE company.one_time_codes SET ended = true WHERE call_id = %(call)s) "
                "INSERT INTO company.one_time_codes "
                "(code_id, call_id, customer_id, code_hash, issued_at, expires_at) "
                "VALUES (%(code)s, %(call)s, %(customer)s, %(hash)s, %(now)s, %(expires)s)",
                {
                    "code": code_id,
                    "call": call_id,
                    "customer": customer_id,
                    "hash": self._hash(code_id, code),
                    "now": now,
                    "expires": now + CODE_LIFE,
                },
            )
        return code

    @port_method
    async def check_code(self, *, call_id: UUID, customer_id: str, code: str, turn: int) -> Verdict:
        async with self._connections.transaction() as connection:
            # A turn that runs twice at once is judged once: the second waits for the first one's row.
            cursor = await connection.execute(
                "WITH judging AS (INSERT INTO company.code_checks (call_id, turn, verdict) "
                "VALUES (%(call)s, %(turn)s, 'judging') ON CONFLICT DO NOTHING RETURNING true AS mine) "
                "SELECT mine, code.* FROM (VALUES (true)) AS always LEFT JOIN judging ON true "
                "LEFT JOIN LATERAL (SELECT * FROM company.one_time_codes WHERE call_id = %(call)s "
                "AND customer_id = %(customer)s ORDER BY ended, issued_at DESC LIMIT 1 FOR UPDATE) AS code ON true",
                {"call": call_id, "turn": turn, "customer": customer_id},
            )
            row = await cursor.fetchone()
            assert row is not None
            if row["mine"] is None:
                return cast("Verdict", await self.recorded_check(call_id, turn))
            verdict = self._verdict(row, code)
            await connection.execute(
                "WITH tried AS (UPDATE company.one_time_codes SET tries = tries + 1, ended = %(right)s "
                "WHERE code_id = %(code)s AND %(judged)s) "
                "UPDATE company.code_checks SET verdict = %(verdict)s WHERE call_id = %(call)s AND turn = %(turn)s",
                {
                    "right": verdict == "ok",
                    "judged": verdict in ("ok", "wrong"),
                    "code": row["code_id"],
                    "call": call_id,
                    "turn": turn,
                    "verdict": verdict,
                },
            )
        return verdict

    @port_method
    async def recorded_check(self, call_id: UUID, turn: int) -> Verdict | None:
        """How the code given in this turn was judged; for replays, which judge nothing."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT verdict FROM company.code_checks WHERE call_id = %s AND turn = %s",
                (call_id, turn),
            )
            row = await cursor.fetchone()
        return cast("Verdict", row["verdict"]) if row else None

    @port_method
    async def recorded_failure(self, call_id: UUID, turn: int, account: str | None) -> bool:
        """Was a failure counted in this turn? For replays, which count nothing."""
        async with self._connections.connection() as connection:
            cursor = await connection.execute(
                "SELECT 1 FROM company.identity_failures WHERE call_id = %s AND turn = %s AND account = %s",
                (call_id, turn, account or ""),
            )
            return await cursor.fetchone() is not None

    def _verdict(self, row: DictRow, code: str) -> Verdict:
        """On the newest open code of the call, if there is one."""
        if row["code_id"] is None or row["ended"] or row["tries"] >= CODE_TRIES:
            return "used_up"
        if self._clock() > row["expires_at"]:
            return "expired"
        right = hmac.compare_digest(row["code_hash"], self._hash(row["code_id"], code))
        return "ok" if right else "wrong"

    def _hash(self, code_id: UUID, code: str) -> str:
        """Salted by the code's own id and keyed, so that a million hashes cannot be tried against a dump."""
        return self._sealer.keyed_hash(f"{code_id}:{code}")
