"""One at a time, in the whole deployment: locks that are gone with whoever held them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from checkpoints.database import Database, storage_errors


@asynccontextmanager
async def sole(database: Database, name: str) -> AsyncIterator[bool]:
    """Is nobody else inside a block of this name? Until the block ends, nobody else is then.

    Held by a transaction, so that it works through a transaction pooler, too.
    """
    async with storage_errors(), database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS got", (name,)
        )
        row = await cursor.fetchone()
        yield bool(row and row["got"])
