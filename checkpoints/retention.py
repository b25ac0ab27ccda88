"""Keeping and forgetting: calls deleted by age or by customer, and everything sealed again under a new key. Audited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from checkpoints.cipher import Cipher
from checkpoints.database import Connection, Database, storage_errors

BATCH = 500
#: LangGraph's tables, by the column that names the call.
_THREADS: tuple[LiteralString, ...] = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
Counts = dict[str, int]


async def calls_older_than(database: Database, before: datetime) -> tuple[UUID, ...]:
    """Calls whose last turn is older; never one that is live."""
    async with storage_errors(), database.connection() as connection:
        cursor = await connection.execute(
            "SELECT call_id FROM calls WHERE last_turn_at < %s AND state <> 'live'", (before,)
        )
        return tuple(row["call_id"] for row in await cursor.fetchall())


async def calls_of_customer(database: Database, hashes: Iterable[str]) -> tuple[UUID, ...]:
    """Calls from a number, or about a customer, of which these are the keyed hashes."""
    async with storage_errors(), database.connection() as connection:
        cursor = await connection.execute(
            "SELECT call_id FROM calls WHERE caller_hash = ANY(%(hashes)s) OR customers && %(hashes)s::text[]",
            {"hashes": list(hashes)},
        )
        return tuple(row["call_id"] for row in await cursor.fetchall())


async def delete_calls(database: Database, call_ids: Sequence[UUID]) -> Counts:
    """All that is kept of these calls but the audit. A worker that holds one loses it."""
    threads = [str(call_id) for call_id in call_ids]
    async with storage_errors(), database.transaction() as connection:
        counts = {
            "calls": await _deleted(
                connection, "DELETE FROM calls WHERE call_id = ANY(%s)", call_ids
            )
        }
        counts["effects"] = await _deleted(
            connection, "DELETE FROM effects WHERE call_id = ANY(%s)", call_ids
        )
        for table in _THREADS:
            query: LiteralString = f"DELETE FROM {table} WHERE thread_id = ANY(%s)"  # noqa: S608 - names of this file
            counts[table] = await _deleted(connection, query, threads)
    return counts


async def _deleted(
    connection: Connection, query: LiteralString, values: Sequence[UUID] | Sequence[str]
) -> int:
    return (await connection.execute(query, (list(values),))).rowcount


async def audited(database: Database, action: str, subject: str | None, counts: Counts) -> None:
    """One line in the audit log; in a transaction, together with what it tells of.

    Args:
        subject: a keyed hash, never a value.
    """
    async with storage_errors(), database.connection() as connection:
        await connection.execute(
            "INSERT INTO audit (action, subject, counts) VALUES (%s, %s, %s)",
            (action, subject, Jsonb(counts)),
        )


# A new key -------------------------------------------------------------------------------------------------------


async def reencrypt(database: Database, cipher: Cipher) -> Counts:
    """Everything of ours and LangGraph's under the cipher's first key, row by row, while calls go on."""
    return {
        "checkpoint_blobs": await _reencrypt_values(
            database,
            cipher,
            "SELECT ctid, type, blob FROM checkpoint_blobs "
            "WHERE type LIKE '%%+%%' AND NOT type LIKE %s LIMIT %s FOR UPDATE SKIP LOCKED",
            "UPDATE checkpoint_blobs SET type = %s, blob = %s WHERE ctid = %s",
        ),
        "checkpoint_writes": await _reencrypt_values(
            database,
            cipher,
            "SELECT ctid, type, blob FROM checkpoint_writes "
            "WHERE type LIKE '%%+%%' AND NOT type LIKE %s LIMIT %s FOR UPDATE SKIP LOCKED",
            "UPDATE checkpoint_writes SET type = %s, blob = %s WHERE ctid = %s",
        ),
        "effects": await reseal(
            database,
            cipher,
            "SELECT ctid, result AS sealed FROM effects WHERE result IS NOT NULL "
            "AND NOT starts_with(encode(substr(result, 1, 40), 'escape'), %s) LIMIT %s FOR UPDATE SKIP LOCKED",
            "UPDATE effects SET result = %s WHERE ctid = %s",
        ),
        "key_check": await reseal(
            database,
            cipher,
            "SELECT ctid, sealed FROM key_check "
            "WHERE NOT starts_with(encode(substr(sealed, 1, 40), 'escape'), %s) LIMIT %s FOR UPDATE",
            "UPDATE key_check SET sealed = %s WHERE ctid = %s",
        ),
    }


async def _reencrypt_values(
    database: Database, cipher: Cipher, select: LiteralString, update: LiteralString
) -> int:
    """LangGraph's rows: the type column names the cipher and key after a plus sign."""
    done = 0
    while True:
        async with storage_errors(), database.transaction() as connection:
            cursor = await connection.execute(select, (f"%+{cipher.name}", BATCH))
            rows = await cursor.fetchall()
            for row in rows:
                kind, _, name = str(row["type"]).partition("+")
                named, ciphertext = cipher.encrypt(cipher.decrypt(name, bytes(row["blob"])))
                await connection.execute(update, (f"{kind}+{named}", ciphertext, row["ctid"]))
        done += len(rows)
        if not rows:
            return done


async def reseal(
    database: Database, cipher: Cipher, select: LiteralString, update: LiteralString
) -> int:
    """Rows of `ctid` and `sealed` whose seal is not of the first key, until there are none."""
    done = 0
    while True:
        async with storage_errors(), database.transaction() as connection:
            cursor = await connection.execute(select, (cipher.name, BATCH))
            rows = await cursor.fetchall()
            for row in rows:
                sealed = cipher.seal(cipher.open(bytes(row["sealed"])))
                await connection.execute(update, (sealed, row["ctid"]))
        done += len(rows)
        if not rows:
            return done
